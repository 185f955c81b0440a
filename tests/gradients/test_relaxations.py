"""Estimators that differentiate through a draw, against the answer by enumeration at D = 5."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tests.estimators.planted import model, planted
from tests.gradients.test_contracts import autoregressive
from tests.gradients.test_enumeration import (
    DTYPES,
    FACTORS,
    SIZES,
    arrays,
    gumbel,
    kl_slope,
    samples,
    sigmoid,
    slope,
    weights,
)
from tests.problems import exact_gradients, make_problem
from topicfactors import BinaryFactorModel, ConfigurationError
from topicfactors.estimators.parts import choose
from topicfactors.gradients import GRADIENTS, GumbelRao, HardConcrete, ReinMax, StraightThrough
from topicfactors.gradients.straight_through import straight_through
from topicfactors.inference.posteriors import MeanFieldPosterior
from topicfactors.model.likelihoods import LIKELIHOODS

NAMES = ["reinmax", "gumbel-rao", "hard-concrete"]


def rao(temperature: float, noises: int = 5) -> GumbelRao:
    return GumbelRao(SIZES, start=temperature, noises=noises)


def hard_concrete(temperature: float) -> HardConcrete:
    return HardConcrete(SIZES, start=temperature)


# name: estimator, range of |bias| as a share of the largest |gradient|; measured once
BIASED = {
    "reinmax": (lambda: ReinMax(SIZES), 0.005, 0.013),
    "reinmax τ=2": (lambda: ReinMax(SIZES, temperature=2.0), 0.32, 0.37),
    "gumbel-rao τ=1": (lambda: rao(1.0), 0.60, 0.65),
    "gumbel-rao τ=0.5": (lambda: rao(0.5), 0.39, 0.44),
    "gumbel-rao τ=0.1": (lambda: rao(0.1), 0.06, 0.12),
    "hard-concrete τ=⅔": (lambda: hard_concrete(2 / 3), 0.23, 0.28),
    "hard-concrete τ=0.3": (lambda: hard_concrete(0.3), 0.10, 0.16),
}


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", BIASED)
def test_the_bias_is_in_its_stated_range(name, dtype):
    make, low, high = BIASED[name]
    drawn = samples(make(), make_problem(dtype)).double()
    exact = exact_gradients(make_problem())["logits"]
    share = float((drawn.mean(0) - exact).abs().max() / exact.abs().max())
    assert not make().unbiased
    assert low <= share <= high


# ---- mean and variance, against formulas written out again in NumPy ----


def bit_slopes(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of dz_d/dl_d given the state, ``(2^D, D)`` each."""
    n = arrays()
    on = sigmoid(n["l"])
    if name == "reinmax":
        return np.abs(n["z"] - on) / 2, np.zeros_like(n["z"])
    if name == "reinmax τ=2":
        p = (n["z"] + sigmoid(n["l"] / 2)) / 2
        return 2 * p * (1 - p) - on * (1 - on) / 2, np.zeros_like(n["z"])
    temperature, noises = float(name.split("=")[1]), 5
    u = (np.arange(200_000)[:, None] + 0.5) / 200_000
    relaxed = sigmoid((n["l"] + np.log(u / (1 - u))) / temperature)
    inner, is_on = relaxed * (1 - relaxed) / temperature, u > 1 - on
    means, squares = [], []
    for chosen in (~is_on, is_on):
        means.append((inner * chosen).sum(0) / chosen.sum(0))
        squares.append((inner**2 * chosen).sum(0) / chosen.sum(0))
    mean, square = (np.where(n["z"] == 1, part[1], part[0]) for part in (means, squares))
    return mean, (square - mean**2) / noises


