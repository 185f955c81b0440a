"""The doors: an autoregressive posterior, a sum over classes and a prior without closed KL.

None of them is part of the package yet. They are driven through the contracts here so that the
estimators need no change when they arrive.
"""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.problems import FACTORS, WORDS, Problem, exact_bound, log_q, make_problem
from topicfactors.bits import all_states
from topicfactors.contracts import Draw, Sizes
from topicfactors.gradients import NVIL, GumbelSoftmax, LocalExpectation, StraightThrough
from topicfactors.inference.posteriors import MeanField, threshold, uniform
from topicfactors.model.decoders import LogLinearDecoder
from topicfactors.model.joint import Joint
from topicfactors.model.likelihoods import LIKELIHOODS, Multinomial
from topicfactors.model.priors import BernoulliPrior

SIZES = Sizes(WORDS, FACTORS, 2)
SCORE = {
    "constant_baseline": False,
    "input_baseline": False,
    "normalise_variance": False,
    "samples": 1,
}


class Autoregressive:
    """Two groups of factors; the second group's logits depend on the values of the first."""

    factorised = False
    reparameterisable = True
    first = 2

    def __init__(self, logits: Tensor, weights: Tensor) -> None:
        self.start, self.weights = logits, weights  # (B, D), (B, first, D - first)
        self.features = torch.ones(len(logits), 2, dtype=logits.dtype)

    def sample(self, samples, relaxation=None, noise=None):
        if noise is None:
            noise = uniform((samples, *self.start.shape), self.start)
        draw = relaxation or threshold
        logits = self.start.expand_as(noise)
        head_bits, head = draw(logits[..., : self.first], noise[..., : self.first])
        shifted = logits[..., self.first :] + (head[..., None] * self.weights).sum(-2)
        tail_bits, tail = draw(shifted, noise[..., self.first :])
        return Draw(
            torch.cat([head_bits, tail_bits], -1),
            torch.cat([head, tail], -1),
            torch.cat([logits[..., : self.first], shifted], -1),
            noise,
        )

    def log_prob(self, draw):
        """log q of the values drawn, under these parameters (not those of the draw)."""
        head = draw.values[..., : self.first]
        shifted = self.start[..., self.first :] + (head[..., None] * self.weights).sum(-2)
        logits = torch.cat([self.start[..., : self.first].expand_as(head), shifted], -1)
        return (draw.values * logits - functional.softplus(logits)).sum(-1)

    def mean(self):
        return self.sample(100).bits.mean(0)

    def detach(self):
        return Autoregressive(self.start.detach(), self.weights.detach())


class CoupledPrior(nn.Module):
    """log p(z) = aᵀz + J z_0 z_1 − log Z: no closed KL, a partition function to know."""

    normalised = False

    def __init__(self, dtype=torch.float64) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.linspace(-1, 1, FACTORS, dtype=dtype))
        self.j = nn.Parameter(torch.tensor(1.5, dtype=dtype))

    def energy(self, z):
        return z @ self.a + self.j * z[..., 0] * z[..., 1]

    def log_partition(self):
        return self.energy(all_states(FACTORS).to(self.a.dtype)).logsumexp(0)

    def log_prob(self, z):
        return self.energy(z) - self.log_partition()

    def log_odds(self, z):
        odds = self.a.expand_as(z).clone()
        odds[..., 0] += self.j * z[..., 1]
        odds[..., 1] += self.j * z[..., 0]
        return odds

    def kl(self, q):
        return None

    def condition(self, covariates):
        return self

    def sample(self, samples, documents):
        states = all_states(FACTORS).to(self.a.dtype)
        chosen = torch.multinomial(self.log_prob(states).exp(), samples * documents, True)
        return states[chosen].view(samples, documents, -1)

    def probabilities(self):
        states = all_states(FACTORS).to(self.a.dtype)
        return self.log_prob(states).exp() @ states


def within(drawn: Tensor, exact: Tensor, errors: float = 4.5) -> bool:
    error = drawn.std(0) / math.sqrt(len(drawn))
    return bool(((drawn.mean(0) - exact).abs() <= errors * error + 1e-9).all())


def autoregressive(problem: Problem, copies: int) -> Autoregressive:
    weights = torch.tensor([[1.0, -2.0, 0.5], [0.7, 1.2, -1.0]], dtype=torch.float64)
    start = problem.logits.expand(copies, -1).clone().requires_grad_()
    return Autoregressive(start, weights.expand(copies, -1, -1).clone().requires_grad_())


