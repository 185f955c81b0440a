"""Bags of words: known by sight, and counted whole."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from gensim.corpora import Dictionary, MmCorpus
from gensim.matutils import Sparse2Corpus
from gensim.models import TfidfModel
from hypothesis import given, settings
from hypothesis import strategies as st

from topicfactors.corpus.bags import from_bags, is_bag_stream
from topicfactors.errors import InputError

BAGS = [[(0, 2), (2, 1)], [], [(1, 3), (3, 1)]]
TABLE = [[2, 0, 1, 0], [0, 0, 0, 0], [0, 3, 0, 1]]


class Stream:
    """A corpus that is read anew each time, as users of gensim write them."""

    def __iter__(self):
        return iter(BAGS)


def mm_corpus(tmp_path):
    MmCorpus.serialize(str(tmp_path / "t.mm"), BAGS)
    return MmCorpus(str(tmp_path / "t.mm"))


@pytest.mark.parametrize(
    "X",
    [
        BAGS,
        tuple(BAGS),
        [tuple(bag) for bag in BAGS[:1]],
        [[], []],
        [[(np.int64(3), np.float32(1.5))]],
        Stream(),
        Sparse2Corpus(scipy.sparse.csc_matrix(TABLE), documents_columns=False),
        TfidfModel(BAGS)[BAGS],
    ],
)
def test_bags_are_known_by_sight(X):
    assert is_bag_stream(X)


@pytest.mark.parametrize(
    "X",
    [
        [],
        (bag for bag in BAGS),
        iter(BAGS),
        np.array([[(0, 1), (1, 2)]]),
        scipy.sparse.csr_matrix(TABLE),
        pd.DataFrame(TABLE),
        pd.Series(BAGS),
        TABLE,
        [(0, 1), (2, 3)],
        [[0, 1], [2, 3]],
        [[[0, 1], [2, 3]]],
        [[(0.0, 1)]],
        [[(0, 1, 2)]],
        [[(0, "one")]],
        [[("steam", 1)]],
        ["steam"],
        [["steam", "time"]],
        "steam",
        b"steam",
        {0: BAGS[0]},
        Dictionary([["steam"]]),
        5,
        None,
    ],
)
def test_other_things_are_no_bags(X):
    assert not is_bag_stream(X)


def test_looking_uses_nothing_up():
    documents = iter(BAGS)
    assert not is_bag_stream(documents)
    assert list(documents) == BAGS


@pytest.mark.parametrize("make", [list, iter, lambda bags: Stream()])
def test_bags_become_counts_with_a_row_for_each_document(make):
    counts = from_bags(make(BAGS))
    assert counts.toarray().tolist() == TABLE
    assert (counts.dtype, counts.feature_names) == (np.int32, None)


def test_a_corpus_of_gensim_with_its_dictionary(tmp_path):
    dictionary = Dictionary([["steam", "time"], ["engine"]])
    counts = from_bags(mm_corpus(tmp_path), id2word=Dictionary([[w] for w in "abcd"]))
    assert counts.toarray().tolist() == TABLE
    assert counts.feature_names.tolist() == ["a", "b", "c", "d"]
    bags = [dictionary.doc2bow(["engine", "steam", "engine", "unknown"])]
    counts = from_bags(bags, id2word=dictionary)
    assert dict(zip(counts.feature_names, counts.toarray()[0], strict=True)) == {
        "engine": 2,
        "steam": 1,
        "time": 0,
    }


def test_the_width_is_given_or_declared_or_that_of_the_highest_id(tmp_path):
    assert from_bags(BAGS, words=9).shape == (3, 9)
    assert from_bags(BAGS[:1]).shape == (1, 3)
    assert from_bags([[]]).shape == (1, 0)
    corpus = mm_corpus(tmp_path)
    corpus.index = None
    corpus.num_terms = 6
    assert from_bags(corpus).shape == (3, 6)


def test_counts_of_one_id_are_summed():
    assert from_bags([[(1, 2), (0, 1), (1, 3)]]).toarray().tolist() == [[1, 5]]


def test_weights_stay_what_they_are():
    counts = from_bags([[(0, 0.5)]])
    assert (counts.dtype, counts.toarray().tolist()) == (np.float32, [[0.5]])


@pytest.mark.parametrize(
    ("bags", "message"),
    [
        ([[(0, 1)], [(4, 1)]], r"list: row 1: word id 4 is outside the vocabulary of 4 words"),
        ([[(-1, 1)]], r"row 0: word id -1 is outside the vocabulary of 4 words \(0 to 3\)"),
        ([[(0, 1)], [(2, -2)]], r"list: row 1, column 2 \(word 'c'\): -2 is no count"),
        ([[(2, float("nan"))]], r"row 0, column 2 \(word 'c'\): nan is no count"),
        ([[(2, float("inf"))]], r"inf is no count"),
        ([[], ["ab"]], r"list: row 1: must be a list of \(word id, count\) pairs"),
        ([[(0, 1)], 5], r"list: row 1: must be a list of"),
        ([[(0, 1)], [(0, 1, 2)]], r"list: row 1: must be a list of"),
        ([[(0.5, 1)]], r"row 0: must be a list of"),
        ([[(2**80, 1)]], r"row 0: must be a list of"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(bags, message):
    with pytest.raises(InputError, match=message) as caught:
        from_bags(bags, id2word=dict(enumerate("abcd")))
    assert "\n" not in str(caught.value)


def test_a_vocabulary_of_another_size_is_refused():
    with pytest.raises(InputError, match="id2word has 4 words, where 5 are expected"):
        from_bags(BAGS, words=5, id2word=dict(enumerate("abcd")))


PAIRS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), max_size=8)


@settings(deadline=None, max_examples=50)
@given(st.lists(PAIRS, max_size=6))
def test_any_bags_are_counted(bags):
    table = np.zeros((len(bags), 6), int)
    for row, bag in enumerate(bags):
        for column, count in bag:
            table[row, column] += count
    assert from_bags(bags, words=6).toarray().tolist() == table.tolist()
