"""DocumentVectorizer: CountVectorizer's results on spaCy's tokens, a row for every document."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from tests.corpus.vectorizers import loose, spacy_tokens, words
from topicfactors import CorpusWarning, CountsMatrix, DocumentVectorizer
from topicfactors.corpus import pipelines, tokenizers
from topicfactors.errors import ConfigurationError, InputError


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
