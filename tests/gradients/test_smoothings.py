"""ζ of every smoothing: its distribution, its slope, and the bound that it trains."""

import math

import pytest
import torch
from torch.nn import functional

from tests.gradients.test_contracts import Autoregressive
from tests.problems import make_problem
from topicfactors.bits import all_states
from topicfactors.contracts import Sizes
from topicfactors.errors import ConfigurationError
from topicfactors.gradients import DVAE
from topicfactors.gradients.smoothings import SMOOTHINGS
from topicfactors.inference.posteriors import MeanField

DTYPES = [torch.float64, torch.float32]
BETAS = [1.0, 5.0, 100.0, 300.0]
PROBABILITIES = [1e-6, 0.5, 1 - 1e-6]
OVERLAPPING = [name for name, kind in SMOOTHINGS.items() if kind.overlapping]


def grid(points, dtype=torch.float64):
    return ((torch.arange(points, dtype=torch.float64) + 0.5) / points).to(dtype)


def ends(name, at, beta):
    """R(ζ ≤ at | z = 0) and R(ζ ≤ at | z = 1), from the papers."""
    if name == "spike-and-exponential":
        return torch.ones_like(at), torch.expm1(beta * at) / math.expm1(beta)
    if name == "exponential":
        whole = -math.expm1(-beta)
        off = -torch.expm1(-beta * at)
        return off / whole, (torch.exp(beta * (at - 1)) - math.exp(-beta)) / whole
    return at ** (1 / beta), 1 - (1 - at) ** (1 / beta)


def logit_of(probability):
    return math.log(probability) - math.log1p(-probability)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("probability", PROBABILITIES)
@pytest.mark.parametrize("name", SMOOTHINGS)
def test_draws_have_the_distribution_of_the_mixture(name, probability, beta, dtype):
    noise = grid(20_000, dtype)
    logits = torch.tensor(logit_of(probability), dtype=dtype).expand_as(noise)
    zeta = SMOOTHINGS[name]().zeta(logits, noise, beta).double()
    assert bool(((zeta >= 0) & (zeta <= 1)).all())
    at = torch.tensor([1e-3, 0.2, 0.5, 0.9, 0.999], dtype=torch.float64)
    off, on = ends(name, at, beta)
    found = (zeta <= at[:, None]).double().mean(1)
    torch.testing.assert_close(found, (1 - probability) * off + probability * on, atol=2e-4, rtol=0)


def slopes(name, logit, noise, beta, dtype):
    logits = torch.full_like(noise, logit).to(dtype).requires_grad_()
    zeta = SMOOTHINGS[name]().zeta(logits, noise.to(dtype), beta)
    return torch.autograd.grad(zeta.sum(), logits)[0].double()


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("probability", [*PROBABILITIES, 0.1])
@pytest.mark.parametrize("name", SMOOTHINGS)
def test_the_slope_is_that_of_finite_differences(name, probability, beta):
    """But at the few points of noise where ζ jumps, as fast as the noise can tell."""
    noise, logit, step = grid(4_001), logit_of(probability), 1e-5
    found = slopes(name, logit, noise, beta, torch.float64)
    high, low = (
        SMOOTHINGS[name]().zeta(torch.full_like(noise, logit + s), noise, beta)
        for s in (step, -step)
    )
    apart = (found - (high - low) / (2 * step)).abs()
    assert bool((found >= 0).all())
    assert float((apart <= 1e-6 + 1e-3 * found).double().mean()) > 0.998


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("probability", PROBABILITIES)
@pytest.mark.parametrize("name", SMOOTHINGS)
def test_single_precision_says_what_double_does(name, probability, beta):
    noise, logit = grid(4_001, torch.float32).double(), logit_of(probability)
    exact = slopes(name, logit, noise, beta, torch.float64)
    found = slopes(name, logit, noise, beta, torch.float32)
    assert bool(torch.isfinite(found).all())
    near = (found - exact).abs() <= 1e-5 + 1e-3 * exact
    assert float(near.double().mean()) > 0.998


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("beta", [*BETAS, 800.0])
@pytest.mark.parametrize("name", SMOOTHINGS)
def test_the_slope_is_finite_at_every_noise(name, beta, dtype):
    """Beside the jump, at the ends, and for log-odds that are certain."""
    tiny = float(torch.finfo(dtype).eps) / 4
    for logit in (-40.0, -5.0, 0.0, 5.0, 40.0):
        off = 1 / (1 + math.exp(logit))
        beside = [off * (1 + shift) for shift in (-1e-6, -1e-7, 0.0, 1e-7, 1e-6)]
        noise = torch.tensor([tiny, *beside, 0.5, 1 - 4 * tiny], dtype=torch.float64)
        found = slopes(name, logit, noise.clamp(tiny, 1 - 4 * tiny), beta, dtype)
        assert bool(torch.isfinite(found).all())
        assert float(found.max()) <= 1 / float(torch.finfo(dtype).eps)


