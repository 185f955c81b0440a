"""Counts that remember which word each column is."""

import copy
import pickle

import numpy as np
import pytest
import scipy.sparse
from sklearn.model_selection import train_test_split

from topicfactors import CountsMatrix

WORDS = ["steam", "engine", "clock"]


@pytest.fixture
def counts():
    return CountsMatrix([[1, 0, 2], [0, 3, 0], [4, 0, 5]], feature_names=WORDS)


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c[1:],
        lambda c: c[0],
        lambda c: c[[2, 0]],
        lambda c: c[np.array([True, False, True])],
        lambda c: c[np.array([1])],
        lambda c: c[1:, :],
        lambda c: c[np.array([1]), ...],
        lambda c: c[:0],
        lambda c: c.copy(),
        lambda c: c.astype(np.float32),
        lambda c: c.astype(np.int64, copy=True),
        lambda c: copy.deepcopy(c),
        lambda c: pickle.loads(pickle.dumps(c)),
        lambda c: train_test_split(c, random_state=0)[0],
    ],
)
def test_rows_copies_and_types_keep_the_names(counts, change):
    changed = change(counts)
    assert isinstance(changed, CountsMatrix)
    assert changed.feature_names.tolist() == WORDS


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c[:, 1:],
        lambda c: c[:, [2, 1, 0]],
        lambda c: c[1:, np.array([0, 2])],
        lambda c: c.T,
        lambda c: c @ scipy.sparse.eye(3, format="csr"),
    ],
)
def test_what_changes_the_columns_drops_the_names(counts, change):
    assert getattr(change(counts), "feature_names", None) is None


def test_values_are_those_of_scipy(counts):
    plain = scipy.sparse.csr_matrix(counts.toarray())
    assert counts[0, 2] == 2
    assert (counts[[2, 0]] != plain[[2, 0]]).nnz == 0
    assert (counts.astype(float) != plain).nnz == 0
    assert counts.sum() == plain.sum()


def test_a_copy_does_not_share_its_counts(counts):
    other = counts.copy()
    other[0, 0] = 9
    assert counts[0, 0] == 1


def test_without_names_there_are_none():
    assert CountsMatrix((2, 3)).feature_names is None
