"""Every gradient estimator against the answer by enumeration, at D = 5."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.problems import FACTORS, Problem, exact_gradients, make_problem
from topicfactors.contracts import Sizes
from topicfactors.gradients import DVAE, GRADIENTS, NVIL, GumbelSoftmax, LocalExpectation
from topicfactors.gradients.base import Gradient

SIZES = Sizes(8, FACTORS, 2)
COPIES = 200_000
DTYPES = [torch.float64, torch.float32]


def nvil(**switches: bool) -> NVIL:
    """NVIL whose baselines have seen something, frozen: what it subtracts is then a constant."""
    off = dict.fromkeys(
        ("constant_baseline", "input_baseline", "normalise_variance", "fitted_coefficient"), False
    )
    torch.manual_seed(0)
    gradient = NVIL(SIZES, samples=1, **{**off, **switches})
    gradient.moments.mean.fill_(-25.0)
    gradient.moments.variance.fill_(9.0)
    if gradient.baseline is not None:
        gradient.baseline.unit.fill_(4.0)
        torch.nn.init.normal_(gradient.baseline.layers[-1].weight)
    if gradient.coefficient is not None:
        gradient.coefficient.covariance.copy_(torch.tensor([-0.4, 0.2, -0.1, 0.3, -0.2]))
        gradient.coefficient.variance.fill_(0.2)
    return gradient.eval()


UNBIASED = {
    "local-expectation": lambda: LocalExpectation(SIZES),
    "exact-score": nvil,
    "nvil-constant": lambda: nvil(constant_baseline=True),
    "nvil-input": lambda: nvil(input_baseline=True),
    "nvil-normalised": lambda: nvil(constant_baseline=True, normalise_variance=True),
    "nvil-fitted": lambda: nvil(constant_baseline=True, fitted_coefficient=True),
    "nvil-all": lambda: nvil(
        constant_baseline=True,
        input_baseline=True,
        normalise_variance=True,
        fitted_coefficient=True,
    ),
}


def gumbel(temperature: float, hard: bool = False) -> GumbelSoftmax:
    gradient = GumbelSoftmax(SIZES, hard=hard)
    gradient.temperature = temperature
    return gradient


def dvae(beta: float) -> DVAE:
    gradient = DVAE(SIZES)
    gradient.beta = beta
    return gradient


# name: estimator, largest |bias| as a share of the largest |gradient|; each was measured once and
# is stated here with room for sampling error only
BIASED = {
    "straight-through": (lambda: GRADIENTS["straight-through"](SIZES), 0.75),
    "gumbel-softmax τ=1": (lambda: gumbel(1.0), 0.42),
    "gumbel-softmax τ=0.5": (lambda: gumbel(0.5), 0.29),
    "gumbel-softmax τ=0.1": (lambda: gumbel(0.1), 0.10),
    "gumbel-softmax hard τ=0.5": (lambda: gumbel(0.5, hard=True), 0.47),
    "dvae β=3": (lambda: dvae(3.0), 0.80),
    "dvae β=6": (lambda: dvae(6.0), 0.55),
}


def scale_of(gradient: Gradient) -> float:
    """NVIL divides the encoder's whole gradient by max(1, v)."""
    normalised = isinstance(gradient, NVIL) and gradient.normalise_variance
    return 1 / max(1.0, float(gradient.moments.deviation)) if normalised else 1.0


def samples(gradient: Gradient, problem: Problem, copies: int = COPIES) -> Tensor:
    """Derivative of the loss in q's logits for each of many independent draws, (copies, D)."""
    torch.manual_seed(1)
    parts = []
    for _ in range(math.ceil(copies / 50_000)):
        q = problem.posterior(min(copies, 50_000))
        target = problem.joint.condition(problem.batch(len(q.logits)))
        loss = gradient(target, q, 1.0).loss
        parts.append(torch.autograd.grad(loss.sum(), q.logits)[0])
    return torch.cat(parts)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", UNBIASED)
def test_the_mean_of_an_unbiased_estimator_is_the_exact_gradient(name, dtype):
    gradient, problem = UNBIASED[name](), make_problem(dtype)
    drawn = samples(gradient, problem).double()
    exact = exact_gradients(make_problem())["logits"] * scale_of(gradient)
    error = drawn.std(0) / math.sqrt(len(drawn))
    assert gradient.unbiased
    assert ((drawn.mean(0) - exact).abs() <= 4 * error + 1e-5).all()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", BIASED)
def test_the_bias_of_a_biased_estimator_is_as_stated(name, dtype):
    make, stated = BIASED[name]
    gradient = make()
    drawn = samples(gradient, make_problem(dtype)).double()
    exact = exact_gradients(make_problem())["logits"]
    error = float((drawn.std(0) / math.sqrt(len(drawn))).max())
    bias = float((drawn.mean(0) - exact).abs().max())
    assert not gradient.unbiased
    assert 4 * error < bias, "the estimator is less biased than declared: say so"
    assert bias <= stated * float(exact.abs().max()) + 4 * error