@pytest.mark.parametrize("beta", [1.5, 4.0])
@pytest.mark.parametrize("name", SMOOTHINGS)
def test_the_bit_given_zeta_is_that_of_bayes(name, beta):
    """E[z | ζ] averaged over ζ is q, and over ζ ≤ ½ what the distribution functions say."""
    noise, logits = grid(20_000), torch.tensor(0.4, dtype=torch.float64)
    smoothing, on = SMOOTHINGS[name](), torch.sigmoid(logits)
    zeta = smoothing.zeta(logits.expand_as(noise), noise, beta)
    chance = torch.sigmoid(logits + smoothing.log_ratio(zeta, beta))
    assert float(chance.mean()) == pytest.approx(float(on), abs=1e-3)
    low = float((chance * (zeta <= 0.5)).mean())
    _, below = ends(name, torch.tensor(0.5, dtype=torch.float64), beta)
    assert low == pytest.approx(float(on * below), abs=1e-3)
    bits = smoothing.bits(zeta, logits, torch.rand_like(zeta), beta)
    assert float(bits.mean()) == pytest.approx(float(on), abs=0.02)


def smoothed(name, beta=4.0, **options):
    gradient = DVAE(Sizes(8, 2, 2), start=beta, **options)
    gradient.smooth_by(SMOOTHINGS[name]())
    return gradient


@torch.no_grad()
def quadrature(problem, name, beta, logits, points=600):
    """The smoothed bound of two factors: E[log p(x | ζ)] on a grid of noise, less the KL."""
    target, line = problem.joint.condition(problem.batch()), grid(points)
    noise = torch.cartesian_prod(line, line)[:, None, :]
    zeta = SMOOTHINGS[name]().zeta(logits.expand_as(noise), noise, beta)
    likelihood = target.log_likelihood(zeta).mean()
    return likelihood - target.kl(MeanField(logits[None]))[0]


@pytest.mark.parametrize("name", SMOOTHINGS)
def test_the_gradient_is_that_of_its_own_smoothed_bound(name):
    problem, copies, beta = make_problem(factors=2), 100_000, 4.0
    step, exact = 0.02, []
    for factor in range(2):
        moved = torch.zeros(2, dtype=torch.float64)
        moved[factor] = step
        high, low = (quadrature(problem, name, beta, problem.logits + s * moved) for s in (1, -1))
        exact.append(float(low - high) / (2 * step))
    torch.manual_seed(0)
    q = problem.posterior(copies)
    surrogate = smoothed(name)(problem.joint.condition(problem.batch(copies)), q, 1.0)
    drawn = torch.autograd.grad(surrogate.loss.sum(), q.logits)[0]
    error = drawn.std(0) / math.sqrt(copies)
    apart = drawn.mean(0) - torch.tensor(exact, dtype=torch.float64)
    assert bool((apart.abs() <= 4 * error + 2e-3).all())
    found = float(surrogate.bound.mean())
    value = float(quadrature(problem, name, beta, problem.logits))
    assert found == pytest.approx(value, abs=4 * float(surrogate.bound.std()) / math.sqrt(copies))


@torch.no_grad()
def log_evidence(problem, name, beta, points=300):
    """The smoothed model's log p(x) of two factors: ζ drawn from the prior, by quadrature."""
    target, line = problem.joint.condition(problem.batch()), grid(points)
    noise = torch.cartesian_prod(line, line)[:, None, :]
    prior = problem.joint.prior.logits.detach()
    zeta = SMOOTHINGS[name]().zeta(prior.expand_as(noise), noise, beta)
    return float(target.log_likelihood(zeta).logsumexp(0) - math.log(points**2))


@pytest.mark.parametrize("name", SMOOTHINGS)
def test_the_smoothed_score_climbs_to_the_smoothed_evidence(name):
    problem, copies, beta = make_problem(factors=2), 4_000, 4.0
    truth = log_evidence(problem, name, beta)
    target, q = problem.joint.condition(problem.batch(copies)), problem.posterior(copies)
    gradient = smoothed(name, beta)
    generator = torch.Generator().manual_seed(0)
    found = []
    for samples in (1, 5, 200):
        noise, more = torch.rand(2, samples, copies, 2, generator=generator).double()
        each = gradient.smoothed_bound(target, q, samples, noise.clamp(1e-7, 1 - 1e-7), more)
        found.append(float(each.mean()))
    bound = float(quadrature(problem, name, beta, problem.logits))
    assert found[0] == pytest.approx(bound, abs=0.15)
    assert found[0] < found[1] < found[2] < truth + 0.01
    assert found[2] == pytest.approx(truth, abs=0.05)