def test_nvil_is_unbiased_for_an_autoregressive_posterior():
    problem = make_problem()
    one = autoregressive(problem, 1)
    states = problem.states()[:, None, :]
    draw = Draw(states, states, states, states)
    target = problem.joint.condition(problem.batch())
    weights = one.log_prob(draw)[:, 0]
    joint = (target.log_likelihood(states) + target.log_prior(states))[:, 0]
    bound = (weights.exp() * (joint - weights)).sum()
    assert weights.logsumexp(0).item() == pytest.approx(0.0, abs=1e-12)
    exact = torch.autograd.grad(-bound, [one.start, one.weights])
    torch.manual_seed(0)
    q = autoregressive(problem, 200_000)
    target = problem.joint.condition(problem.batch(200_000))
    loss = NVIL(SIZES, **SCORE).eval()(target, q, 1.0).loss
    for drawn, value in zip(
        torch.autograd.grad(loss.sum(), [q.start, q.weights]), exact, strict=True
    ):
        assert within(drawn, value[0])


@pytest.mark.parametrize("gradient", [GumbelSoftmax(SIZES), StraightThrough(SIZES)], ids=str)
def test_relaxations_differentiate_through_the_groups(gradient):
    problem = make_problem()
    q = autoregressive(problem, 500)
    target = problem.joint.condition(problem.batch(500))
    surrogate = gradient(target, q, 1.0)
    start, weights = torch.autograd.grad(surrogate.loss.sum(), [q.start, q.weights])
    assert torch.isfinite(surrogate.bound).all()
    assert bool((start.abs().mean(0) > 0).all())
    assert bool((weights.abs().mean(0) > 0).all())


@pytest.mark.parametrize("name", ["nvil", "local-expectation"])
@pytest.mark.parametrize("kl_weight", [0.4, 1.0])
def test_a_prior_without_closed_kl_is_sampled_without_bias(name, kl_weight):
    problem = make_problem()
    problem = problem._replace(joint=coupled(problem))
    gradient = NVIL(SIZES, **SCORE).eval() if name == "nvil" else LocalExpectation(SIZES)
    logits = problem.logits.clone().requires_grad_()
    prior = problem.joint.prior
    exact = torch.autograd.grad(
        -exact_bound(problem, logits, kl_weight), [logits, prior.a, prior.j]
    )
    torch.manual_seed(0)
    q = problem.posterior(200_000)
    target = problem.joint.condition(problem.batch(200_000))
    assert target.kl(q) is None
    loss = gradient(target, q, kl_weight).loss
    assert within(torch.autograd.grad(loss.sum(), q.logits, retain_graph=True)[0], exact[0])
    found = torch.autograd.grad(loss.mean(), [prior.a, prior.j])
    torch.testing.assert_close(found[0], exact[1], atol=5e-3, rtol=0)
    torch.testing.assert_close(found[1], exact[2], atol=5e-3, rtol=0)


def coupled(problem: Problem) -> Joint:
    old = problem.joint
    return Joint(old.sizes, CoupledPrior(), old.decoder, old.likelihood)


def test_a_prior_without_closed_kl_gives_an_unbiased_bound():
    problem = make_problem()
    problem = problem._replace(joint=coupled(problem))
    torch.manual_seed(0)
    q = problem.posterior(100_000)
    bound = NVIL(SIZES, **SCORE).eval()(problem.joint.condition(problem.batch(100_000)), q, 0.5)
    assert within(bound.bound[:, None], exact_bound(problem, problem.logits))


def _reading(classes):
    """A decoder of the factors and so many classes."""
    return LogLinearDecoder(SIZES._replace(factors=SIZES.factors + classes))


class ClassSum:
    """Σ_y r_y [bound(x, y) + log p(y) − log r_y]: K targets of one batch, each document K times."""

    def __init__(self, joint: Joint, classes: int, gradient: nn.Module) -> None:
        self.joint, self.classes, self.gradient = joint, classes, gradient

    def loss(self, batch, posterior, log_prior_y, log_r):
        parts = []
        for label in range(self.classes):
            labels = torch.full((len(batch.rows),), label)
            target = self.joint.condition(batch, labels)
            surrogate = self.gradient(target, posterior(label), 1.0)
            part = surrogate.loss - log_prior_y[label] + log_r[label]
            parts.append(log_r[label].exp() * part)
        return sum(parts)


