"""Estimators under coupled priors against enumeration, and the KL along a draw by quadrature."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tests.gradients.test_contracts import SCORE, SIZES, Autoregressive, within
from tests.problems import FACTORS, exact_bound, make_problem
from topicfactors.bits import pack
from topicfactors.contracts import Draw
from topicfactors.gradients import (
    DVAE,
    GRADIENTS,
    NVIL,
    Exact,
    GumbelSoftmax,
    LocalExpectation,
    Truncated,
)
from topicfactors.gradients.smoothings import SMOOTHINGS, SpikeAndExponential
from topicfactors.inference.posteriors import threshold, uniform
from topicfactors.inference.search import evaluated
from topicfactors.inference.truncated import Truncated as TruncatedStates
from topicfactors.model.joint import Joint
from topicfactors.model.priors import PRIORS, BernoulliPrior

DTYPES = [torch.float64, torch.float32]
COUPLED = {
    "boltzmann": lambda: PRIORS["boltzmann"](SIZES),
    "boltzmann by chains": lambda: PRIORS["boltzmann"](SIZES, exact=0, chains=100_000),
    "belief-network": lambda: PRIORS["belief-network"](SIZES, units=3),
}


def problem_with(prior, dtype=torch.float64):
    """The problem of one document, under another prior."""
    problem, generator = make_problem(dtype), torch.Generator().manual_seed(5)
    for parameter in prior.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator).double()
    old, prior = problem.joint, prior.to(dtype)
    if hasattr(prior, "advance"):
        for _ in range(10):
            prior.advance()
        prior.refresh()
    return problem._replace(joint=Joint(old.sizes, prior, old.decoder, old.likelihood))


def parameters(problem):
    return list(problem.joint.prior.parameters())


def exact_derivatives(name, kl_weight=1.0):
    """Of the negative ELBO by enumeration, in q's logits and in the prior's parameters."""
    summed = "boltzmann" if "boltzmann" in name else name
    problem = problem_with(COUPLED[summed]())
    logits = problem.logits.clone().requires_grad_()
    loss = -exact_bound(problem, logits, kl_weight)
    return torch.autograd.grad(loss, [logits, *parameters(problem)])


UNBIASED = {"nvil": lambda: NVIL(SIZES, **SCORE).eval(), "local": lambda: LocalExpectation(SIZES)}


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("kl_weight", [0.4, 1.0])
@pytest.mark.parametrize("prior", COUPLED)
@pytest.mark.parametrize("name", UNBIASED)
def test_an_unbiased_estimator_is_so_under_a_coupled_prior(name, prior, kl_weight, dtype):
    problem, exact = problem_with(COUPLED[prior](), dtype), exact_derivatives(prior, kl_weight)
    torch.manual_seed(0)
    q = problem.posterior(100_000)
    target = problem.joint.condition(problem.batch(100_000))
    loss = UNBIASED[name]()(target, q, kl_weight).loss
    drawn = torch.autograd.grad(loss.sum(), q.logits, retain_graph=True)[0]
    assert within(drawn.double(), exact[0])
    found = torch.autograd.grad(loss.mean(), parameters(problem))
    for part, value in zip(found, exact[1:], strict=True):
        torch.testing.assert_close(part.double(), value, atol=0.02, rtol=0)


@pytest.mark.parametrize("prior", COUPLED)
def test_a_relaxation_gives_prior_parameters_their_derivatives(prior):
    """Its KL divergence is that of the bits where it has a closed form."""
    problem, exact = problem_with(COUPLED[prior]()), exact_derivatives(prior)
    gradient = GumbelSoftmax(SIZES)
    gradient.temperature = 0.1
    torch.manual_seed(0)
    q = problem.posterior(100_000)
    loss = gradient(problem.joint.condition(problem.batch(100_000)), q, 1.0).loss.mean()
    for part, value in zip(torch.autograd.grad(loss, parameters(problem)), exact[1:], strict=True):
        torch.testing.assert_close(part, value, atol=0.02, rtol=0)


def log_p(problem):
    """Log p(x) by enumeration."""
    return problem.joint.condition(problem.batch()).table().logsumexp(0).sum()


@pytest.mark.parametrize("prior", COUPLED)
def test_exact_and_truncated_are_exact(prior):
    summed = problem_with(COUPLED["boltzmann" if "boltzmann" in prior else prior]())
    expected = torch.autograd.grad(-log_p(summed), parameters(summed))
    problem = problem_with(COUPLED[prior]())
    target = problem.joint.condition(problem.batch())
    loss = Exact(SIZES)(target, None, 1.0).loss.sum()
    every = pack(problem.states())[None]
    q = TruncatedStates(evaluated(target.landscape(), every), FACTORS)
    truncated = Truncated(SIZES, best=2**FACTORS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("topicfactors.gradients.truncated.NEGLIGIBLE", 0.0)
        searched = truncated(target, q, 1.0).loss.sum()
    for part in (loss, searched):
        found = torch.autograd.grad(part, parameters(problem))
        for value, wanted in zip(found, expected, strict=True):
            torch.testing.assert_close(value, wanted, atol=0.02, rtol=0)


# ---- along a draw ----


class Groups(Autoregressive):
    """The fake of the contracts, that says which factor is in which group."""

    groups = torch.tensor([0] * Autoregressive.first + [1] * (FACTORS - Autoregressive.first))


def groups(problem, copies):
    weights = torch.tensor([[1.0, -2.0, 0.5], [0.7, 1.2, -1.0]], dtype=problem.logits.dtype)
    start = problem.logits.expand(copies, -1).clone().requires_grad_()
    return Groups(start, weights.expand(copies, -1, -1).clone().requires_grad_())


BETA = 3.0


def quadrature(nodes):
    """Places in (0, 1) and their weights."""
    places, weights = np.polynomial.legendre.leggauss(nodes)
    return torch.from_numpy((places + 1) / 2), torch.from_numpy(weights / 2)


def spike(u):
    """ζ of a bit that is on: it does not depend on how probable that is."""
    return 1 + torch.log(u + (1 - u) * math.exp(-BETA)) / BETA


def cells(problem):
    """Log q of every state given ζ of the first group ``(G, 2^D)``, the weight of each ζ, and q."""
    one, (u, share) = groups(problem, 1), quadrature(40)
    zeta = torch.cartesian_prod(spike(u), spike(u))[:, None, :]  # (G, 1, first)
    weights = torch.cartesian_prod(share, share).prod(1)
    states = problem.states()
    values = states[:, : Groups.first] * zeta
    tail = one.start[0, Groups.first :] + values @ one.weights[0]
    head = one.start[0, : Groups.first].expand_as(values)
    logits = torch.cat([head, tail], -1)
    inside = (states * logits - torch.nn.functional.softplus(logits)).sum(-1)
    return inside, weights[:, None], one


@pytest.mark.parametrize("name", [*COUPLED, "bernoulli"])
def test_the_kl_along_a_draw_is_unbiased_and_so_is_its_derivative(name):
    make = COUPLED.get(name, lambda: BernoulliPrior(SIZES))
    problem = problem_with(make())
    log_q, weights, one = cells(problem)
    assert float((weights * log_q.detach().exp()).sum()) == pytest.approx(1.0, abs=1e-9)
    summed = problem_with(COUPLED["boltzmann"]()) if "boltzmann" in name else problem
    log_p = summed.joint.prior.log_prob(problem.states())
    kl = (weights * log_q.exp() * (log_q - log_p)).sum()
    exact = torch.autograd.grad(kl, [one.start, one.weights])
    torch.manual_seed(0)
    copies = 200_000
    q = groups(problem, copies)
    gradient = DVAE(SIZES)
    gradient.beta = BETA
    draw = q.sample(1, gradient.relaxation)
    along = problem.joint.condition(problem.batch(1)).kl_along(q, draw)[0]
    assert along.shape == (copies,)
    slack = 0.02 if "chains" in name else 0.0
    error = float(along.detach().std()) / math.sqrt(copies)
    assert float(along.detach().mean()) == pytest.approx(float(kl.detach()), abs=4 * error + slack)
    for drawn, value in zip(
        torch.autograd.grad(along.sum(), [q.start, q.weights]), exact, strict=True
    ):
        assert within(drawn, value[0])


@pytest.mark.parametrize("name", [*SMOOTHINGS, "gumbel-softmax", "gumbel-rao", "reinmax"])
def test_a_belief_network_is_taught_by_bits_however_they_are_relaxed(name):
    """The KL divergence has no closed form, and no bias where q is factorised."""
    problem, copies, kl_weight = problem_with(COUPLED["belief-network"]()), 200_000, 0.4
    one = problem.logits.clone().requires_grad_()
    prior, states = problem.joint.prior, problem.states()
    log_q = (states * one - torch.nn.functional.softplus(one)).sum(-1)
    kl = (log_q.exp() * (log_q - prior.log_prob(states))).sum()
    exact = torch.autograd.grad(kl_weight * kl, [one, *parameters(problem)])
    torch.manual_seed(0)
    q, target = problem.posterior(copies), problem.joint.condition(problem.batch(copies))
    target.log_likelihood = lambda values: 0.0 * values[..., 0]
    gradient = GRADIENTS["dvae" if name in SMOOTHINGS else name](SIZES)
    if name in SMOOTHINGS:
        gradient.smooth_by(SMOOTHINGS[name]())
    loss = gradient(target, q, kl_weight).loss
    (drawn,) = torch.autograd.grad(loss.sum(), q.logits, retain_graph=True)
    assert within(drawn, exact[0])
    for part, value in zip(
        torch.autograd.grad(loss.mean(), parameters(problem)), exact[1:], strict=True
    ):
        torch.testing.assert_close(part, value, atol=0.005, rtol=0)


def test_the_factor_on_the_earlier_unit_is_essential():
    """Two units, the second reads the first's ζ: E[z1 z2] by quadrature over u and over ρ."""
    prior = PRIORS["boltzmann"](SIZES._replace(factors=2)).double()
    prior.weights.data = torch.tensor([[0.0, 2.0], [2.0, 0.0]]).double()
    first = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    u, share = quadrature(200)
    both = (share * torch.sigmoid(first) * torch.sigmoid(2.5 * spike(u) - 0.7)).sum()
    (exact,) = torch.autograd.grad(2 * both, first)

    off = torch.sigmoid(-first.detach())
    noise = torch.cat([off * u, off + (1 - off) * u])[:, None]  # nodes on either side of the step
    over = torch.cat([off * share, (1 - off) * share])
    logits = first.expand_as(noise)
    bits, _ = threshold(logits, noise)
    later = 2.5 * SpikeAndExponential().zeta(logits, noise, BETA) - 0.7
    draw = Draw(*(torch.cat(two, 1)[None] for two in ((bits, bits), (bits, bits))), None, None)
    draw = draw._replace(logits=torch.cat([logits, later], 1)[None])
    q = SimpleNamespace(groups=torch.tensor([0, 1]), factorised=False)
    factorial = PRIORS["bernoulli"](SIZES._replace(factors=2)).double()
    coupled = over * (factorial.kl_along(q, draw) - prior.kl_along(q, draw))[0]
    (found,) = torch.autograd.grad(coupled.sum(), first, retain_graph=True)
    assert float(found) == pytest.approx(float(exact), rel=1e-10)

    q2 = torch.sigmoid(later)
    naive = 2 * over * (bits * q2 + q2.detach() * torch.sigmoid(first))[:, 0]
    (without,) = torch.autograd.grad(naive.sum(), first)
    assert float(without) > 1.1 * float(exact)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_without_couplings_the_kl_along_a_draw_is_the_factorial_one(dtype):
    problem = make_problem(dtype)
    coupled = PRIORS["boltzmann"](SIZES).to(dtype)
    coupled.logits.data = problem.joint.prior.logits.data.clone()
    q = groups(problem, 50)
    draw = q.sample(3, DVAE(SIZES).relaxation, uniform((3, 50, FACTORS), problem.logits))
    found, expected = (p.kl_along(q, draw) for p in (coupled, problem.joint.prior))
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    wanted = [q.start, q.weights]
    each = [
        torch.autograd.grad(part.sum(), wanted, retain_graph=True) for part in (found, expected)
    ]
    for part, value in zip(*each, strict=True):
        torch.testing.assert_close(part, value, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", COUPLED)
def test_relaxations_take_the_kl_along_their_draws(name):
    problem = problem_with(COUPLED[name]())
    q = groups(problem, 200)
    target = problem.joint.condition(problem.batch(200))
    assert target.kl(q) is None
    noise = uniform((1, 200, FACTORS), problem.logits)
    gradient = DVAE(SIZES)
    draw = q.sample(1, gradient.relaxation, noise)
    q.sample = lambda samples, relaxation: draw
    surrogate = gradient(target, q, 0.5)
    likelihood, along = target.log_likelihood(draw.values)[0], target.kl_along(q, draw)[0]
    torch.testing.assert_close(surrogate.loss, 0.5 * along - likelihood)
    torch.testing.assert_close(surrogate.bound, (likelihood - along).detach())
    reached = torch.autograd.grad(surrogate.loss.sum(), [q.start, q.weights, *parameters(problem)])
    assert all(bool((part != 0).any()) for part in reached)
