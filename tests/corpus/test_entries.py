"""Entries become counts, or the first that cannot is named."""

import numpy as np
import pytest
import scipy.sparse

from topicfactors.corpus.entries import counts_of
from topicfactors.errors import InputError


def entries(values, rows, columns, shape=(3, 3)):
    return scipy.sparse.coo_matrix((values, (rows, columns)), shape=shape)


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([1.0, 2.0], np.int32),
        ([True, True], np.int32),
        ([1.5, 2.0], np.float32),
        ([3e9, 1.0], np.float32),
        (np.array([1, 2], np.uint8), np.int32),
    ],
)
def test_whole_counts_are_int32_and_others_float32(values, dtype):
    assert counts_of(entries(values, [0, 1], [0, 1]), "t", None).dtype == dtype


def test_entries_of_one_place_are_summed_and_zeros_left_out():
    counts = counts_of(entries([1, 2, 0], [2, 2, 0], [1, 1, 0]), "t", ["a", "b", "c"])
    assert counts.toarray().tolist() == [[0, 0, 0], [0, 0, 0], [0, 3, 0]]
    assert (counts.nnz, counts.feature_names.tolist()) == (1, ["a", "b", "c"])


@pytest.mark.parametrize("wrong", [-1, np.nan, np.inf, -np.inf, 1e300])
def test_the_first_count_that_is_none_is_named(wrong):
    table = entries([1.0, wrong, wrong], [0, 1, 2], [2, 1, 0])
    with pytest.raises(InputError, match=r"^t: row 1, column 1: \S+ is no count; counts are"):
        counts_of(table, "t", None)
    with pytest.raises(InputError, match=r"^t: row 1 \(id y\), column 1 \(word 'b'\): \S+ is no"):
        counts_of(table, "t", ["a", "b", "c"], ["x", "y", "z"])


def test_a_negative_count_is_not_hidden_by_a_sum():
    with pytest.raises(InputError, match="row 0, column 0: -1 is no count"):
        counts_of(entries([2.0, -1.0], [0, 0], [0, 0]), "t", None)
