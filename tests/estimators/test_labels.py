"""Labels as people give them: what is unseen, and what is no class."""

import numpy as np
import pytest

from topicfactors import InputError
from topicfactors.estimators.labels import read_labels


@pytest.mark.parametrize("gap", [None, float("nan"), np.float32("nan"), -1, -1.0])
@pytest.mark.parametrize("shape", [list, lambda y: np.array(y, dtype=object)])
def test_gaps_among_strings_are_unseen(gap, shape):
    found = read_labels(shape(["a", gap, "b", "a"]), 4)
    assert found.classes.tolist() == ["a", "b"]
    assert found.codes.tolist() == [0, -1, 1, 0]


@pytest.mark.parametrize("y", [["a", "b", 3], np.array(["a", "b", 3], dtype=object)])
def test_strings_and_numbers_do_not_mix(y):
    with pytest.raises(InputError, match="mixes labels of the types int, str"):
        read_labels(y, 3)


@pytest.mark.parametrize("y", [[3, -1, 5], [3.0, float("nan"), 5.0], [3, None, 5]])
def test_numbers_stay_numbers(y):
    found = read_labels(y, 3)
    assert found.classes.tolist() == [3, 5]
    assert found.codes.tolist() == [0, -1, 1]


def test_whole_numbers_of_pandas_stay_whole():
    pandas = pytest.importorskip("pandas")
    found = read_labels(pandas.Series([3, None, 5], dtype="Int64"), 3)
    assert found.classes.dtype.kind == "i"
    assert found.codes.tolist() == [0, -1, 1]


@pytest.mark.parametrize("kind", ["datetime64[D]", object])
def test_dates_are_no_classes(kind):
    y = np.array(["1800-01-01", "1801-01-01", "NaT"], dtype="datetime64[D]").astype(kind)
    with pytest.raises(InputError, match="y has dates, got 1800-01-01; expected"):
        read_labels(y, 3)


def test_fractions_are_no_classes():
    with pytest.raises(ValueError, match="continuous"):
        read_labels(np.array([0.5, 1.7, None], dtype=object), 3)
