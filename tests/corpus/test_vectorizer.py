"""DocumentVectorizer: CountVectorizer's results on spaCy's tokens, a row for every document."""

import functools
import itertools
import pickle

import numpy as np
import pandas as pd
import pytest
import spacy
from gensim.models.phrases import Phrases
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from spacy.lookups import Lookups

from topicfactors import CorpusWarning, CountsMatrix, DocumentVectorizer
from topicfactors.corpus import pipelines, tokenizers
from topicfactors.corpus.pieces import PieceByPiece
from topicfactors.corpus.samples import lee
from topicfactors.errors import ConfigurationError, InputError


@pytest.fixture(scope="module")
def texts():
    return [document.text for document in lee()][:80]


def loose(**options):
    """A vectorizer that keeps every word that the tokeniser's rules leave."""
    return DocumentVectorizer(**{"min_df": 1, "max_df": 1.0, "max_features": None, **options})


def words(vectorizer, *documents):
    return vectorizer.fit_transform(list(documents)).feature_names.tolist()


pipeline_of = functools.cache(spacy.blank)


def spacy_tokens(text, language="en", min_length=3, lowercase=True, letters_only=True):
    nlp = pipeline_of(language)
    stop = {word.lower() for word in nlp.Defaults.stop_words}
    for token in nlp.make_doc(text):
        word = token.lower_ if lowercase else token.text
        fits = token.is_alpha if letters_only else not (token.is_punct or token.is_space)
        if not any(sign.isalpha() for sign in word) and any(sign.isdigit() for sign in word):
            continue
        if token.like_url or token.like_email:
            continue
        if fits and len(token) >= min_length and word not in stop:
            yield word


@pytest.fixture(scope="module")
def tokens(texts):
    return {text: list(spacy_tokens(text)) for text in texts}


class TestAgainstCountVectorizer:
    @pytest.mark.parametrize(
        "pruning",
        [
            {"min_df": 1, "max_df": 1.0},
            {"min_df": 2, "max_df": 0.5},
            {"min_df": 3, "max_df": 20},
            {"min_df": 0.05, "max_df": 0.3},
            {"min_df": 0.0, "max_df": 1},
            {"min_df": np.int64(2), "max_df": np.float64(0.25)},
        ],
    )
    def test_same_vocabulary_and_counts(self, texts, tokens, pruning):
        peer = CountVectorizer(analyzer=tokens.__getitem__, **pruning)
        expected = peer.fit_transform(texts)
        ours = DocumentVectorizer(max_features=None, **pruning)
        counts = ours.fit_transform(texts)
        assert ours.vocabulary_ == peer.vocabulary_
        assert counts.dtype == np.int32
        assert (counts != expected).nnz == 0
        assert ours.get_feature_names_out().tolist() == peer.get_feature_names_out().tolist()
        assert (ours.transform(texts[::-1]) != peer.transform(texts[::-1])).nnz == 0

    def test_max_features_keeps_the_most_frequent(self, texts, tokens):
        peer = CountVectorizer(analyzer=tokens.__getitem__, max_features=50)
        expected = np.sort(np.asarray(peer.fit_transform(texts).sum(0)).ravel())
        counts = loose(max_features=50).fit_transform(texts)
        assert np.sort(np.asarray(counts.sum(0)).ravel()).tolist() == expected.tolist()
        assert counts.feature_names.tolist() == sorted(counts.feature_names)

    def test_ties_at_max_features_are_broken_by_the_alphabet(self):
        assert words(loose(max_features=2), "delta alpha charlie bravo") == ["alpha", "bravo"]

    @pytest.mark.parametrize(
        "rules",
        [
            {"min_length": 1},
            {"lowercase": False},
            {"letters_only": False, "min_length": 2},
            {"language": "de"},
        ],
    )
    def test_rules_of_the_tokens(self, texts, rules):
        some = texts[:10]
        found = {text: list(spacy_tokens(text, **rules)) for text in some}
        peer = CountVectorizer(analyzer=found.__getitem__)
        expected = peer.fit_transform(some)
        counts = loose(**rules).fit_transform(some)
        assert counts.feature_names.tolist() == peer.get_feature_names_out().tolist()
        assert (counts != expected).nnz == 0

    def test_fit_transform_is_fit_then_transform(self, texts):
        first = DocumentVectorizer().fit_transform(texts)
        second = DocumentVectorizer().fit(texts).transform(texts)
        assert (first != second).nnz == 0
        assert first.feature_names.tolist() == second.feature_names.tolist()


