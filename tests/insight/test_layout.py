"""Factors as points of a plane."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist, jensenshannon

from topicfactors.insight.layout import SIDES, jensen_shannon, label_sides, misfit, plane


@pytest.fixture
def words():
    return np.random.default_rng(0).dirichlet(np.full(30, 0.2), 6)


def test_distances_are_those_of_scipy(words):
    found = jensen_shannon(words)
    for one, two in [(0, 1), (2, 5), (4, 3)]:
        assert found[one, two] == pytest.approx(jensenshannon(words[one], words[two]))
    assert np.array_equal(found, found.T)


def test_ends_of_the_scale():
    found = jensen_shannon(np.array([[2.0, 0, 0], [2, 0, 0], [0, 1, 1]]))  # rows need no sum
    assert found[0, 1] == 0
    assert found[0, 2] == pytest.approx(np.sqrt(np.log(2)))


def test_distances_of_a_plane_come_back():
    points = np.random.default_rng(0).normal(size=(8, 2))
    distances = cdist(points, points)
    found = plane(distances)
    assert np.allclose(cdist(found, found), distances, atol=1e-6)
    assert misfit(distances, found) < 1e-6


def test_least_squares_are_better_than_the_classical_solution(words):
    distances = jensen_shannon(words)
    centring = np.eye(6) - 1 / 6
    values, axes = np.linalg.eigh(-0.5 * centring @ distances**2 @ centring)
    classical = axes[:, -2:] * np.sqrt(values[-2:])
    assert misfit(distances, plane(distances)) < misfit(distances, classical)


def test_the_order_of_the_factors_does_not_turn_the_map(words):
    order = np.array([3, 1, 5, 0, 2, 4])
    found = plane(jensen_shannon(words))
    again = plane(jensen_shannon(words[order]))
    assert np.allclose(again, found[order], atol=1e-5)
    assert np.ptp(found[:, 0]) >= np.ptp(found[:, 1]) * 0.9


@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_same_words_are_one_point(size):
    distances = jensen_shannon(np.full((size, 4), 0.25))
    assert np.allclose(plane(distances), 0)
    assert misfit(distances, plane(distances)) == 0


def test_labels_do_not_cover_each_other():
    points = np.array([[100.0, 100], [100, 130], [300, 300]])
    radii, sizes = np.full(3, 10.0), np.array([[60.0, 16]] * 3)
    frame = np.array([[0.0, 0], [400, 400]])
    assert label_sides(points, radii, sizes, frame) == [SIDES[0]] * 3
    beside = np.array([[100.0, 100], [140, 100]])
    assert label_sides(beside, radii[:2], sizes[:2], frame) == ["middle left", "middle right"]


def test_a_label_without_room_is_left_out():
    frame = np.array([[0.0, 0], [30, 30]])
    sizes = np.array([[200.0, 16]])
    assert label_sides(np.array([[15.0, 15]]), np.ones(1), sizes, frame) == [None]
