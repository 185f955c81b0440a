"""From a batch to a loss, and what the parameters alone add."""

import numpy as np
import pytest
import torch

from tests.training.objectives import counts, objective
from topicfactors.training.batches import in_order


def test_the_penalty_is_the_mean_squared_distance_of_the_cosines_from_the_identity():
    made = objective(overlap_penalty=0.7)
    weights = made.joint.decoder.raw.detach().numpy().astype(float)
    unit = weights / np.linalg.norm(weights, axis=0)
    by_hand = 0.7 * ((unit.T @ unit - np.eye(3)) ** 2).mean()
    assert float(made.penalty().detach()) == pytest.approx(by_hand, rel=1e-5)


def test_no_penalty_is_no_work():
    made = objective()
    assert float(made.penalty()) == 0
    assert not made.penalty().requires_grad


def test_the_penalty_pushes_equal_factors_apart():
    made = objective(overlap_penalty=1.0)
    decoder = made.joint.decoder
    decoder.raw.data[:, 1] = decoder.raw.data[:, 0] + 0.01 * torch.randn(40)
    before = float(made.penalty().detach())
    made.penalty().backward()
    decoder.raw.data -= 0.5 * decoder.raw.grad
    assert float(made.penalty().detach()) < before


@pytest.mark.parametrize("decoder", ["log-linear", "log-linear:nonnegative=true", "mlp"])
def test_the_penalty_is_finite_for_a_factor_without_loadings(decoder):
    made = objective(overlap_penalty=1.0, decoder=decoder)
    for parameter in made.joint.decoder.parameters():
        parameter.data.zero_()
    made.penalty().backward()
    grads = [p.grad for p in made.joint.decoder.parameters() if p.grad is not None]
    assert all(bool(torch.isfinite(grad).all()) for grad in grads)


@pytest.mark.parametrize("inference", ["exact", "gumbel-softmax", "nvil"])
def test_loss_and_bound_have_a_number_for_every_document(inference):
    made = objective(inference=inference)
    (batch,) = in_order(counts(17), 17)
    surrogate = made(batch)
    assert surrogate.loss.shape == surrogate.bound.shape == (17,)
    assert surrogate.loss.requires_grad
    assert not surrogate.bound.requires_grad


def test_exact_loss_is_minus_log_p():
    made = objective(inference="exact")
    (batch,) = in_order(counts(9), 9)
    surrogate = made(batch)
    torch.testing.assert_close(-surrogate.loss.detach(), surrogate.bound)
    target, _ = made.condition(batch)
    torch.testing.assert_close(surrogate.bound, target.table().detach().logsumexp(0))
