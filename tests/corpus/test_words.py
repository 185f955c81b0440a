"""What counts as a word: tokens, phrases, pipelines, patterns, languages."""

import itertools

import pytest
import spacy
from gensim.models.phrases import Phrases
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from spacy.lookups import Lookups

from tests.corpus.vectorizers import loose, words
from topicfactors import CorpusWarning, DocumentVectorizer
from topicfactors.corpus import tokenizers
from topicfactors.corpus.pieces import PieceByPiece
from topicfactors.errors import ConfigurationError, InputError


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