ENUMERATED = ["reinmax", "reinmax τ=2", "gumbel-rao τ=1", "gumbel-rao τ=0.5", "gumbel-rao τ=0.1"]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", ENUMERATED)
def test_mean_and_variance_are_the_enumerated_ones(name, dtype):
    drawn = samples(BIASED[name][0](), make_problem(dtype)).double()
    inner, noise = bit_slopes(name)
    slopes = slope(arrays()["z"])
    mean = weights() @ (inner * slopes)
    error = drawn.std(0) / math.sqrt(len(drawn))
    expected = torch.from_numpy(kl_slope() - mean)
    assert bool(((drawn.mean(0) - expected).abs() <= 4.5 * error + 1e-5).all())
    variance = weights() @ ((inner**2 + noise) * slopes**2) - mean**2
    assert float(drawn.var(0).sum()) == pytest.approx(float(variance.sum()), rel=0.05)


def clipped(noise: np.ndarray, temperature: float) -> np.ndarray:
    low, high = -0.1, 1.1
    relaxed = sigmoid((arrays()["l"] + np.log(noise / (1 - noise))) / temperature)
    value = relaxed * (high - low) + low
    inside = (value > 0) & (value < 1)
    inner = inside * (high - low) * relaxed * (1 - relaxed) / temperature
    return -inner * slope(value.clip(0, 1)) + kl_slope()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["hard-concrete τ=⅔", "hard-concrete τ=0.3"])
def test_the_variance_of_hard_concrete_is_that_of_ten_million_samples(name):
    temperature = BIASED[name][0]().temperature
    generator, total, squares = np.random.default_rng(5), 0.0, 0.0
    for _ in range(40):
        drawn = clipped(generator.random((250_000, FACTORS)), temperature)
        total, squares = total + drawn.mean(0) / 40, squares + (drawn**2).mean(0) / 40
    expected = float((squares - total**2).sum())
    for dtype in DTYPES:
        drawn = samples(BIASED[name][0](), make_problem(dtype), 1_000_000).double()
        assert float(drawn.var(0).sum()) == pytest.approx(expected, rel=0.05)
        error = drawn.std(0) / math.sqrt(len(drawn))
        assert bool(((drawn.mean(0) - torch.from_numpy(total)).abs() <= 5 * error).all())


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_hard_concrete_has_mean_and_variance_of_its_formula(dtype):
    expected = clipped(np.random.default_rng(6).random((250_000, FACTORS)), 2 / 3)
    drawn = samples(hard_concrete(2 / 3), make_problem(dtype)).double()
    assert float(drawn.var(0).sum()) == pytest.approx(float(expected.var(0).sum()), rel=0.05)
    error = (drawn.var(0) / len(drawn) + torch.from_numpy(expected.var(0)) / len(expected)).sqrt()
    apart = drawn.mean(0) - torch.from_numpy(expected.mean(0))
    assert bool((apart.abs() <= 4.5 * error).all())


# ---- what the papers promise ----


class Quadratic:
    """An f with squares of every bit and products of two."""

    def __init__(self, cube: float = 0.0) -> None:
        generator = torch.Generator().manual_seed(2)
        self.matrix = torch.randn(FACTORS, FACTORS, generator=generator, dtype=torch.float64)
        self.cube = cube

    def log_likelihood(self, values):
        squares = torch.einsum("...d,de,...e->...", values, self.matrix, values)
        return squares + self.cube * (values**3).sum(-1)


def mean_over_states(relaxation, target) -> tuple[torch.Tensor, torch.Tensor]:
    """Its expectation, and the exact gradient, by enumeration of the bits."""
    problem = make_problem()
    states, logits = problem.states(), problem.logits.clone().requires_grad_()
    on = torch.sigmoid(logits)
    chance = torch.where(states > 0, on, 1 - on).prod(-1)
    exact = torch.autograd.grad((chance * target.log_likelihood(states)).sum(), logits)[0]
    noise = torch.where(states > 0, 1 - 1e-9, 1e-9)[:, None, :]
    q = problem.posterior()
    values = q.sample(len(states), relaxation, noise).values
    mean = (chance.detach() * target.log_likelihood(values)[:, 0]).sum()
    return torch.autograd.grad(mean, q.logits)[0][0], exact


