"""Rankings against their definitions, word by word."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topicfactors.errors import ConfigurationError
from topicfactors.insight.topics import (
    DEAD,
    RANKINGS,
    Factors,
    exclusive,
    rank,
    status,
    top_columns,
    word_lists,
)


def some_factors(factors=3, words=12, seed=0):
    generator = np.random.default_rng(seed)
    on = generator.dirichlet(np.ones(words), factors)
    return Factors(
        generator.normal(size=(factors, words)),
        on,
        generator.dirichlet(np.ones(words)),
        generator.integers(0, 200, words).astype(float),
        generator.random(factors),
    )


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


@pytest.mark.parametrize("name", ["evidence", "exclusive"])
def test_a_constant_added_to_a_factor_changes_nothing(name):
    """softmax(b + W z) does not know it, so neither must what is read off W."""
    factors = some_factors()
    moved = factors._replace(loadings=factors.loadings + np.array([[0.0], [3.0], [-70.0]]))
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
    assert len(np.unique(top_columns(scores, int(fewest) + 1))) <= 4 * (fewest + 1)


def test_every_ranking_is_offered_and_tested():
    assert sorted(RANKINGS) == sorted([*DEFINITIONS, "exclusive"])


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
