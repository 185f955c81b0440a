"""Blocks of counts, words, labels and columns in whatever form they are given."""

import numpy as np
import pytest
import scipy.sparse

from topicfactors.corpus.store import CountsStore, StoreWriter
from topicfactors.errors import InputError


@pytest.fixture
def written(tmp_path):
    """A store of one block, opened and read whole."""

    def write(counts, *, words=None, **known):
        with StoreWriter(tmp_path / "store", words=words) as writer:
            writer.add(counts, **known)
        store = CountsStore(tmp_path / "store")
        store.verify()
        return store

    return write


def test_labels_are_texts_or_nothing(written):
    store = written(np.eye(3), labels=np.array([1, np.nan, 0.5], dtype=object))
    assert store.labels(0) == ["1", None, "0.5"]


def test_columns_may_be_arrays(written):
    store = written(np.eye(2), columns={"year": np.array([1800, 1801])}, ids=np.array([7, 8]))
    assert (store.columns(0), store.ids(0)) == ({"year": [1800, 1801]}, ["7", "8"])


def test_halves_of_surrogate_pairs_are_replaced(written):
    half = "\ud83d"
    store = written(np.eye(1), words=[half], ids=[half], labels=[half], columns={half: [half]})
    found = "\N{REPLACEMENT CHARACTER}"
    assert (store.ids(0), store.labels(0), store.columns(0)) == ([found], [found], {found: [found]})
    assert store.feature_names.tolist() == [found]


def test_words_that_are_numbers_are_the_same_in_every_block(written):
    class Numbered(scipy.sparse.csr_matrix):
        feature_names = np.array([10, 20])

    assert written(Numbered(np.eye(2))).feature_names.tolist() == ["10", "20"]


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ([["a"]], "from row 0: must be counts"),
        (np.array([[1, None]], dtype=object), "from row 0: must be counts"),
        (np.eye(2) * 1j, "must be counts .* got complex128"),
        ([[0.5, 1e-60]], "row 0: 1e-60 is no count"),
        ([[0.5], [1e60]], r"row 1: 1e\+60 is no count"),
        ([[5.0], [1e60]], r"row 1: 1e\+60 is no count"),
    ],
)
def test_what_no_store_can_hold(written, counts, said):
    with pytest.raises(InputError, match=said):
        written(counts)


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({"words": ["steam", "steam"]}, "'steam' comes twice"),
        ({"labels": 5}, "labels: must be a list, one for each document, got a int"),
        ({"labels": "ab"}, "labels: must be a list"),
        ({"ids": ["a"]}, "ids: 1 for 2 documents"),
        ({"columns": {"year": [1]}}, "year: 1 for 2 documents"),
    ],
)
def test_what_does_not_fit(written, known, said):
    with pytest.raises(InputError, match=said):
        written(np.eye(2), **known)
