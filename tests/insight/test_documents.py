"""Representative documents: neither the longest nor the shortest."""

import numpy as np
import scipy.sparse

from topicfactors.insight.documents import representative

LOG_ODDS = np.array([[1.0, -0.2]])


def listed(rows, probabilities, n=3):
    counts = scipy.sparse.csr_matrix(np.array(rows, dtype=float))
    return representative(counts, np.array(probabilities)[:, None], LOG_ODDS, n)[0]


def test_a_dense_document_of_good_length_comes_first():
    rows = [[1, 0], [40, 5], [50, 400]]  # one word; a good document; a long one, mostly of others
    assert [row for row, _ in listed(rows, [0.99, 0.99, 0.99])] == [1, 0, 2]


def test_documents_in_which_it_is_off_are_not_listed():
    assert listed([[40, 0], [40, 0], [1, 0]], [0.4, 0.9, 0.6]) == [(1, 0.9), (2, 0.6)]


def test_equal_documents_are_listed_in_their_order():
    assert listed([[4, 0]] * 5, [0.9] * 5, n=2) == [(0, 0.9), (1, 0.9)]


def test_an_empty_document_is_no_trouble():
    assert listed([[0, 0]], [0.7]) == [(0, 0.7)]