def test_a_sum_over_classes_goes_through_condition_and_the_estimators():
    torch.manual_seed(0)
    problem, classes, copies = make_problem(), 2, 100_000
    joint = Joint(SIZES, BernoulliPrior(SIZES), _reading(classes), Multinomial(), classes)
    for parameter in joint.parameters():
        parameter.data = torch.randn(parameter.shape)
    joint = joint.double()
    log_prior_y = torch.tensor([0.3, 0.7], dtype=torch.float64).log()
    log_r = torch.tensor([0.6, 0.4], dtype=torch.float64).log()
    shift = torch.tensor([0.0, 0.8], dtype=torch.float64)

    def enumerated() -> Tensor:
        total, states = 0.0, problem.states()[:, None, :]
        for label in range(classes):
            target = joint.condition(problem.batch(), torch.tensor([label]))
            weights = log_q(problem, problem.logits + shift[label])
            inner = (target.log_likelihood(states) + target.log_prior(states))[:, 0] - weights
            bound = (weights.exp() * inner).sum()
            total = total + log_r[label].exp() * (bound + log_prior_y[label] - log_r[label])
        return total

    parameters = [joint.decoder.raw, joint.prior.logits]
    exact = torch.autograd.grad(-enumerated(), parameters)
    logits = problem.logits.expand(copies, -1)
    model = ClassSum(joint, classes, LocalExpectation(SIZES))
    loss = model.loss(
        problem.batch(copies), lambda label: MeanField(logits + shift[label]), log_prior_y, log_r
    )
    assert loss.mean().item() == pytest.approx(-enumerated().item(), abs=0.05)
    for found, value in zip(torch.autograd.grad(loss.mean(), parameters), exact, strict=True):
        torch.testing.assert_close(found, value, atol=0.03, rtol=0.02)


def test_flips_know_the_class():
    torch.manual_seed(1)
    problem = make_problem()
    joint = Joint(SIZES, BernoulliPrior(SIZES), _reading(3), Multinomial(), 3).double()
    for parameter in joint.parameters():
        parameter.data = torch.randn(parameter.shape, dtype=torch.float64)
    target = joint.condition(problem.batch(4), torch.tensor([0, 1, 2, 1]))
    bits = torch.randint(0, 2, (3, 4, FACTORS)).double()
    flips = target.flips(bits)
    for d in range(FACTORS):
        on, off = bits.clone(), bits.clone()
        on[..., d], off[..., d] = 1, 0
        direct = target.log_likelihood(on) + target.log_prior(on)
        direct = direct - target.log_likelihood(off) - target.log_prior(off)
        torch.testing.assert_close(flips[..., d], direct)


def test_labels_are_asked_for_exactly_when_the_model_has_classes():
    problem = make_problem()
    with pytest.raises(ValueError, match="labels"):
        problem.joint.condition(problem.batch(), torch.tensor([0]))


@pytest.mark.parametrize("likelihood", list(LIKELIHOODS))
def test_a_search_knows_the_class_and_the_covariates(likelihood):
    torch.manual_seed(2)
    problem, sizes = make_problem(), SIZES
    parts = (BernoulliPrior(sizes), _reading(3), LIKELIHOODS[likelihood](), 3, 2)
    joint = Joint(sizes, *parts).double()
    for name, parameter in joint.named_parameters():
        if "concentration" not in name:
            parameter.data = torch.randn(parameter.shape, dtype=torch.float64)
    batch = problem.batch(4)._replace(covariates=torch.randn(4, 2, dtype=torch.float64))
    target = joint.condition(batch, torch.tensor([0, 1, 2, 1]))
    landscape = target.landscape()
    bits = torch.randint(0, 2, (1, 4, FACTORS)).double()
    before = target.log_likelihood(bits) + target.log_prior(bits)
    torch.testing.assert_close(landscape.log_joint(bits), before)
    changes, factors = landscape.best_flips(bits[0], FACTORS)
    for change, factor in zip(changes.t(), factors.t(), strict=True):
        flipped = bits.clone()
        flipped[0, torch.arange(4), factor] = 1 - bits[0, torch.arange(4), factor]
        after = target.log_likelihood(flipped) + target.log_prior(flipped)
        torch.testing.assert_close(change, (after - before)[0])
