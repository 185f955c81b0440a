"""The same answers on a GPU; skipped, and said so, where there is none."""

import numpy as np
import pytest
import torch

from topicfactors import BinaryFactorModel
from topicfactors.corpus.counts import Counts
from topicfactors.inference.noise import document_keys, document_noise
from topicfactors.model.logits import Logits

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")


@pytest.fixture
def counts():
    return np.random.default_rng(0).poisson(0.4, (300, 60)).astype(np.float32)


def test_sparse_products_and_their_derivatives(counts):
    table = torch.randn(60, 7)
    results = []
    for device in ("cpu", "cuda"):
        leaf = table.to(device).requires_grad_()
        product = Counts.from_scipy(counts, device).select(torch.arange(100, device=device)) @ leaf
        product.square().sum().backward()
        results.append((product.detach().cpu(), leaf.grad.cpu()))
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-3)


def test_reductions():
    parts = [torch.randn(3, 50, 8), torch.randn(900, 8), torch.randn(900)]
    on_cpu = Logits(*parts).logsumexp()
    on_gpu = Logits(*(part.cuda() for part in parts)).logsumexp()
    torch.testing.assert_close(on_gpu.cpu(), on_cpu, rtol=1e-3, atol=1e-3)


def test_noise_of_a_document_is_the_same(counts):
    one, other = (
        document_noise(document_keys(Counts.from_scipy(counts, device)), 3, 5).cpu()
        for device in ("cpu", "cuda")
    )
    assert torch.equal(one, other)


@pytest.mark.parametrize(
    "inference", ["gumbel-softmax", "local-expectation", "nvil", "exact", "truncated"]
)
def test_a_model_fitted_there_scores_the_same_here(counts, inference, tmp_path):
    from topicfactors import load, save

    model = BinaryFactorModel(4, inference=inference, device="cuda", random_state=0, max_iter=5)
    model.fit(counts)
    save(model, tmp_path / "model")
    here = load(tmp_path / "model")
    np.testing.assert_allclose(here.transform(counts), model.transform(counts), atol=2e-3)
    assert here.score(counts) == pytest.approx(model.score(counts), rel=1e-3)