def test_two_processes_give_the_same_matrix(monkeypatch, texts):
    alone = DocumentVectorizer(n_jobs=1).fit_transform(texts)
    monkeypatch.setattr(tokenizers, "BLOCK", 4_000)
    monkeypatch.setattr(tokenizers, "SERIAL", 20_000)
    parallel = DocumentVectorizer(n_jobs=2)
    together = parallel.fit_transform(iter(texts))
    assert (alone != together).nnz == 0
    assert alone.feature_names.tolist() == together.feature_names.tolist()
    assert (alone != parallel.transform(texts)).nnz == 0


class TestStopWords:
    def test_those_of_the_language(self):
        assert words(loose(), "The engine and the steam") == ["engine", "steam"]
        assert words(loose(language="de"), "Die Maschine und der Dampf") == ["dampf", "maschine"]

    def test_none(self):
        assert words(loose(stop_words=None), "The engine and") == ["and", "engine", "the"]

    @pytest.mark.parametrize("kind", [list, tuple, set, frozenset, np.array, pd.Series])
    def test_a_collection_of_words_in_any_case(self, kind):
        stop = kind(["Steam", "DET"])
        assert words(loose(stop_words=stop), "The steam det engine") == ["engine", "the"]

    def test_without_folding_the_case_matters(self):
        found = words(loose(stop_words=["Steam"], lowercase=False), "Steam steam")
        assert found == ["steam"]

    def test_space_around_them_does_not_matter(self):
        assert words(loose(stop_words=["steam ", "", "\n"]), "steam engine") == ["engine"]

    @pytest.mark.parametrize("value", [None, 5, float("nan"), ["steam"]])
    def test_a_member_that_is_no_text_is_refused(self, value):
        with pytest.raises(ConfigurationError, match=r"stop_words must be .*, got .* in it"):
            loose(stop_words=["the", value]).rules()

    def test_several_words_are_refused_where_no_token_is_several(self):
        with pytest.raises(ConfigurationError, match="single words, got 'steam engine', which is"):
            loose(stop_words=["the", "steam engine"]).rules()
        pattern = loose(stop_words=["steam engine"], token_pattern=r"\w+ \w+")
        assert list(pattern.tokenize(["steam engine steam boat"])) == [["steam boat"]]
        language = [*pipelines.language_stop_words("gd"), "steam"]
        assert "steam" in loose(language="gd", stop_words=language).rules().stop_words

    @pytest.mark.parametrize("value", ["english", 5, iter(["steam"])])
    def test_others_are_refused(self, value):
        with pytest.raises(ConfigurationError, match="stop_words must be 'language', None or"):
            loose(stop_words=value).fit(["steam"])


class TestRows:
    def test_what_is_no_text_is_an_empty_row_and_named(self):
        values = ["steam engine", "", None, float("nan"), 7, pd.NA, b"bytes", "engine"]
        with pytest.warns(CorpusWarning, match=r"6 documents are kept as an empty row: row 1 \(i"):
            counts = loose().fit_transform(values)
        assert counts.toarray().tolist() == [[1, 1], *([[0, 0]] * 6), [1, 0]]

    def test_transform_warns_too(self):
        vectorizer = loose().fit(["steam engine"])
        with pytest.warns(CorpusWarning, match=r"row 1 \(id 1\) is None"):
            assert vectorizer.transform(["steam", None]).toarray().tolist() == [[0, 1], [0, 0]]

    def test_halves_of_surrogate_pairs_are_read(self):
        assert words(loose(), "steam \ud800 engine") == ["engine", "steam"]

    @pytest.mark.parametrize(
        "make", [iter, tuple, np.array, pd.Series, lambda texts: (text for text in texts)]
    )
    def test_any_iterable_is_read_once(self, make):
        counts = loose().fit_transform(make(["steam engine", "steam"]))
        assert counts.toarray().tolist() == [[1, 1], [0, 1]]

    @pytest.mark.parametrize(
        "value", ["one text", b"bytes", 5, None, {"a": "b"}, pd.DataFrame({"text": ["a"]})]
    )
    def test_other_inputs_are_refused(self, value):
        with pytest.raises(InputError, match="texts must be"):
            loose().fit(value)
        with pytest.raises(InputError, match="texts must be"):
            loose().fit(["steam"]).transform(value)

    def test_transform_ignores_words_it_does_not_know(self):
        vectorizer = loose().fit(["steam engine"])
        counts = vectorizer.transform(["steam pendulum steam", "clock"])
        assert counts.toarray().tolist() == [[0, 2], [0, 0]]
        assert vectorizer.get_feature_names_out().tolist() == ["engine", "steam"]

    def test_transform_of_no_documents_has_no_rows(self):
        assert loose().fit(["steam engine"]).transform([]).shape == (0, 2)


