"""Cells of a column as numbers."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from topicfactors.corpus.cells import numbers_of
from topicfactors.errors import InputError

PLACE = "column 'year', row {}".format


@pytest.mark.parametrize(
    "cells",
    [
        [1712, None, 3],
        ["1712", "", " 3.0 "],
        np.array([1712, np.nan, 3]),
        pd.Series([1712, pd.NA, 3], dtype="Int64"),
        [np.float32(1712), float("nan"), Fraction(3)],
        ["1712", "nan"[:0], "3e0"],
    ],
    ids=["list", "texts", "array", "NA", "mixed", "exponent"],
)
def test_numbers_and_gaps(cells):
    np.testing.assert_array_equal(numbers_of(cells, PLACE), [1712, np.nan, 3])


@pytest.mark.parametrize("cell", ["abc", "1712 AD", "nan", "inf", np.inf, [3], {"a": 1}, 10**400])
def test_what_is_no_number_is_refused_with_its_place(cell):
    with pytest.raises(
        InputError, match=r"column 'year', row 1: .* is no finite number"
    ) as refused:
        numbers_of([1.0, cell], PLACE)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 300


def test_whole_numbers_and_switches():
    assert numbers_of(np.array([1, 2]), PLACE).tolist() == [1.0, 2.0]
    assert numbers_of(np.array([True, False]), PLACE).tolist() == [1.0, 0.0]
    assert numbers_of([True, np.bool_(False)], PLACE).tolist() == [1.0, 0.0]
