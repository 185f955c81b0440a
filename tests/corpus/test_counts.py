"""Counts @ table and its gradient against the dense product."""

import numpy as np
import pytest
import scipy.sparse
import torch

from topicfactors.corpus.counts import Counts

EMPTY = [2, 7, 11]


def dense_counts(documents=12, words=9, seed=0):
    rng = np.random.default_rng(seed)
    dense = rng.poisson(0.7, (documents, words)).astype(np.float32)
    dense[[row for row in EMPTY if row < documents]] = 0
    dense[:, 4] = 0
    return dense


@pytest.fixture
def dense():
    return dense_counts()


@pytest.fixture
def counts(dense):
    return Counts.from_scipy(scipy.sparse.csr_matrix(dense))


def to_dense(counts):
    return (counts @ torch.eye(counts.words, dtype=torch.float64)).numpy()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("method", ["__matmul__", "_gathered"])
def test_the_product_and_its_gradient_are_those_of_the_dense_matrix(dense, counts, dtype, method):
    torch.manual_seed(0)
    table = torch.randn(9, 5, dtype=dtype, requires_grad=True)
    weights = torch.randn(12, 5, dtype=dtype)
    product = getattr(counts, method)(table)
    expected = torch.from_numpy(dense).to(dtype) @ table
    assert product.dtype == dtype
    torch.testing.assert_close(product, expected)
    (gradient,) = torch.autograd.grad((product * weights).sum(), table)
    (reference,) = torch.autograd.grad((expected * weights).sum(), table)
    torch.testing.assert_close(gradient, reference)
    assert bool((product[EMPTY] == 0).all())


def test_gradcheck(counts):
    table = torch.randn(9, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda values: counts @ values, (table,))


def test_a_gradient_that_is_not_contiguous(dense, counts):
    table = torch.randn(9, 4, requires_grad=True)
    (counts @ table).t().square().sum().backward()
    other = table.detach().clone().requires_grad_()
    (torch.from_numpy(dense) @ other).square().sum().backward()
    torch.testing.assert_close(table.grad, other.grad)


def test_real_values_explicit_zeros_and_duplicates():
    matrix = scipy.sparse.coo_matrix(([1.5, 2.0, 0.0, 1.0], ([0, 0, 1, 1], [1, 1, 0, 2])), (2, 3))
    counts = Counts.from_scipy(matrix)
    assert to_dense(counts).tolist() == [[0, 3.5, 0], [0, 0, 1]]
    assert counts.indices.shape == (2,)


def test_from_scipy_leaves_its_argument_alone():
    matrix = scipy.sparse.csr_matrix(([0.0, 1.0], [0, 1], [0, 2]), shape=(1, 2))
    Counts.from_scipy(matrix)
    assert matrix.nnz == 2


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "lil"])
def test_every_sparse_format(dense, kind):
    counts = Counts.from_scipy(scipy.sparse.csr_matrix(dense).asformat(kind))
    assert np.array_equal(to_dense(counts), dense)


def test_lengths_documents_and_sums(dense, counts):
    assert len(counts) == 12
    assert counts.lengths.tolist() == dense.sum(1).tolist()
    assert counts.documents.tolist() == np.nonzero(dense)[0].tolist()
    terms = torch.randn(2, 3, counts.indices.shape[0])
    sums = counts.sum_by_document(terms)
    assert sums.shape == (2, 3, 12)
    for row in range(12):
        torch.testing.assert_close(
            sums[..., row], terms[..., counts.documents == row].sum(-1), atol=1e-5, rtol=1e-5
        )


@pytest.mark.parametrize("rows", [[0, 1, 2], [11, 0, 5], [2], [3, 3, 7], list(range(12)), []])
def test_select_takes_documents_in_any_order(dense, counts, rows):
    chosen = counts.select(torch.tensor(rows, dtype=torch.int64))
    assert len(chosen) == len(rows)
    assert np.array_equal(to_dense(chosen), dense[rows])
    assert chosen.lengths.tolist() == dense[rows].sum(1).tolist()
    table = torch.randn(9, 2, requires_grad=True)
    (chosen @ table).sum().backward()
    expected = np.repeat(dense[rows].sum(0)[:, None], 2, 1)
    torch.testing.assert_close(table.grad, torch.from_numpy(expected))


def test_other_values_on_the_same_words(dense, counts):
    doubled = counts.with_values(counts.values * 2)
    assert np.array_equal(to_dense(doubled), 2 * dense)
    assert np.array_equal(to_dense(counts), dense)


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3)])
def test_sums_and_their_derivatives(counts, shape):
    terms = torch.randn(*shape, counts.indices.shape[0], dtype=torch.float64, requires_grad=True)
    plain = torch.zeros(*shape, 12, dtype=torch.float64).index_add(-1, counts.documents, terms)
    torch.testing.assert_close(counts.sum_by_document(terms), plain)
    (found,) = torch.autograd.grad(counts.sum_by_document(terms).square().sum(), terms)
    (expected,) = torch.autograd.grad(plain.square().sum(), terms)
    torch.testing.assert_close(found, expected)


def test_sums_of_whole_numbers_wrap(counts):
    terms = torch.full_like(counts.documents, 2**62)
    each = counts.offsets.diff().long()
    assert torch.equal(counts.sum_by_document(terms), each * 2**62)


def test_counts_with_other_values_share_what_follows_from_their_places(dense, counts):
    doubled = counts.with_values(counts.values * 2)
    again = doubled.with_values(doubled.values + 1)
    assert again.documents is doubled.documents is counts.documents
    table = torch.randn(12, 3)
    expected = torch.from_numpy(2 * dense).t() @ table
    torch.testing.assert_close(doubled.transposed_product(table), expected)
    torch.testing.assert_close(
        again.transposed_product(table),
        expected + (torch.from_numpy((dense > 0).astype(np.float32)).t() @ table),
    )


def test_empty_counts_with_other_values():
    counts = Counts.from_scipy(scipy.sparse.csr_matrix((0, 4)))
    other = counts.with_values(counts.values)
    assert other.alike is counts
    assert (other @ torch.ones(4, 2)).shape == (0, 2)


def test_to_a_device(dense, counts):
    moved = counts.to("cpu")
    assert np.array_equal(to_dense(moved), dense)
    assert moved.values.device.type == "cpu"


def test_documents_without_any_words():
    counts = Counts.from_scipy(scipy.sparse.csr_matrix((3, 4)))
    table = torch.ones(4, 2, requires_grad=True)
    (counts @ table).sum().backward()
    assert counts.lengths.tolist() == [0, 0, 0]
    assert table.grad.abs().sum() == 0


def test_no_dense_matrix_is_made():
    documents, words = 20_000, 3_000_000  # 240 GB if it were
    rng = np.random.default_rng(0)
    places = (rng.integers(documents, size=50_000), rng.integers(words, size=50_000))
    counts = Counts.from_scipy(
        scipy.sparse.coo_matrix((np.ones(50_000), places), (documents, words)).tocsr()
    )
    table = torch.ones(words, 1, requires_grad=True)
    product = counts @ table
    product.sum().backward()
    assert float(product.detach().sum()) == 50_000
    assert float(table.grad.sum()) == 50_000