class TestNothingLeft:
    def test_no_documents(self):
        with pytest.raises(InputError, match="there are no documents"):
            loose().fit([])

    @pytest.mark.parametrize("documents", [["of the"], ["1712 $"], ["x y"]])
    def test_no_words(self, documents):
        with pytest.raises(
            InputError, match=r"no words in 1 document: .*min_length=3.*; lower min_l"
        ):
            loose().fit(documents)

    @pytest.mark.filterwarnings("ignore::topicfactors.CorpusWarning")
    def test_empty_texts_alone(self):
        with pytest.raises(InputError, match="no words in 2 documents: every text is empty"):
            loose().fit(["", None])

    def test_all_words_pruned(self):
        with pytest.raises(InputError, match=r"min_df=2 asks for more documents than max_df=0.5"):
            DocumentVectorizer().fit(["steam", "engine"])


class TestParameters:
    @pytest.mark.parametrize("name", ["min_df", "max_df"])
    @pytest.mark.parametrize("value", [0, -1, 1.5, -0.1, "5", None, float("nan"), [1]])
    def test_document_frequencies(self, name, value):
        with pytest.raises(ConfigurationError, match=f"{name} must be a whole number of documen"):
            loose(**{name: value}).fit(["steam"])

    @pytest.mark.parametrize(
        ("name", "value"),
        [("max_features", 0), ("max_features", 1.5), ("min_length", 0), ("min_length", None)],
    )
    def test_whole_numbers(self, name, value):
        with pytest.raises(ConfigurationError, match=f"{name} must be a whole number above 0"):
            loose(**{name: value}).fit(["steam"])

    @pytest.mark.parametrize("stop", ["language", None])
    def test_unknown_language(self, stop):
        with pytest.raises(ConfigurationError, match=r"language must be .* got 'qq'"):
            loose(language="qq", stop_words=stop).fit(["steam"])
        with pytest.raises(ConfigurationError, match="got 'qq'"):
            loose(language="qq", stop_words=stop).rules()

    @pytest.mark.parametrize("language", ["qq", None, 3, ["en"], ""])
    @pytest.mark.parametrize("pattern", [None, r"\w+"])
    def test_an_unknown_language_whatever_finds_the_words(self, language, pattern):
        with pytest.raises(
            ConfigurationError, match=r"language must be a spaCy language code such"
        ):
            loose(language=language, token_pattern=pattern, stop_words=None).rules()

    def test_clone_and_get_params(self, texts):
        stop = ["steam"]
        vectorizer = loose(stop_words=stop, min_length=2).fit(texts)
        copy = clone(vectorizer)
        assert copy.get_params() == vectorizer.get_params()
        assert vectorizer.get_params()["stop_words"] is stop
        with pytest.raises(NotFittedError):
            copy.transform(texts)
        with pytest.raises(NotFittedError):
            copy.get_feature_names_out()

    def test_a_pickle_gives_the_same_counts(self, texts):
        vectorizer = DocumentVectorizer().fit(texts)
        copy = pickle.loads(pickle.dumps(vectorizer))
        assert (copy.transform(texts) != vectorizer.transform(texts)).nnz == 0

    def test_parameters_go_by_name(self):
        with pytest.raises(TypeError):
            DocumentVectorizer("en")