def test_reinmax_is_exact_where_f_is_quadratic_and_straight_through_is_not():
    reinmax = ReinMax(SIZES).relaxation
    found, exact = mean_over_states(reinmax, Quadratic())
    torch.testing.assert_close(found, exact)
    found, exact = mean_over_states(straight_through, Quadratic())
    assert float((found - exact).abs().max()) > 0.1
    found, exact = mean_over_states(reinmax, Quadratic(cube=3.0))
    assert float((found - exact).abs().max()) > 0.1


def test_reinmax_is_heuns_form_of_the_paper():
    """Softmax of two categories, its Jacobian by autograd at π₁ and at π₀."""
    logits = torch.linspace(-4, 4, 9, dtype=torch.float64)
    for bit, temperature in ((0.0, 1.0), (1.0, 1.0), (0.0, 1.7), (1.0, 1.7)):
        bits = torch.full_like(logits, bit)
        pair = torch.stack([torch.zeros_like(logits), logits], -1)
        state = torch.stack([1 - bits, bits], -1)
        p1 = (state + torch.softmax(pair / temperature, -1)) / 2
        leaf = pair.clone().requires_grad_()
        two = 2 * torch.softmax(p1.log() - pair + leaf, -1) - 0.5 * torch.softmax(leaf, -1)
        expected = torch.autograd.grad(two[:, 1].sum(), leaf)[0][:, 1]
        own = logits.clone().requires_grad_()
        noise = torch.where(bits > 0, 1 - 1e-9, 1e-9)
        _, values = ReinMax(SIZES, temperature=temperature).relaxation(own, noise)
        torch.testing.assert_close(torch.autograd.grad(values.sum(), own)[0], expected)
        if temperature == 1:
            half = (bits - torch.sigmoid(logits)).abs() / 2
            torch.testing.assert_close(expected, half)


def test_more_noises_leave_the_mean_and_lower_the_variance():
    problem = make_problem()
    hard, one, many = (
        samples(gradient, problem, 100_000)
        for gradient in (gumbel(0.1, hard=True), rao(0.1, 1), rao(0.1, 20))
    )
    error = hard.std(0) / math.sqrt(len(hard))
    assert bool(((hard.mean(0) - many.mean(0)).abs() <= 6 * error).all())
    assert float(one.var(0).sum()) == pytest.approx(float(hard.var(0).sum()), rel=0.1)
    assert many.var(0).sum() < 0.3 * one.var(0).sum()


def test_hard_concrete_has_exact_zeros_and_ones_as_often_as_it_says():
    torch.manual_seed(0)
    gradient = HardConcrete(SIZES)
    logits = torch.tensor([-1.0, 0.0, 2.0], dtype=torch.float64)
    bits, values = gradient.relaxation(logits, torch.rand(200_000, 3, dtype=torch.float64))
    above = torch.sigmoid(logits - gradient.temperature * math.log(0.1 / 1.1))
    torch.testing.assert_close((values > 0).double().mean(0), above, atol=5e-3, rtol=0)
    torch.testing.assert_close(bits.mean(0), torch.sigmoid(logits), atol=5e-3, rtol=0)
    assert bool((values == 1).any())
    assert bool(((values > 0.5) == (bits > 0)).all())


@pytest.mark.parametrize("kind", [GumbelRao, HardConcrete])
def test_the_temperature_anneals(kind):
    gradient = kind(SIZES, start=1.0, end=0.25, annealing=0.5)
    gradient.anneal(0.25)
    assert gradient.temperature == pytest.approx(0.5)
    gradient.anneal(0.9)
    assert gradient.temperature == pytest.approx(0.25)


@pytest.mark.parametrize("name", ["reinmax", "gumbel-rao"])
def test_the_decoder_reads_bits(name):
    draw = make_problem(torch.float32).posterior(100).sample(2, GRADIENTS[name](SIZES).relaxation)
    assert torch.equal(draw.values, draw.bits)
    assert draw.values.requires_grad


