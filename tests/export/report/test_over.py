import numpy as np

from topicfactors.export.report.over import BINS, over


def test_means_and_standard_errors_of_labels():
    found = np.array([[0.0], [1.0], [1.0], [0.5]])
    (view,) = over(found, ["a", "a", "b", None], {})
    assert view["bins"] == ["a", "b"]
    assert view["means"] == [[0.5, 1.0]]
    assert view["errors"] == [[0.5, 0.0]]  # of 0 and 1: deviation 0.71, by √2
    assert view["documents"] == [2, 1]
    assert view["unknown"] == 1


def test_many_numbers_are_put_into_intervals_and_none_is_lost():
    numbers = np.linspace(1600, 1900, 301)
    (view,) = over(numbers[:, None] / 2000, None, {"year": numbers})
    assert view["numeric"]
    assert len(view["bins"]) == BINS
    assert sum(view["documents"]) == 301
    np.testing.assert_allclose(view["means"][0], np.array(view["bins"]) / 2000, atol=1e-3)


def test_few_numbers_are_bins_of_their_own_and_gaps_are_counted():
    (view,) = over(np.ones((4, 1)), None, {"year": ["1700", "1712", None, "1712"]})
    assert (view["bins"], view["documents"], view["unknown"]) == ([1700.0, 1712.0], [1, 2], 1)


def test_what_tells_nothing_apart_is_left_out():
    assert over(np.ones((2, 1)), ["a", "a"], {"year": [1, 1], "empty": [None, None]}) == []