def test_the_words_survive_a_pipeline():
    pipeline = make_pipeline(loose(), FunctionTransformer())
    counts = pipeline.fit_transform(["steam engine", "engine"])
    assert isinstance(counts, CountsMatrix)
    assert counts.feature_names.tolist() == ["engine", "steam"]


WILD = st.text(st.characters(), max_size=30)
WORDY = st.lists(st.sampled_from(["steam", "engine", "Mice", "3-4", "a@b.org", "!", "é"]))
DOCUMENTS = st.lists(st.one_of(WILD, WORDY.map(" ".join)), max_size=6)


@pytest.mark.filterwarnings("ignore::topicfactors.CorpusWarning")
@settings(deadline=None, max_examples=100)
@given(DOCUMENTS, st.data())
def test_any_texts_keep_their_rows_or_are_refused(documents, data):
    options = {
        "letters_only": st.booleans(),
        "min_length": st.integers(1, 3),
        "numbers": st.sampled_from(["drop", "keep", "fold"]),
        "urls": st.sampled_from(["drop", "keep", "fold"]),
        "lemmatize": st.booleans(),
        "phrases": st.booleans(),
    }
    if data.draw(st.booleans()):
        options = {"token_pattern": st.sampled_from([r"\w+", r"\S+", r"(.)."])}
    chosen = data.draw(st.fixed_dictionaries(options))
    vectorizer = loose(**chosen, stop_words=None, phrase_min_count=1, phrase_threshold=0.1)
    try:
        counts = vectorizer.fit_transform(documents)
    except InputError:
        return
    assert counts.shape == (len(documents), len(vectorizer.vocabulary_))
    assert counts.dtype == np.int32
    assert counts.data.min() >= 1
    assert counts.sum(axis=0).min() >= 1
    assert (vectorizer.transform(documents) != counts).nnz == 0
    assert counts.sum(axis=1).ravel().tolist()[0] == list(map(len, vectorizer.tokenize(documents)))
    order = data.draw(st.permutations(range(len(documents))))
    shuffled = vectorizer.fit_transform([documents[row] for row in order])
    assert shuffled.feature_names.tolist() == counts.feature_names.tolist()
    assert (shuffled != counts[order]).nnz == 0


@pytest.mark.filterwarnings("ignore::topicfactors.CorpusWarning")
@settings(deadline=None, max_examples=30)
@given(st.lists(st.one_of(WILD, st.none(), st.integers(), st.floats(), st.binary()), max_size=6))
def test_any_values_keep_their_rows_in_transform(values):
    vectorizer = loose().fit(["steam engine"])
    assert vectorizer.transform(values).shape == (len(values), 2)


class TestTokenize:
    def test_the_words_in_their_order(self):
        found = DocumentVectorizer().tokenize(["The steam moves the engine, steam", "clock"])
        assert list(found) == [["steam", "moves", "engine", "steam"], ["clock"]]

    def test_words_outside_the_vocabulary_too(self):
        vectorizer = loose(max_features=1).fit(["steam steam engine"])
        assert list(vectorizer.tokenize(["engine clock"])) == [["engine", "clock"]]

    def test_it_streams(self, monkeypatch):
        monkeypatch.setattr(tokenizers, "BLOCK", 100)
        endless = itertools.repeat("steam engine")
        assert next(DocumentVectorizer().tokenize(endless)) == ["steam", "engine"]

    def test_what_is_no_text_has_no_words_and_is_named(self):
        with pytest.warns(CorpusWarning, match="row 1"):
            assert list(loose().tokenize(["steam", None])) == [["steam"], []]

    def test_phrases_have_to_be_learnt_first(self):
        with pytest.raises(NotFittedError):
            loose(phrases=True).tokenize(["steam"])

    def test_inputs_are_checked_before_the_first_word(self):
        with pytest.raises(InputError, match="texts must be"):
            loose().tokenize("one text")
        with pytest.raises(ConfigurationError, match="min_length"):
            loose(min_length=0).tokenize(["steam"])


STEAM = ["The steam engine moves.", "A steam engine, steam engine!", "An engine of steam"] * 8
OFTEN = {"phrase_min_count": 20, "phrase_threshold": 0.01}


