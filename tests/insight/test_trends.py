"""How often factors are on over a covariate."""

import numpy as np
import pytest

from topicfactors.insight.trends import over_levels, over_numbers, variation


def test_every_value_has_its_bin_where_there_are_few():
    values = np.array([1850.0, 1700, 1850, 1700])
    q = np.array([[1, 0], [0, 0], [0, 1], [0, 0]], float)
    found = over_numbers(values, q, 10)
    assert found.places == [1700, 1850]
    assert found.means.tolist() == [[0, 0], [0.5, 0.5]]
    assert found.documents.tolist() == [2, 2]


def test_the_error_is_that_of_a_mean():
    q = np.random.default_rng(0).random((50, 3))
    found = over_numbers(np.ones(50), q, 4)
    assert np.allclose(found.errors[0], q.std(0, ddof=1) / np.sqrt(50))
    assert np.isnan(over_numbers(np.ones(1), q[:1], 4).errors).all()


def test_bins_have_about_as_many_documents():
    values = np.random.default_rng(0).exponential(size=1000)
    found = over_numbers(values, np.ones((1000, 1)), 8)
    assert found.documents.tolist() == [125] * 8
    assert found.places == sorted(found.places)
    assert np.dot(found.places, found.documents) / 1000 == pytest.approx(values.mean())


def test_equal_values_stay_together():
    values = np.array([0.0] * 90 + list(range(1, 11)))
    found = over_numbers(values, np.ones((100, 1)), 5)
    assert found.places[0] == 0
    assert found.documents[0] == 90
    assert found.documents.sum() == 100


def test_levels_keep_their_order_and_none_is_empty():
    found = over_levels(["b", "a", "b"], np.array([[1.0], [0], [0]]), ["c", "b", "a"])
    assert found.places == ["b", "a"]
    assert found.means.ravel().tolist() == [0.5, 0]
    assert found.documents.tolist() == [2, 1]


def test_variation_is_between_the_groups():
    q = np.array([[1, 0.5, 0.2], [1, 0.5, 0.4], [0, 0.5, 0.2], [0, 0.5, 0.4]])
    found = variation(over_levels(list("aabb"), q, ["a", "b"]))
    assert found == pytest.approx([0.5, 0, 0])