# ---- every parameter, posterior, likelihood and decoder ----


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("decoder", ["log-linear", "mlp"])
@pytest.mark.parametrize("name", NAMES)
def test_the_gradient_reaches_every_parameter(name, decoder, likelihood):
    problem = make_problem(decoder=decoder, likelihood=likelihood)
    q, target = problem.posterior(50), problem.joint.condition(problem.batch(50))
    loss = GRADIENTS[name](SIZES)(target, q, 1.0).loss.mean()
    found = torch.autograd.grad(loss, [q.logits, *problem.joint.parameters()])
    assert all(bool(torch.isfinite(part).all() and (part != 0).any()) for part in found)


@pytest.mark.parametrize("name", ["reinmax", "gumbel-rao"])
def test_the_decoder_gets_its_exact_gradient_where_it_reads_bits(name):
    problem, exact = make_problem(), exact_gradients(make_problem())
    target, parameters = problem.joint.condition(problem.batch(50_000)), problem.joint.decoder
    torch.manual_seed(0)
    loss = GRADIENTS[name](SIZES)(target, problem.posterior(50_000), 1.0).loss.mean()
    found = torch.autograd.grad(loss, [parameters.raw, parameters.bias])
    torch.testing.assert_close(found[0], exact["decoder.raw"], atol=0.02, rtol=0.02)
    torch.testing.assert_close(found[1], exact["decoder.bias"], atol=0.02, rtol=0.02)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kl_weight", [0.0, 0.4])
def test_the_kl_weight_weighs_the_kl_alone(name, kl_weight):
    problem = make_problem()
    q, target = problem.posterior(5), problem.joint.condition(problem.batch(5))
    found = []
    for weight in (kl_weight, 1.0):
        torch.manual_seed(0)
        loss = GRADIENTS[name](SIZES)(target, q, weight).loss
        found.append(torch.autograd.grad(loss.sum(), q.logits)[0])
    kl = torch.autograd.grad(target.kl(q).sum(), q.logits)[0]
    torch.testing.assert_close(found[1] - found[0], (1 - kl_weight) * kl)


@pytest.mark.parametrize("name", NAMES)
def test_it_goes_through_an_autoregressive_posterior(name):
    problem = make_problem()
    q, target = autoregressive(problem, 500), problem.joint.condition(problem.batch(500))
    surrogate = GRADIENTS[name](SIZES)(target, q, 1.0)
    start, between = torch.autograd.grad(surrogate.loss.sum(), [q.start, q.weights])
    assert torch.isfinite(surrogate.bound).all()
    for part in (start, between):
        assert bool(torch.isfinite(part).all())
        assert bool((part.abs().mean(0) > 0).all())


def grouped(reparameterisable: bool) -> type:
    kind = SimpleNamespace(factorised=False, reparameterisable=reparameterisable)
    return type("Grouped", (MeanFieldPosterior,), {"family": kind})


@pytest.mark.parametrize("name", NAMES)
def test_a_posterior_without_relaxed_draws_is_refused(name):
    chosen = BinaryFactorModel(inference=name).get_params(deep=False)
    choose(chosen | {"posterior": grouped(True)}, 3)
    with pytest.raises(ConfigurationError, match=r"reparameterisable.*use posterior='mean-field'"):
        choose(chosen | {"posterior": grouped(False)}, 3)


@pytest.mark.parametrize("name", NAMES)
def test_a_fit_improves_its_bound(name):
    corpus = planted()
    fitted = model(inference=name, max_iter=15).fit(corpus.counts)
    bounds = [epoch.bound for epoch in fitted.history_]
    assert max(bounds[-3:]) > bounds[5] + 2  # after the warm-up of the KL
    scores = fitted.evaluate(corpus.counts)
    assert scores.perplexity.per_document < scores.unigram.per_document


def test_reinmax_costs_what_straight_through_costs_and_is_far_less_biased():
    problem = make_problem()
    exact = exact_gradients(problem)["logits"]
    plain, second = (samples(kind(SIZES), problem) for kind in (StraightThrough, ReinMax))
    assert (second.mean(0) - exact).abs().max() < 0.05 * (plain.mean(0) - exact).abs().max()
