"""Words of the factors, and scores of them."""

import copy

import numpy as np
import pytest

from tests.estimators.planted import model
from topicfactors import (
    ConfigurationError,
    InputError,
    MixtureModel,
    SemiSupervisedClassifier,
    load,
    save,
)
from topicfactors.insight.metrics import diversity, npmi
from topicfactors.insight.topics import RANKINGS, shown, top_columns
from topicfactors.insight.word_order import word_order


@pytest.fixture(scope="module")
def named(corpus):
    return model(inference="exact", max_iter=15).fit(
        corpus.counts, feature_names=[f"word{n:02}" for n in range(48)]
    )


@pytest.mark.parametrize("ranking", sorted(RANKINGS))
def test_top_words_are_the_best_of_the_ranking(ranking, named):
    scores, read = RANKINGS[ranking](named.factors()), shown(named.factors(), ranking)
    lists = named.top_words(5, ranking=ranking)
    for row, told, listed in zip(scores, read, lists, strict=True):
        order = sorted(range(48), key=lambda column: (-row[column], column))[:5]
        assert [word for word, _ in listed] == [f"word{column:02}" for column in order]
        assert [score for _, score in listed] == pytest.approx([told[column] for column in order])


def test_fit_learns_which_words_come_together(named, corpus):
    known = named.factors()
    expected = word_order(corpus.counts, known)
    assert (named.word_order_ == expected).all()
    names = named.feature_names_in_
    assert [[word for word, _ in row] for row in named.top_words(6)] == names[
        expected[:, :6]
    ].tolist()


@pytest.mark.parametrize(
    "fitted",
    [
        lambda counts: model(max_iter=2).fit(counts),
        lambda counts: MixtureModel(3, random_state=0).fit(counts),
        lambda counts: SemiSupervisedClassifier(random_state=0).fit(
            counts, np.arange(counts.shape[0]) % 2
        ),
    ],
    ids=["factors", "mixture", "classifier"],
)
def test_so_does_every_model_and_it_is_stored(fitted, corpus, tmp_path):
    other = fitted(corpus.counts)
    assert (other.word_order_ == word_order(corpus.counts, other.factors())).all()
    save(other, tmp_path / "model")
    again = load(tmp_path / "model")
    assert (again.word_order_ == other.word_order_).all()
    assert again.top_words() == other.top_words()


def test_words_of_classes_of_several_components_have_no_order(corpus):
    labels = np.arange(corpus.counts.shape[0]) % 2
    found = SemiSupervisedClassifier(components_per_class=2, random_state=0).fit(
        corpus.counts, labels
    )
    assert found.word_order_.shape[0] == 4
    assert found.top_words_of_classes() == found.top_words_of_classes(ranking="exclusive")


def test_a_stream_is_told_which_words_come_together(corpus):
    streamed = model().partial_fit(corpus.counts[:100])
    assert streamed.word_order_ is None
    assert streamed.top_words() == streamed.top_words(ranking="exclusive")
    assert streamed.order_words(corpus.counts) is streamed
    assert (streamed.word_order_ == word_order(corpus.counts, streamed.factors())).all()
    streamed.partial_fit(corpus.counts[100:200])
    assert streamed.word_order_ is None


def test_other_documents_change_the_order_and_nothing_else(named, corpus):
    told = copy.deepcopy(named)
    told.order_words(corpus.counts[:40])
    assert (told.word_order_ != named.word_order_).any()
    evidence = named.top_words(5, ranking="evidence")
    assert told.top_words(5, ranking="evidence") == evidence
    with pytest.raises(InputError, match="7"):
        told.order_words(corpus.counts[:, :7])


def test_more_words_than_there_are(named):
    assert [len(listed) for listed in named.top_words(1000)] == [48] * 4


def test_unknown_rankings_are_refused(named, corpus):
    for call in (
        lambda: named.top_words(ranking="weigth"),
        lambda: named.coherence(corpus.counts, ranking="weigth"),
        lambda: named.diversity(ranking="weigth"),
    ):
        with pytest.raises(ConfigurationError, match="got 'weigth'; did you mean 'weight'"):
            call()


@pytest.mark.parametrize("words", [0, -1, 2.5, "ten"])
def test_a_number_of_words_that_makes_no_sense(words, named):
    with pytest.raises(ConfigurationError, match="n_words must be a whole number of 1 or more"):
        named.top_words(words)


def test_coherence_and_diversity_are_those_of_the_listed_words(named, corpus):
    columns = top_columns(RANKINGS["evidence"](named.factors()), 6)
    np.testing.assert_allclose(
        named.coherence(corpus.counts, 6, ranking="evidence"), npmi(corpus.counts, columns)
    )
    assert named.diversity(6, ranking="evidence") == diversity(columns)
    assert named.diversity(6) == 1


def test_words_of_a_planted_factor_go_together(named, corpus):
    assert named.coherence(corpus.counts, 8).min() > 0.02
    assert {word for word, _ in named.top_words(8)[0]} < set(named.feature_names_in_)


def test_factors_have_what_rankings_read(named, corpus):
    found = named.factors()
    assert found.loadings.shape == found.on.shape == (4, 48)
    assert found.background.sum() == pytest.approx(1)
    np.testing.assert_allclose(found.on.sum(1), 1, atol=1e-5)
    np.testing.assert_array_equal(
        found.document_frequency, np.asarray((corpus.counts > 0).sum(0)).ravel()
    )


def test_c_v_reads_documents_as_lists_of_words(named, corpus):
    words = named.feature_names_in_
    texts = [
        [
            str(words[v])
            for v in row.indices
            for _ in range(int(row.data[list(row.indices).index(v)]))
        ]
        for row in corpus.counts[:60]
    ]
    found = named.coherence(texts, 5, measure="c_v")
    assert found.shape == (4,)
    assert ((found > 0) & (found < 1)).all()
    with pytest.raises(InputError, match="got a str in row 0"):
        named.coherence(["one text"], measure="c_v")
    with pytest.raises(ConfigurationError, match="did you mean 'npmi'"):
        named.coherence(corpus.counts, measure="npm")
