import numpy as np
import scipy.sparse
import torch

from topicfactors.corpus.counts import Counts
from topicfactors.inference.noise import document_keys, document_noise


def keys(matrix):
    return document_keys(Counts.from_scipy(scipy.sparse.csr_matrix(matrix)))


def test_the_noise_of_a_document_is_its_own_wherever_it_stands():
    matrix = np.random.default_rng(0).poisson(0.3, (50, 30)).astype(float)
    whole = document_noise(keys(matrix), 3, 5)
    order = np.random.default_rng(1).permutation(50)
    torch.testing.assert_close(document_noise(keys(matrix[order]), 3, 5), whole[:, order])
    torch.testing.assert_close(document_noise(keys(matrix[7:8]), 3, 5), whole[:, 7:8])


def test_more_samples_begin_with_the_same():
    found = keys(np.eye(4))
    torch.testing.assert_close(document_noise(found, 9, 5)[:2], document_noise(found, 2, 5))


def test_different_documents_have_different_noise():
    base = np.random.default_rng(0).poisson(0.5, (2000, 40)).astype(float)
    base = np.unique(base, axis=0)
    assert len(torch.unique(keys(base))) == len(base)
    assert keys([[1.0, 0.0]]) != keys([[2.0, 0.0]])
    assert keys([[1.0, 0.0]]) != keys([[0.0, 1.0]])


def test_it_is_uniform_and_uncorrelated():
    noise = document_noise(keys(np.diag(np.arange(1.0, 2001.0))), 20, 10)
    assert float(noise.min()) > 0
    assert float(noise.max()) < 1
    assert abs(float(noise.mean()) - 0.5) < 0.002
    assert abs(float(noise.var()) - 1 / 12) < 0.001
    rows = noise.permute(1, 0, 2).reshape(2000, -1).numpy()
    correlation = np.corrcoef(rows[:, :40].T) - np.eye(40)
    assert np.abs(correlation).max() < 0.12
    counts = np.histogram(noise.numpy(), 20, (0, 1))[0]
    expected = noise.numel() / 20
    assert ((counts - expected) ** 2 / expected).sum() < 50
