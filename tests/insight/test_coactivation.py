"""Which factors come together."""

import numpy as np
import pytest

from topicfactors.insight.coactivation import PSEUDO, clustered, coactivation


def test_counts_are_of_documents():
    q = np.array([[1, 1, 0], [1, 1, 1], [0, 0, 1], [0, 1, 0]], float)
    found = coactivation(q)
    assert found.documents == 4
    assert found.together[0].tolist() == [2, 2, 1]
    assert found.expected[0, 1] == 2 * 3 / 4
    assert found.doublings[0, 1] == pytest.approx(np.log2((2 + PSEUDO) / (1.5 + PSEUDO)))


def test_it_is_symmetric_and_has_no_diagonal():
    found = coactivation(np.random.default_rng(0).random((30, 5)))
    off = ~np.eye(5, dtype=bool)
    assert np.allclose(found.doublings[off], found.doublings.T[off])
    assert np.isnan(found.doublings.diagonal()).all()


def test_independent_factors_are_near_nothing():
    q = (np.random.default_rng(0).random((20_000, 3)) < [0.5, 0.3, 0.2]).astype(float)
    assert np.nanmax(np.abs(coactivation(q).doublings)) < 0.1


def test_twice_as_often_as_by_chance_is_one():
    q = np.repeat(np.array([[1, 1], [0, 0]], float), 5000, axis=0)
    assert coactivation(q).doublings[0, 1] == pytest.approx(1, abs=1e-3)


def test_rare_and_dead_factors_say_little():
    q = np.zeros((1000, 3))
    q[0, 0] = q[1, 1] = 1.0
    found = coactivation(q).doublings
    assert np.isfinite(found[~np.eye(3, dtype=bool)]).all()
    assert np.nanmax(np.abs(found)) < 0.01


def test_what_is_alike_stands_together():
    groups = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2])
    likeness = (groups[:, None] == groups).astype(float)
    np.fill_diagonal(likeness, np.nan)
    ordered = groups[clustered(likeness)]
    assert (np.diff(ordered) != 0).sum() == 2
    assert sorted(clustered(likeness)) == list(range(9))


@pytest.mark.parametrize("size", [0, 1, 2])
def test_few_need_no_order(size):
    assert clustered(np.full((size, size), np.nan)).tolist() == list(range(size))