@pytest.mark.parametrize("name", OVERLAPPING)
def test_the_bound_over_bits_is_below_that_of_the_mixtures(name):
    """KL(q(ζ) ‖ p(ζ)) ≤ KL(q(z) ‖ p(z)), by what ζ does not say of its bit."""
    beta, line = 4.0, grid(100_000)
    q, p = (torch.tensor(value, dtype=torch.float64) for value in (1.2, -1.5))
    zeta = SMOOTHINGS[name]().zeta(q.expand_as(line), line, beta)
    ratio = SMOOTHINGS[name]().log_ratio(zeta, beta)

    def log_mixture(logits):
        return torch.logaddexp(
            functional.logsigmoid(logits) + ratio, functional.logsigmoid(-logits)
        )

    mixtures = float((log_mixture(q) - log_mixture(p)).mean())
    prior = make_problem(factors=2).joint.prior
    prior.logits.data = p.expand(2).clone()
    bits = float(prior.kl(MeanField(q.expand(1, 2)))[0].detach()) / 2
    assert 0 < mixtures < bits - 0.01


class Coupled:
    """A target of two factors that says nothing of words: log p(z) = aᵀz + J z_0 z_1 − log Z."""

    factors, weights, coupling = 2, torch.tensor([0.3, -0.8], dtype=torch.float64), 1.5

    def log_prior(self, z):
        return z @ self.weights + self.coupling * z[..., 0] * z[..., 1]

    def log_likelihood(self, values):
        return torch.zeros_like(values[..., 0])

    def kl(self, q):
        return None


class InGroups(Autoregressive):
    first = 1


@torch.no_grad()
def divergence(name, beta, start, link, points=4_000):
    """KL of two bits, the second's log-odds moved by ζ of the first, summed over the second."""
    target, smoothing = Coupled(), SMOOTHINGS[name]()
    noise, first = grid(points), start[0].expand(points)
    zeta = smoothing.zeta(first, noise, beta)
    told, second = smoothing.chances(zeta, first, beta), start[1] + link * zeta
    total = torch.zeros(points, dtype=torch.float64)
    for z in all_states(2).double():
        q = torch.where(z[0] > 0, told, 1 - told) * torch.sigmoid((2 * z[1] - 1) * second)
        log_q = (z[0] * first - functional.softplus(first)) + (
            z[1] * second - functional.softplus(second)
        )
        total += q * (log_q - target.log_prior(z))
    return float(total.mean())


@pytest.mark.parametrize("name", OVERLAPPING)
def test_coupled_bits_in_groups_have_the_slope_of_their_divergence(name):
    beta, copies, step = 3.0, 100_000, 0.01
    at = torch.tensor([0.4, -0.3, 1.7], dtype=torch.float64)  # two log-odds and their link
    exact = []
    for place in range(3):
        high, low = (
            at + sign * step * torch.eye(3, dtype=torch.float64)[place] for sign in (1, -1)
        )
        ends_of = [divergence(name, beta, each[:2], each[2]) for each in (high, low)]
        exact.append((ends_of[0] - ends_of[1]) / (2 * step))
    torch.manual_seed(0)
    start = at[:2].expand(copies, 2).clone().requires_grad_()
    link = at[2].expand(copies, 1, 1).clone().requires_grad_()
    surrogate = smoothed(name, beta)(Coupled(), InGroups(start, link), 1.0)
    slopes_of = torch.autograd.grad(surrogate.loss.sum(), [start, link])
    drawn = torch.cat([slopes_of[0], slopes_of[1][:, 0]], 1)
    apart = drawn.mean(0) - torch.tensor(exact, dtype=torch.float64)
    assert bool((apart.abs() <= 4.5 * drawn.std(0) / math.sqrt(copies) + 1e-4).all())
    value = -divergence(name, beta, at[:2], at[2])
    assert float(surrogate.bound.mean()) == pytest.approx(value, abs=0.02)


def test_a_bit_that_its_zeta_does_not_tell_is_drawn_given_it():
    torch.manual_seed(0)
    logits, noise = torch.zeros(1, 1, 4000), torch.rand(1, 1, 4000)
    bits, zeta = smoothed("exponential", 1.0).relaxation(logits, noise)
    assert not torch.equal(bits, (noise > 0.5).float())
    assert float(bits[zeta > 0.7].mean()) > 0.55 > 0.45 > float(bits[zeta < 0.3].mean())
    bits, zeta = smoothed("spike-and-exponential").relaxation(logits, noise)
    assert torch.equal(bits, (zeta > 0).float())


def test_beta_is_kept_with_the_weights():
    gradient = smoothed("power", 2.0)
    gradient.anneal(1.0)
    other = smoothed("power", 2.0)
    other.load_state_dict(gradient.state_dict())
    assert other.beta == pytest.approx(10.0)


def test_a_power_needs_a_beta_of_one():
    with pytest.raises(ConfigurationError, match=r"start must be a number of 1 or more .*got 0\.5"):
        smoothed("power", 0.5)
