"""Words of the factors, and scores of them."""

import numpy as np
import pytest

from tests.estimators.planted import model
from topicfactors import ConfigurationError, InputError
from topicfactors.insight.metrics import diversity, npmi
from topicfactors.insight.topics import RANKINGS, top_columns


@pytest.fixture(scope="module")
def named(corpus):
    return model(inference="exact", max_iter=15).fit(
        corpus.counts, feature_names=[f"word{n:02}" for n in range(48)]
    )


@pytest.mark.parametrize("ranking", sorted(RANKINGS))
def test_top_words_are_the_best_of_the_ranking(ranking, named):
    scores = RANKINGS[ranking](named.factors())
    for row, listed in zip(scores, named.top_words(5, ranking=ranking), strict=True):
        order = sorted(range(48), key=lambda column: (-row[column], column))[:5]
        assert [word for word, _ in listed] == [f"word{column:02}" for column in order]
        assert [score for _, score in listed] == pytest.approx([row[column] for column in order])


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