def test_less_temperature_and_more_beta_mean_less_bias_and_more_variance():
    problem = make_problem()
    exact = exact_gradients(problem)["logits"]
    for milder, sharper in ((gumbel(1.0), gumbel(0.1)), (dvae(1.0), dvae(6.0))):
        one, other = samples(milder, problem), samples(sharper, problem)
        assert (other.mean(0) - exact).abs().max() < (one.mean(0) - exact).abs().max()
        assert other.var(0).sum() > one.var(0).sum()


# ---- variance, against formulas written out again in NumPy ----


@functools.cache
def arrays() -> dict[str, np.ndarray]:
    problem = make_problem()
    joint = problem.joint
    return {
        "x": np.array([[3.0, 0.0, 2.0, 1.0, 0.0, 4.0, 0.0, 1.0]]),
        "w": joint.decoder.weights.detach().numpy(),
        "b": joint.decoder.bias.detach().numpy(),
        "a": joint.prior.logits.detach().numpy(),
        "l": problem.logits.numpy(),
        "z": problem.states().numpy(),
    }


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


def log_likelihood(z: np.ndarray) -> np.ndarray:
    n = arrays()
    eta = z @ n["w"].T + n["b"]
    return (eta * n["x"]).sum(1) - n["x"].sum() * np.log(np.exp(eta).sum(1))


def slope(z: np.ndarray) -> np.ndarray:
    """The derivative of log p(x | z) in z, (…, D)."""
    n = arrays()
    words = np.exp(z @ n["w"].T + n["b"])
    words /= words.sum(1, keepdims=True)
    return n["x"] @ n["w"] - n["x"].sum() * words @ n["w"]


def kl_slope() -> np.ndarray:
    n = arrays()
    on = sigmoid(n["l"])
    return on * (1 - on) * (n["l"] - n["a"])


def weights() -> np.ndarray:
    n = arrays()
    on = sigmoid(n["l"])
    return np.prod(np.where(n["z"] == 1, on, 1 - on), 1)


def total_variance(by_state: np.ndarray) -> float:
    mean = weights() @ by_state
    return float((weights() @ (by_state - mean) ** 2).sum())


def score_by_state(baseline: float, coefficient: np.ndarray | float = 0.0) -> np.ndarray:
    n = arrays()
    signal = log_likelihood(n["z"])[:, None] - baseline + coefficient
    return -signal * (n["z"] - sigmoid(n["l"])) + kl_slope()


def local_by_state() -> np.ndarray:
    n = arrays()
    on, columns = sigmoid(n["l"]), []
    for d in range(FACTORS):
        with_it, without = n["z"].copy(), n["z"].copy()
        with_it[:, d], without[:, d] = 1, 0
        columns.append(on[d] * (1 - on[d]) * (log_likelihood(with_it) - log_likelihood(without)))
    return -np.stack(columns, 1) + kl_slope()


def straight_by_state() -> np.ndarray:
    on = sigmoid(arrays()["l"])
    return -on * (1 - on) * slope(arrays()["z"]) + kl_slope()


ENUMERATED = {
    "exact-score": lambda: total_variance(score_by_state(0.0)),
    "nvil-constant": lambda: total_variance(score_by_state(-25.0)),
    "nvil-normalised": lambda: total_variance(score_by_state(-25.0)) / 9,
    "nvil-fitted": lambda: total_variance(
        score_by_state(-25.0, np.array([2.0, -1.0, 0.5, -1.5, 1.0]))
    ),
    "local-expectation": lambda: total_variance(local_by_state()),
    "straight-through": lambda: total_variance(straight_by_state()),
}


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", ENUMERATED)
def test_the_variance_is_the_enumerated_one(name, dtype):
    gradient = (UNBIASED.get(name) or BIASED[name][0])()
    drawn = samples(gradient, make_problem(dtype)).double()
    assert float(drawn.var(0).sum()) == pytest.approx(ENUMERATED[name](), rel=0.1)


def concrete(noise: np.ndarray, temperature: float) -> np.ndarray:
    logits = arrays()["l"] + np.log(noise) - np.log1p(-noise)
    relaxed = sigmoid(logits / temperature)
    return -relaxed * (1 - relaxed) / temperature * slope(relaxed) + kl_slope()


def smoothed(noise: np.ndarray, beta: float) -> np.ndarray:
    on = sigmoid(arrays()["l"])
    u = np.maximum(noise - (1 - on), 0) / on
    zeta = np.where(u > 0, 1 + np.log(u + (1 - u) * np.exp(-beta)) / beta, 0.0)
    inner = (1 - u) * (1 - on) / (beta * (u + 1 / np.expm1(beta)))
    return -np.where(u > 0, inner, 0.0) * slope(zeta) + kl_slope()