class TestPhrases:
    def learnt(self, **options):
        options = {"phrase_min_count": 2, "phrase_threshold": 0.5, **options}
        return loose(phrases=True, **options)

    def test_they_are_counted_as_one_word(self):
        vectorizer = self.learnt(**OFTEN)
        counts = vectorizer.fit_transform(iter(STEAM))
        assert counts.feature_names.tolist() == ["engine", "moves", "steam", "steam_engine"]
        assert counts[:3].toarray().tolist() == [[0, 1, 0, 1], [0, 0, 0, 2], [1, 0, 1, 0]]
        assert (vectorizer.transform(STEAM) != counts).nnz == 0
        found = vectorizer.tokenize(["Steam engine steam"])
        assert list(found) == [["steam_engine", "steam"]]

    def test_scores_are_those_of_gensim(self, texts, tokens):
        vectorizer = self.learnt().fit(texts)
        model = Phrases(map(tokens.get, texts), min_count=2, threshold=0.5)
        assert vectorizer.phrases_ == pytest.approx(model.export_phrases())
        frozen = model.freeze()
        assert list(vectorizer.tokenize(texts)) == [frozen[tokens[text]] for text in texts]

    def test_without_them_there_are_none(self):
        vectorizer = self.learnt(**OFTEN).fit(STEAM)
        assert vectorizer.phrases_
        assert vectorizer.set_params(phrases=False).fit(STEAM).phrases_ == {}

    def test_several_processes_learn_the_same(self, monkeypatch, texts):
        alone = self.learnt().fit(texts)
        monkeypatch.setattr(tokenizers, "BLOCK", 4_000)
        monkeypatch.setattr(tokenizers, "SERIAL", 20_000)
        together = self.learnt(n_jobs=2).fit(texts)
        assert together.phrases_ == alone.phrases_
        assert (together.transform(texts) != alone.transform(texts)).nnz == 0

    def test_a_fit_that_fails_leaves_the_last_one(self):
        vectorizer = self.learnt(**OFTEN).fit(STEAM)
        before = vectorizer.phrases_
        with pytest.raises(InputError):
            vectorizer.fit([])
        assert vectorizer.phrases_ is before


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A pipeline that knows three nouns and an adjective."""
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("attribute_ruler")
    for word, tag in {"mice": "NOUN", "engines": "NOUN", "steam": "NOUN", "small": "ADJ"}.items():
        ruler.add([[{"LOWER": word}]], {"POS": tag})
    lookups = Lookups()
    lookups.add_table("lemma_lookup", {"mice": "Mouse", "engines": "engine"})
    nlp.add_pipe("lemmatizer", config={"mode": "lookup"}).initialize(lookups=lookups)
    path = tmp_path_factory.mktemp("spacy") / "pipeline"
    nlp.to_disk(path)
    return str(path)


class TestSpacyModel:
    def test_its_lemmas(self, trained):
        found = words(loose(spacy_model=trained, lemmatize=True), "small mice move Engines engines")
        assert found == ["engine", "engines", "mouse", "small"]  # this one looks at the case

    def test_its_parts_of_speech(self, trained):
        text = "small mice move steam engines"
        assert words(loose(spacy_model=trained, pos=["NOUN"]), text) == ["engines", "mice", "steam"]
        both = loose(spacy_model=trained, pos=("NOUN", "ADJ"), lemmatize=True)
        assert words(both, text) == ["engine", "mouse", "small", "steam"]

    def test_its_tokeniser_alone_is_as_fast_as_any(self, trained, texts):
        rules = loose(spacy_model=trained).rules()
        assert isinstance(tokenizers._reader(rules), PieceByPiece)
        counts = loose(spacy_model=trained).fit_transform(texts)
        assert (counts != loose().fit_transform(texts)).nnz == 0

    def test_several_processes_give_the_same(self, monkeypatch, trained):
        documents = ["small mice move steam engines", "steam " * 5, "!"] * 100
        options = {"spacy_model": trained, "lemmatize": True, "pos": ["NOUN"]}
        alone = loose(**options, n_jobs=1).fit_transform(documents)
        monkeypatch.setattr(tokenizers, "BLOCK", 4_000)
        monkeypatch.setattr(tokenizers, "SERIAL", 8_000)
        together = loose(**options, n_jobs=2).fit_transform(documents)
        assert (alone != together).nnz == 0
        assert together.feature_names.tolist() == ["engine", "mouse", "steam"]

    def test_the_language_is_its_own(self, trained, tmp_path):
        spacy.blank("de").to_disk(tmp_path / "german")
        german = str(tmp_path / "german")
        assert words(loose(spacy_model=german), "und die Maschine") == ["maschine"]
        assert loose(spacy_model=german, language="de").rules().language == "de"
        with pytest.raises(ConfigurationError, match="language must be 'en', that of spacy_model="):
            loose(spacy_model=trained, language="de").fit(["Dampf"])

    @pytest.mark.parametrize("value", [5, "", " ", ["en"]])
    def test_what_is_no_name_is_refused(self, value):
        with pytest.raises(ConfigurationError, match="spacy_model must be the name or path"):
            loose(spacy_model=value).fit(["steam"])

    def test_what_it_does_not_do_is_refused(self, tmp_path):
        spacy.blank("en").to_disk(tmp_path / "blank")
        name = str(tmp_path / "blank")
        with pytest.raises(
            ConfigurationError, match=r"needs a pipeline with a lemmatizer.*has none"
        ):
            loose(spacy_model=name, lemmatize=True).fit(["steam"])
        with pytest.raises(ConfigurationError, match=r"needs a pipeline with a morpho.*has none"):
            loose(spacy_model=name, pos=["NOUN"]).fit(["steam"])
        with pytest.raises(ConfigurationError, match="pos needs a trained pipeline that tags"):
            loose(pos=["NOUN"]).fit(["steam"])

    def test_no_words_of_these_parts(self, trained):
        with pytest.raises(InputError, match=r"pos=\['VERB'\]"):
            loose(spacy_model=trained, pos=["VERB"]).fit(["steam"])


class TestPattern:
    @pytest.mark.parametrize("pattern", [r"(?u)\b\w\w+\b", r"(?u)\b(\w)\w+\b", r"[^\s]+"])
    @pytest.mark.parametrize("lowercase", [True, False])
    def test_the_counts_are_those_of_count_vectorizer(self, texts, pattern, lowercase):
        stop = ["the", "of"]
        peer = CountVectorizer(token_pattern=pattern, lowercase=lowercase, stop_words=stop)
        ours = loose(token_pattern=pattern, lowercase=lowercase, stop_words=stop, min_length=1)
        expected = peer.fit_transform(texts)
        assert (ours.fit_transform(texts) != expected).nnz == 0
        assert ours.vocabulary_ == peer.vocabulary_

    def test_no_tokeniser_is_needed(self):
        assert words(loose(token_pattern=r"\w+", language="ja"), "蒸気機関 時計塔") == [
            "時計塔",
            "蒸気機関",
        ]

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("spacy_model", "en_core_web_sm"),
            ("lemmatize", True),
            ("pos", ["NOUN"]),
            ("numbers", "keep"),
            ("urls", "fold"),
        ],
    )
    def test_what_needs_the_tokens_of_spacy_is_refused(self, name, value):
        with pytest.raises(ConfigurationError, match=f"does not go together with {name}="):
            loose(token_pattern=r"\w+", **{name: value}).fit(["steam"])

    @pytest.mark.parametrize(
        ("pattern", "reason"),
        [("(", "must be a regular expression, got"), (r"(\w)(\d)", "at most one group"), (5, "5")],
    )
    def test_what_is_no_pattern_is_refused(self, pattern, reason):
        with pytest.raises(ConfigurationError, match=reason) as caught:
            loose(token_pattern=pattern).fit(["steam"])
        assert "\n" not in str(caught.value)

    def test_it_is_named_when_nothing_is_left(self):
        with pytest.raises(InputError, match="token_pattern='x'"):
            loose(token_pattern="x").fit(["steam"])


LANGUAGES = {
    "en": ("The small engines were moving, weren't they?", "small engines moving"),
    "de": ("Die kleinen Häuser und die Maschinen!", "häuser maschinen"),
    "it": ("L'acqua del fiume è fredda.", "acqua fiume fredda"),
    "ru": ("Старые часы идут, а новые стоят.", "старые часы идут новые стоят"),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_languages(language):
    text, expected = LANGUAGES[language]
    assert list(DocumentVectorizer(language=language).tokenize([text])) == [expected.split()]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "Engines of mice", "engine mouse"),
        ("de", "Die Häuser der Maschinen", "haus maschine"),
        ("it", "I gatti dei fiumi", "gatto fiume"),
        ("ru", "старых книгах", "старый книга"),
    ],
)
def test_lemmas_of_languages(language, text, expected):
    vectorizer = DocumentVectorizer(language=language, lemmatize=True)
    assert list(vectorizer.tokenize([text])) == [expected.split()]


def test_chinese_words_are_short():
    assert list(loose(language="zh").tokenize(["蒸汽机"])) == [[]]
    found = loose(language="zh", min_length=1, stop_words=None).tokenize(["蒸汽 机。"])
    assert list(found) == [["蒸", "汽", "机"]]
    with pytest.raises(InputError, match="min_length=3"):
        loose(language="zh").fit(["蒸汽机"])


class TestStrict:
    @pytest.mark.parametrize("value", ["", " \n", None, float("nan"), 5])
    def test_the_first_row_without_a_text_is_refused(self, value):
        vectorizer = loose(strict=True)
        with pytest.raises(InputError, match=r"texts: row 1 is .*strict=False"):
            vectorizer.fit(["steam", value, None])
        with pytest.raises(InputError, match="texts: row 0 is"):
            vectorizer.fit(["steam"]).transform([value])
        with pytest.raises(InputError, match="texts: row 0 is"):
            list(vectorizer.tokenize([value]))


class TestNewParameters:
    @pytest.mark.parametrize(
        "name", ["lowercase", "letters_only", "lemmatize", "phrases", "strict"]
    )
    def test_switches(self, name):
        with pytest.raises(ConfigurationError, match=f"{name} must be True or False, got 'yes'"):
            loose(**{name: "yes"}).fit(["steam"])

    @pytest.mark.parametrize("name", ["numbers", "urls"])
    def test_choices(self, name):
        with pytest.raises(ConfigurationError, match=rf"{name} must be one of .*mean 'fold'\?"):
            loose(**{name: "folds"}).fit(["steam"])
        with pytest.raises(ConfigurationError, match=f"{name} must be one of"):
            loose(**{name: None}).fit(["steam"])

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("phrase_min_count", 0),
            ("phrase_min_count", 1.5),
            ("phrase_threshold", 0.0),
            ("phrase_threshold", float("nan")),
            ("n_jobs", 0),
            ("n_jobs", "all"),
        ],
    )
    def test_values(self, name, value):
        with pytest.raises(ConfigurationError, match=f"{name} must be a number|{name} must be a w"):
            loose(**{name: value}).fit(["steam"])

    @pytest.mark.parametrize("value", ["NOUN", [], 5, iter(["NOUN"])])
    def test_parts_of_speech_are_a_list(self, value):
        with pytest.raises(ConfigurationError, match="pos must be a list of universal part"):
            loose(pos=value).fit(["steam"])

    def test_the_tags_that_pipelines_set_are_listed(self):
        tags = "ADJ, ADP, ADV, AUX, CCONJ, DET, INTJ, NOUN, NUM, PART, PRON, PROPN, PUNCT, "
        with pytest.raises(ConfigurationError, match=f"among {tags}SCONJ, SYM, VERB, X, got ''"):
            loose(pos=[""]).rules()

    @pytest.mark.parametrize("tag", ["NOUNS", "noun", "NN"])
    def test_an_unknown_part_of_speech(self, tag):
        with pytest.raises(ConfigurationError, match=rf"got '{tag}'; did you mean 'NOUN'\?"):
            loose(pos=["ADJ", tag]).fit(["steam"])


def test_arrays_of_arrow_are_texts():
    import pyarrow as pa

    texts = pa.chunked_array([["steam engine"], ["boat"]])
    assert loose().fit_transform(texts).toarray().tolist() == [[0, 1, 1], [1, 0, 0]]
