"""A document small enough to enumerate, and its exact answers."""

from __future__ import annotations

from typing import NamedTuple

import scipy.sparse
import torch
from torch import Tensor
from torch.nn import functional

from topicfactors.bits import all_states
from topicfactors.contracts import Batch, Sizes
from topicfactors.corpus.counts import Counts
from topicfactors.inference.posteriors import MeanField
from topicfactors.model.decoders import LogLinearDecoder, MLPDecoder
from topicfactors.model.joint import Joint
from topicfactors.model.likelihoods import LIKELIHOODS
from topicfactors.model.priors import BernoulliPrior

FACTORS, WORDS = 5, 8
COUNTS = [[3.0, 0.0, 2.0, 1.0, 0.0, 4.0, 0.0, 1.0]]


class Problem(NamedTuple):
    """One document, one model, one posterior."""

    joint: Joint
    counts: Counts
    logits: Tensor  # (D,) of q

    def batch(self, copies: int = 1) -> Batch:
        rows = torch.zeros(copies, dtype=torch.long)
        return Batch(self.counts.select(rows), None, None, rows)

    def posterior(self, copies: int = 1) -> MeanField:
        """q of every copy, its logits a leaf of their own."""
        logits = self.logits.expand(copies, -1).clone().requires_grad_()
        lengths = torch.full((copies, 1), float(self.counts.lengths[0]), dtype=logits.dtype)
        return MeanField(logits, torch.cat([torch.ones_like(lengths), lengths], 1))

    def states(self) -> Tensor:
        return all_states(FACTORS).to(self.logits.dtype)


def make_problem(
    dtype: torch.dtype = torch.float64,
    decoder: str = "log-linear",
    factors: int = FACTORS,
    likelihood: str = "multinomial",
) -> Problem:
    generator = torch.Generator().manual_seed(3)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    sizes = Sizes(WORDS, factors, 2)
    maps = {"log-linear": LogLinearDecoder, "mlp": MLPDecoder}
    joint = Joint(sizes, BernoulliPrior(sizes), maps[decoder](sizes), LIKELIHOODS[likelihood]())
    for part in (joint.prior, joint.decoder):
        for parameter in part.parameters():
            parameter.data = normal(*parameter.shape)
    if likelihood == "polya":
        joint.likelihood.log_concentration.data.fill_(1.5)
    joint.prior.logits.data -= 0.5
    counts = Counts.from_scipy(scipy.sparse.csr_matrix(COUNTS))
    return Problem(joint.to(dtype), counts, (normal(factors) + 1).to(dtype))


def log_q(problem: Problem, logits: Tensor) -> Tensor:
    """log q of every state, (2^D,)."""
    states = problem.states()[:, : len(logits)]
    return states @ logits - functional.softplus(logits).sum()


def exact_bound(problem: Problem, logits: Tensor, kl_weight: float = 1.0) -> Tensor:
    """The ELBO by summing over all states: a scalar, differentiable in everything."""
    target = problem.joint.condition(problem.batch())
    states = problem.states()[:, None, :]
    likelihood = target.log_likelihood(states)[:, 0]
    prior = target.log_prior(states)[:, 0]
    weights = log_q(problem, logits)
    return (weights.exp() * (likelihood + kl_weight * (prior - weights))).sum()


def exact_gradients(problem: Problem, kl_weight: float = 1.0) -> dict[str, Tensor]:
    """Derivatives of the negative ELBO in q's logits and in every parameter of the model."""
    logits = problem.logits.clone().requires_grad_()
    named = dict(problem.joint.named_parameters())
    wanted = {"logits": logits, **named}
    loss = -exact_bound(problem, logits, kl_weight)
    return dict(zip(wanted, torch.autograd.grad(loss, list(wanted.values())), strict=True))
