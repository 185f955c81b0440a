"""The corpus is never dense."""

import tracemalloc

import numpy as np
import pytest
import scipy.sparse
import torch

from tests.estimators.planted import model
from topicfactors.model.likelihoods import LIKELIHOODS

DOCUMENTS, WORDS = 2000, 6000


@pytest.fixture(scope="module")
def wide():
    return scipy.sparse.random(
        DOCUMENTS, WORDS, density=0.005, format="csr", random_state=0, data_rvs=np.ones
    )


@pytest.fixture
def no_dense_corpus(monkeypatch):
    """Whatever asks for a dense array as large as the corpus fails."""

    def guard(owner, name):
        original = getattr(owner, name)

        def guarded(self, *args, **options):
            assert np.prod(tuple(self.shape)) < DOCUMENTS * WORDS, f"{name} of {self.shape}"
            return original(self, *args, **options)

        monkeypatch.setattr(owner, name, guarded)

    for kind in (scipy.sparse.csr_matrix, scipy.sparse.csc_matrix, scipy.sparse.coo_matrix):
        guard(kind, "toarray")
        guard(kind, "todense")
    guard(torch.Tensor, "to_dense")


@pytest.mark.usefixtures("no_dense_corpus")
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("inference", ["exact", "gumbel-softmax", "local-expectation", "truncated"])
def test_nothing_makes_the_corpus_dense(inference, likelihood, wide):
    fitted = model(3, inference=inference, likelihood=likelihood, max_iter=1)
    tracemalloc.start()
    fitted.fit(wide)
    fitted.partial_fit(wide)
    fitted.transform(wide)
    fitted.score_samples(wide, samples=2)
    fitted.evaluate(wide, samples=2)
    fitted.coherence(wide)
    fitted.completion_perplexity(wide, wide, samples=2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < DOCUMENTS * WORDS * 4 / 2  # half of float32


def test_the_guard_guards(no_dense_corpus, wide):
    with pytest.raises(AssertionError, match="toarray"):
        wide.toarray()
