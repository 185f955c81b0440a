import numpy as np

from topicfactors.export.report.relations import coactivation, positions, strongest


def test_pairs_that_come_together_are_counted_against_chance():
    found = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1], [0, 0, 1]], float)
    together, expected = coactivation(found)
    assert (together[0, 1], expected[0, 1]) == (2, 1)
    assert (together[0, 2], expected[0, 2]) == (0, 1)


def test_the_strongest_pairs_of_both_ends():
    table = np.array([[0, 5, -7], [5, 0, 1], [-7, 1, 0]], float)
    assert strongest(table) == [(0, 1), (1, 2), (0, 2)]
    assert strongest(table, most=2) == [(0, 1), (0, 2)]


def test_factors_with_like_words_stand_near_each_other():
    words = np.kron(np.eye(3), [[8, 2], [7, 3]]) + 0.1  # three pairs
    places = np.array(positions(words))
    distance = np.linalg.norm(places[:, None] - places, axis=-1)
    np.fill_diagonal(distance, np.inf)
    assert distance.argmin(1).tolist() == [1, 0, 3, 2, 5, 4]
    assert np.abs(places).max() <= 1
