"""Every document once an epoch, in an order that the seed decides."""

import numpy as np
import pytest
import scipy.sparse
import torch

from topicfactors.corpus.counts import Counts
from topicfactors.training.batches import Batches, Documents, in_order


def corpus(documents, words=7):
    generator = np.random.default_rng(0)
    matrix = scipy.sparse.csr_matrix(generator.poisson(1.0, (documents, words)).astype(float))
    return Documents(Counts.from_scipy(matrix))


def dense(counts):
    return counts @ torch.eye(counts.words)


@pytest.mark.parametrize(
    ("documents", "size", "sizes"),
    [(10, 5, [5, 5]), (12, 5, [6, 6]), (13, 5, [5, 4, 4]), (3, 256, [3]), (7, 1, [1] * 7)],
)
def test_sizes(documents, size, sizes):
    batches = Batches(corpus(documents), size, 0)
    assert [len(batch.counts) for batch in batches] == sizes
    assert len(batches) == len(sizes)


def test_every_document_comes_once_with_its_row():
    documents = corpus(23)
    whole = dense(documents.counts)
    rows = []
    for batch in Batches(documents, 4, 0):
        torch.testing.assert_close(dense(batch.counts), whole[batch.rows])
        rows += batch.rows.tolist()
    assert sorted(rows) == list(range(23))


def order(batches):
    return [row for batch in batches for row in batch.rows.tolist()]


def test_the_seed_decides_the_order_and_every_epoch_has_its_own():
    first, second, other = (Batches(corpus(40), 8, seed) for seed in (3, 3, 4))
    epochs = [order(first), order(first)]
    assert epochs[0] != epochs[1]
    torch.manual_seed(99)
    assert [order(second), order(second)] == epochs
    assert order(other) != epochs[0]


def test_in_order():
    documents = corpus(10)
    parts = list(in_order(documents, 4))
    assert [part.rows.tolist() for part in parts] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    torch.testing.assert_close(torch.cat([dense(p.counts) for p in parts]), dense(documents.counts))
