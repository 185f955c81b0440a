"""Rankings against their definitions, word by word."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from topicfactors.errors import ConfigurationError
from topicfactors.insight.topics import (
    DEAD,
    RANKINGS,
    SORTING,
    Factors,
    coherent,
    exclusive,
    rank,
    shown,
    status,
    top_columns,
    word_lists,
)
from topicfactors.model.likelihoods import Multinomial


def some_factors(factors=3, words=12, seed=0):
    generator = np.random.default_rng(seed)
    on = generator.dirichlet(np.ones(words), factors)
    return with_loadings(
        Factors(
            generator.normal(size=(factors, words)),
            on,
            generator.dirichlet(np.ones(words)),
            generator.integers(0, 200, words).astype(float),
            generator.random(factors),
            np.zeros((factors, words)),
        )
    )


def with_loadings(factors, moved=0.0):
    """The log-odds of a token that go with the loadings, under the multinomial."""
    loadings = factors.loadings + moved
    told = Multinomial().token_log_odds(
        torch.from_numpy(loadings), torch.from_numpy(factors.background)
    )
    return factors._replace(loadings=loadings, log_odds=told.numpy())


DEFINITIONS = {
    "weight": lambda f, d, v: f.loadings[d, v],
    "probability": lambda f, d, v: f.on[d, v],
    "lift": lambda f, d, v: math.log(f.on[d, v] / f.background[v]),
    "relevance": lambda f, d, v: (
        0.6 * math.log(f.on[d, v]) + 0.4 * math.log(f.on[d, v] / f.background[v])
    ),
    "frex": lambda f, d, v: (
        2
        / (
            1 / np.mean(f.on[d] <= f.on[d, v])
            + 1 / np.mean(f.on[d] / f.on.sum(0) <= f.on[d, v] / f.on[:, v].sum())
        )
    ),
    "evidence": lambda f, d, v: (
        (f.loadings[d, v] - math.log(sum(np.exp(f.loadings[d]) * f.background)))
        * f.document_frequency[v]
        / (f.document_frequency[v] + 30)
    ),
}


@pytest.mark.parametrize("name", sorted(DEFINITIONS))
def test_a_ranking_is_its_definition(name):
    factors = some_factors()
    found = rank(factors, name)
    for d in range(3):
        for v in range(12):
            assert found[d, v] == pytest.approx(DEFINITIONS[name](factors, d, v))


@pytest.mark.parametrize("name", ["evidence", *SORTING])
def test_a_constant_added_to_a_factor_changes_nothing(name):
    """softmax(b + W z) does not know it, so neither must what is read off W."""
    factors = some_factors()
    moved = with_loadings(factors, np.array([[0.0], [3.0], [-70.0]]))
    np.testing.assert_array_equal(
        top_columns(rank(moved, name), 5), top_columns(rank(factors, name), 5)
    )


def slow_exclusive(factors, words):
    """Own words in the order of their evidence, then all the others."""
    scores = rank(factors, "evidence")
    lists = []
    for d in range(len(scores)):
        owners = [max(range(len(scores)), key=lambda e, v=v: scores[e, v]) for v in range(words)]
        own = [v for v in range(words) if owners[v] == d]
        rest = [v for v in range(words) if owners[v] != d]
        best_first = [sorted(part, key=lambda v, d=d: (-scores[d, v], v)) for part in (own, rest)]
        lists.append(best_first[0] + best_first[1])
    return lists


@pytest.mark.parametrize("seed", range(5))
def test_exclusive_lists_own_words_first(seed):
    factors = some_factors(seed=seed)
    assert top_columns(exclusive(factors), 12).tolist() == slow_exclusive(factors, 12)


def test_exclusive_lists_a_word_once_while_words_suffice():
    factors = some_factors(4, 60)
    scores = rank(factors, "exclusive")
    fewest = np.bincount(rank(factors, "evidence").argmax(0), minlength=4).min()
    columns = top_columns(scores, int(fewest))
    assert len(np.unique(columns)) == columns.size
    more = top_columns(scores, int(fewest) + 1)
    assert len(np.unique(more)) < more.size  # the smallest has to borrow one


def test_coherent_lists_the_words_in_order_then_those_of_exclusive():
    factors = some_factors()
    order = np.array([[7, 2], [0, 11], [4, 5]])
    columns = top_columns(coherent(factors._replace(order=order)), 12)
    others = top_columns(exclusive(factors), 12)
    for row, first, rest in zip(columns, order, others, strict=True):
        assert row.tolist() == [*first, *(v for v in rest if v not in first)]


def test_coherent_is_exclusive_where_no_pairs_were_counted():
    factors = some_factors()
    assert (coherent(factors) == exclusive(factors)).all()


def test_scores_to_be_read_are_evidence_where_a_ranking_only_sorts():
    factors = some_factors()
    assert all((shown(factors, name) == rank(factors, "evidence")).all() for name in SORTING)
    assert (shown(factors, "lift") == rank(factors, "lift")).all()


def test_frex_of_ties_and_of_words_that_no_factor_has():
    """Equal words share the highest rank, as in the paper; a probability of zero is no NaN."""
    on = np.array([[0.5, 0.25, 0.25, 0.0], [0.25, 0.5, 0.25, 0.0]])
    found = rank(some_factors(2, 4)._replace(on=on), "frex")
    assert found[0] == pytest.approx([1.0, 2 / (1 / 0.75 + 2), 0.75, 0.25])
    equal = some_factors(2, 4)._replace(on=np.full((2, 4), 0.25))
    assert (rank(equal, "frex") == 1.0).all()


def test_every_ranking_is_offered_and_tested():
    assert sorted(RANKINGS) == sorted([*DEFINITIONS, *SORTING])


def test_unknown_rankings_come_with_the_nearest():
    with pytest.raises(ConfigurationError, match="got 'lifts'; did you mean 'lift'"):
        rank(some_factors(), "lifts")


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.lists(st.integers(-3, 3), min_size=6, max_size=6), min_size=1, max_size=3),
    st.integers(0, 9),
)
def test_top_columns_are_the_best_with_equals_in_order(rows, words):
    scores = np.array(rows, dtype=float)
    found = top_columns(scores, words)
    expected = [sorted(range(6), key=lambda v, row=row: (-row[v], v))[:words] for row in rows]
    assert found.tolist() == expected
    assert found.dtype == np.int64


def test_word_lists():
    names = ["steam", "engine", "train"]
    assert word_lists(np.array([[2, 0], [1, 1]]), names) == [["train", "steam"], ["engine"] * 2]


@pytest.mark.parametrize(
    ("mean", "variance", "name"),
    [
        (0.3, 0.1, "active"),
        (0.9, 0.1, "active"),
        (0.01, DEAD / 2, "dead"),
        (0.5, 0.0, "dead"),
        (0.99, DEAD / 2, "always-on"),
        (0.99, DEAD, "active"),
    ],
)
def test_status(mean, variance, name):
    assert status(np.array([mean]), np.array([variance])) == [name]