SAMPLED = {
    "gumbel-softmax τ=0.5": lambda noise: concrete(noise, 0.5),
    "gumbel-softmax τ=0.1": lambda noise: concrete(noise, 0.1),
    "dvae β=3": lambda noise: smoothed(noise, 3.0),
}


def sampled_variance(name: str, draws: int) -> float:
    generator, total, squares = np.random.default_rng(5), 0.0, 0.0
    for _ in range(draws // 500_000):
        drawn = SAMPLED[name](generator.random((500_000, FACTORS)))
        total, squares = total + drawn.mean(0), squares + (drawn**2).mean(0)
    parts = draws // 500_000
    return float((squares / parts - (total / parts) ** 2).sum())


@pytest.mark.parametrize("name", SAMPLED)
def test_the_variance_of_a_relaxation_is_that_of_ten_million_samples(name):
    expected = sampled_variance(name, 10_000_000)
    for dtype in DTYPES:
        drawn = samples(BIASED[name][0](), make_problem(dtype), 1_000_000).double()
        assert float(drawn.var(0).sum()) == pytest.approx(expected, rel=0.1)


def test_variances_are_ordered_as_the_mathematics_says():
    problem = make_problem()
    variance = {
        "local-expectation": samples(LocalExpectation(SIZES), problem).var(0).sum(),
        "gumbel-softmax τ=0.5": samples(gumbel(0.5), problem).var(0).sum(),
        "nvil": samples(nvil(constant_baseline=True, fitted_coefficient=True), problem),
        "score": samples(nvil(), problem).var(0).sum(),
    }
    best_baseline = float(weights() @ log_likelihood(arrays()["z"]))
    tuned = nvil(constant_baseline=True)
    tuned.moments.mean.fill_(best_baseline)
    variance["nvil"] = samples(tuned, problem).var(0).sum()
    assert variance["local-expectation"] < variance["nvil"] < variance["score"]
    assert variance["local-expectation"] < 0.2 * variance["nvil"]
    assert variance["gumbel-softmax τ=0.5"] < variance["nvil"]


# ---- parameters of the model ----


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", UNBIASED)
def test_decoder_and_prior_get_their_exact_gradients(name, dtype):
    gradient, problem = UNBIASED[name](), make_problem(dtype)
    exact = exact_gradients(make_problem())
    torch.manual_seed(2)
    named = dict(problem.joint.named_parameters())
    means = []
    for _ in range(40):
        q = problem.posterior(2000)
        loss = gradient(problem.joint.condition(problem.batch(2000)), q, 1.0).loss.mean()
        means.append(torch.autograd.grad(loss, list(named.values())))
    for key, parts in zip(named, zip(*means, strict=True), strict=True):
        drawn = torch.stack(parts).double()
        error = drawn.std(0) / math.sqrt(len(drawn))
        assert ((drawn.mean(0) - exact[key]).abs() <= 4.5 * error + 2e-5).all(), key


@pytest.mark.parametrize("name", BIASED)
def test_relaxations_reach_every_parameter_too(name):
    problem = make_problem()
    loss = BIASED[name][0]()(problem.joint.condition(problem.batch(50)), problem.posterior(50), 1.0)
    found = torch.autograd.grad(loss.loss.mean(), list(problem.joint.parameters()))
    assert all(bool((part != 0).any()) for part in found)


@pytest.mark.parametrize("kl_weight", [0.0, 0.3, 1.0])
def test_the_kl_weight_weighs_the_kl_alone(kl_weight):
    problem = make_problem()
    exact = exact_gradients(problem, kl_weight)["logits"]
    q = problem.posterior(100_000)
    target = problem.joint.condition(problem.batch(100_000))
    loss = LocalExpectation(SIZES)(target, q, kl_weight).loss
    drawn = torch.autograd.grad(loss.sum(), q.logits)[0]
    error = drawn.std(0) / math.sqrt(len(drawn))
    assert ((drawn.mean(0) - exact).abs() <= 4 * error + 1e-9).all()


@pytest.mark.parametrize(
    "switch", ["constant_baseline", "input_baseline", "normalise_variance", "fitted_coefficient"]
)
def test_each_switch_of_nvil_changes_the_estimate(switch):
    problem = make_problem()
    plain, switched = (samples(nvil(**{switch: on}), problem, 10) for on in (False, True))
    assert not torch.allclose(plain, switched)


def test_local_expectation_serves_an_mlp_decoder():
    problem = make_problem(decoder="mlp")
    drawn = samples(LocalExpectation(SIZES), problem, 50_000)
    exact = exact_gradients(problem)["logits"]
    error = drawn.std(0) / math.sqrt(len(drawn))
    assert ((drawn.mean(0) - exact).abs() <= 4 * error + 1e-9).all()
