"""Columns of what is known of documents, from whatever table has them."""

import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from topicfactors import InputError
from topicfactors.corpus.covariates import (
    columns_in,
    expected_numbers,
    named_levels,
    names_in,
    numbers_in,
    present,
)

FRAME = pd.DataFrame({"year": [1543, 1687, 1712], "field": ["a", "b", "a"]})


@pytest.mark.parametrize(
    "source",
    [
        FRAME,
        FRAME.to_dict("list"),
        pa.table(FRAME),
        FRAME.to_records(index=False),
        {"year": FRAME["year"], "field": FRAME["field"].to_numpy()},
    ],
    ids=lambda source: type(source).__name__,
)
def test_every_kind_of_table_has_its_columns(source):
    found = columns_in(source)
    assert list(found) == ["year", "field"]
    assert list(expected_numbers("year", found["year"])) == [1543, 1687, 1712]
    assert names_in("field", found["field"]).tolist() == ["a", "b", "a"]


def test_columns_without_names_are_numbered_and_a_series_has_one():
    assert list(columns_in(np.zeros((3, 2)))) == ["0", "1"]
    assert list(columns_in([1, 2, 3])) == ["0"]
    assert list(columns_in(FRAME["year"])) == ["year"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("year", "must be a data frame"),
        (7, "must be a data frame"),
        (np.zeros((2, 2, 2)), "must be a data frame"),
        ({"a": [1, 2], "b": [1]}, "'a' has 2, 'b' has 1"),
        ({"a": "1850"}, "column 'a' must have a value for each document"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "two columns have the same name"),
    ],
)
def test_what_is_no_table_is_refused(source, said):
    with pytest.raises(InputError, match=said):
        columns_in(source)


@pytest.mark.parametrize("gap", [None, float("nan"), pd.NA, pd.NaT, "", "  "])
def test_a_gap_is_named_by_its_row_with_the_cure(gap):
    with pytest.raises(InputError, match=r"row 1: 'year' is .*; fill it in or leave"):
        present("year", [1543, gap, 1687])


def test_dates_are_refused():
    dates = np.array([datetime.date(1543, 1, 1)], dtype="datetime64[D]")
    with pytest.raises(InputError, match="'day' holds dates; give numbers"):
        present("day", dates)


def test_numbers_are_what_reads_as_numbers():
    assert numbers_in(["1543", " 7.5 "]).tolist() == [1543, 7.5]
    assert numbers_in(["1543", "MDCL"]) is None
    assert numbers_in([True, False]) is None
    assert numbers_in(["inf"]) is None
    with pytest.raises(InputError, match="row 1: 'year' is 'MDCL'; expected a finite number"):
        expected_numbers("year", ["1543", "MDCL"])
    with pytest.raises(InputError, match="row 0: 'year' is inf"):
        expected_numbers("year", np.array([np.inf, 1.0]))


def test_one_name_is_written_in_several_ways():
    assert set(names_in("decade", [1850, 1850.0, "1850"])) == {"1850"}
    assert names_in("new", [True, np.False_]).tolist() == ["True", "False"]


def test_a_categorical_names_levels_that_do_not_come():
    column = pd.Series(pd.Categorical(["a", "a"], categories=["a", "b"]))
    assert named_levels(column) == ["a", "b"]
    assert named_levels(FRAME["field"]) == []
