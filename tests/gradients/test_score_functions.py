"""The score-function family against enumeration: means, variances, posteriors in groups."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
import scipy.sparse
import torch
from torch import Tensor

from tests.estimators.planted import model, planted
from tests.gradients.test_contracts import Autoregressive, autoregressive, coupled, within
from tests.gradients.test_enumeration import (
    DTYPES,
    SIZES,
    arrays,
    log_likelihood,
    samples,
    score_by_state,
    sigmoid,
    total_variance,
    weights,
)
from tests.problems import FACTORS, Problem, make_problem
from topicfactors.bits import all_states
from topicfactors.contracts import Draw
from topicfactors.errors import ConfigurationError
from topicfactors.gradients import (
    ARMS,
    GRADIENTS,
    RLOO,
    VIMCO,
    DisARM,
    RaoBlackwell,
    Reinforce,
    SelfCritical,
    WakeSleep,
)
from topicfactors.gradients.arms import correction
from topicfactors.gradients.arms import coupled as coupled_noise
from topicfactors.gradients.base import Gradient
from topicfactors.gradients.rao_blackwell import most_probable, outside
from topicfactors.inference.families import POSTERIORS
from topicfactors.inference.posteriors import MeanFieldPosterior
from topicfactors.model.likelihoods import LIKELIHOODS

COPIES = 100_000
BASELINE, COEFFICIENT = -25.0, np.array([2.0, -1.0, 0.5, -1.5, 1.0])


def reinforce(constant: bool = False, fitted: bool = False) -> Reinforce:
    """Its baselines have seen something and are frozen: what they subtract is a constant."""
    options = {"constant_baseline": constant, "fitted_coefficient": fitted}
    gradient = Reinforce(SIZES, samples=1, **options)
    gradient.moments.mean.fill_(BASELINE)
    if gradient.coefficient is not None:
        gradient.coefficient.covariance.copy_(torch.from_numpy(-0.2 * COEFFICIENT))
        gradient.coefficient.variance.fill_(0.2)
    return gradient.eval()


CASES: dict[str, Callable[[], Gradient]] = {
    "reinforce": reinforce,
    "reinforce constant": lambda: reinforce(constant=True),
    "reinforce fitted": lambda: reinforce(constant=True, fitted=True),
    "rloo 2": lambda: RLOO(SIZES, samples=2),
    "rloo 3": lambda: RLOO(SIZES, samples=3),
    "self-critical": lambda: SelfCritical(SIZES),
    "disarm": lambda: DisARM(SIZES),
    "disarm 2": lambda: DisARM(SIZES, samples=2),
    "arms 2": lambda: ARMS(SIZES, samples=2),
    "arms 3": lambda: ARMS(SIZES, samples=3),
    "rao-blackwell 1": lambda: RaoBlackwell(SIZES, states=1),
    "rao-blackwell 4": lambda: RaoBlackwell(SIZES, states=4),
    "rao-blackwell 4 of 3": lambda: RaoBlackwell(SIZES, states=4, samples=3),
    "rao-blackwell 40": lambda: RaoBlackwell(SIZES, states=40),
    "vimco 2": lambda: VIMCO(SIZES, samples=2),
    "vimco 3": lambda: VIMCO(SIZES, samples=3),
    "wake-sleep 2": lambda: WakeSleep(SIZES, samples=2),
    "wake-sleep 3": lambda: WakeSleep(SIZES, samples=3),
}
ONE_EACH = [
    "reinforce fitted",
    "rloo 2",
    "self-critical",
    "disarm",
    "arms 3",
    "rao-blackwell 4",
    "vimco 2",
    "wake-sleep 2",
]
IN_GROUPS = [name for name in ONE_EACH if not CASES[name]().factorised]


# ---- the exact answers, by summing over states, or over tuples of K states ----


class Exact(NamedTuple):
    """Derivatives of the loss in q's parameters and, by name, in the model's."""

    posterior: list[Tensor]
    model: dict[str, Tensor]


def exact(
    gradient: Gradient,
    problem: Problem,
    kl_weight: float = 1.0,
    q: Autoregressive | None = None,
) -> Exact:
    """What the estimator is an estimate of, whichever its objective."""
    leaves = [problem.logits.clone().requires_grad_()] if q is None else [q.start, q.weights]
    states = all_states(FACTORS).to(problem.logits.dtype)[:, None, :]
    target = problem.joint.condition(problem.batch())
    if q is None:
        log_q = (states[:, 0] * leaves[0] - torch.nn.functional.softplus(leaves[0])).sum(-1)
    else:
        log_q = q.log_prob(Draw(states, states, states, states))[:, 0]
    prior = target.log_prior(states)[:, 0]
    signal = target.log_likelihood(states)[:, 0] + kl_weight * (prior - log_q)
    count = 1 if gradient.objective == "elbo" else gradient.samples
    tuples = torch.cartesian_prod(*[torch.arange(2**FACTORS)] * count).view(-1, count)
    chance = log_q[tuples].sum(1).exp()
    loss = -(chance * (signal[tuples].logsumexp(1) - math.log(count))).sum()
    named = dict(problem.joint.named_parameters())
    of_model = torch.autograd.grad(loss, list(named.values()), retain_graph=True)
    if gradient.objective == "wake-sleep":
        share = signal[tuples].softmax(1).detach()
        loss = -(chance.detach() * (share * log_q[tuples]).sum(1)).sum()
    found = torch.autograd.grad(loss, leaves)
    return Exact(list(found), dict(zip(named, of_model, strict=True)))


def agree(drawn: Tensor, expected: Tensor, resolution: float = 0.25, slack: float = 1e-5) -> None:
    """Equal within 4 standard errors, which must be small enough to tell right from wrong."""
    drawn, expected = drawn.double(), expected.double()
    error = drawn.std(0) / math.sqrt(len(drawn))
    assert float(error.max()) < resolution * float(expected.abs().max()) / 4
    assert ((drawn.mean(0) - expected).abs() <= 4 * error + slack).all()


@functools.cache
def drawn_by(name: str, dtype: torch.dtype) -> Tensor:
    """Many independent estimates, (copies, D) float64; few where all are to be the same."""
    copies = 2000 if name == "rao-blackwell 40" else COPIES
    return samples(CASES[name](), make_problem(dtype), copies).double()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", CASES)
def test_the_mean_is_the_exact_gradient(name, dtype):
    gradient, drawn = CASES[name](), drawn_by(name, dtype)
    assert gradient.unbiased == (gradient.objective != "wake-sleep")
    agree(drawn, exact(gradient, make_problem()).posterior[0])


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("kl_weight", [0.3, 1.0])
@pytest.mark.parametrize("name", ONE_EACH)
def test_decoder_and_prior_get_their_exact_gradients(name, kl_weight, dtype):
    gradient, problem = CASES[name](), make_problem(dtype)
    expected = exact(gradient, make_problem(), kl_weight).model
    torch.manual_seed(2)
    named, found = dict(problem.joint.named_parameters()), []
    for _ in range(40):
        q = problem.posterior(1000)
        loss = gradient(problem.joint.condition(problem.batch(1000)), q, kl_weight).loss.mean()
        found.append(torch.autograd.grad(loss, list(named.values())))
    for key, parts in zip(named, zip(*found, strict=True), strict=True):
        agree(torch.stack(parts), expected[key], slack=1e-4)


@pytest.mark.parametrize("kl_weight", [0.0, 0.3])
@pytest.mark.parametrize("name", ONE_EACH)
def test_the_kl_weight_weighs_the_kl_alone(name, kl_weight):
    gradient, problem = CASES[name](), make_problem()
    torch.manual_seed(3)
    q = problem.posterior(COPIES)
    loss = gradient(problem.joint.condition(problem.batch(COPIES)), q, kl_weight).loss
    drawn = torch.autograd.grad(loss.sum(), q.logits)[0]
    agree(drawn, exact(gradient, problem, kl_weight).posterior[0])


@pytest.mark.parametrize("decoder", ["log-linear", "mlp"])
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("name", ONE_EACH)
def test_every_likelihood_and_decoder_is_served(name, likelihood, decoder):
    gradient, copies = CASES[name](), 20_000
    problem = make_problem(likelihood=likelihood, decoder=decoder)
    torch.manual_seed(4)
    for _ in range(20 if isinstance(gradient, Reinforce) else 0):  # its baselines are of another
        gradient.train()(problem.joint.condition(problem.batch(500)), problem.posterior(500), 1.0)
    gradient.eval()
    q = problem.posterior(copies)
    loss = gradient(problem.joint.condition(problem.batch(copies)), q, 1.0).loss
    drawn = torch.autograd.grad(loss.sum(), q.logits, retain_graph=True)[0]
    expected = exact(gradient, problem)
    agree(drawn, expected.posterior[0], resolution=0.6)
    named = dict(problem.joint.named_parameters())
    for key, part in zip(named, torch.autograd.grad(loss.mean(), named.values()), strict=True):
        size = float(expected.model[key].abs().max())
        torch.testing.assert_close(part, expected.model[key], atol=0.1 * size, rtol=0)


# ---- a posterior in groups, a prior without closed KL ----


class Grouped(Autoregressive):
    """The same posterior, saying which factors are drawn together."""

    groups = torch.tensor([0, 0, 1, 1, 1])

    def detach(self):
        return Grouped(self.start.detach(), self.weights.detach())


def grouped(problem: Problem, copies: int) -> Grouped:
    plain = autoregressive(problem, copies)
    return Grouped(plain.start, plain.weights)


@pytest.mark.parametrize("kl_weight", [0.4, 1.0])
@pytest.mark.parametrize("name", IN_GROUPS)
def test_a_posterior_in_groups_gets_its_exact_gradient(name, kl_weight):
    gradient, problem, copies = CASES[name](), make_problem(), COPIES
    expected = exact(gradient, problem, kl_weight, grouped(problem, 1))
    torch.manual_seed(5)
    q = grouped(problem, copies)
    surrogate = gradient(problem.joint.condition(problem.batch(copies)), q, kl_weight)
    leaves = [q.start, q.weights]
    found = torch.autograd.grad(surrogate.loss.sum(), leaves, retain_graph=True)
    for drawn, value in zip(found, expected.posterior, strict=True):
        agree(drawn, value[0])
    named = dict(problem.joint.named_parameters())
    for key, part in zip(
        named, torch.autograd.grad(surrogate.loss.mean(), named.values()), strict=True
    ):
        size = float(expected.model[key].abs().max())
        torch.testing.assert_close(part, expected.model[key], atol=0.05 * size, rtol=0)


def test_those_that_serve_groups_are_named():
    """Which is checked where a model is built, so that none is biased silently."""
    assert {name.split()[0] for name in ONE_EACH} - {name.split()[0] for name in IN_GROUPS} == {
        "arms",
        "rao-blackwell",
    }


@pytest.mark.parametrize("inference", ["arms", "rao-blackwell"])
def test_a_posterior_in_groups_is_refused_with_a_cure(inference, monkeypatch):
    class InGroups(MeanFieldPosterior):
        family = Autoregressive

    monkeypatch.setitem(POSTERIORS, "in-groups", InGroups)
    with pytest.raises(ConfigurationError, match=r"posterior that is factorised.*'mean-field'"):
        model(inference=inference, posterior="in-groups").fit(planted(documents=20).counts)


def test_disarm_refuses_a_posterior_that_does_not_say_its_groups():
    problem = make_problem()
    q = autoregressive(problem, 3)
    with pytest.raises(ConfigurationError, match="has no groups; use inference='rloo'"):
        DisARM(SIZES)(problem.joint.condition(problem.batch(3)), q, 1.0)


@pytest.mark.parametrize("kl_weight", [0.4, 1.0])
@pytest.mark.parametrize("name", ONE_EACH)
def test_a_prior_without_closed_kl_is_sampled_without_bias(name, kl_weight):
    gradient, problem = CASES[name](), make_problem()
    problem = problem._replace(joint=coupled(problem))
    expected = exact(gradient, problem, kl_weight)
    torch.manual_seed(6)
    q = problem.posterior(COPIES)
    target = problem.joint.condition(problem.batch(COPIES))
    assert target.kl(q) is None
    surrogate = gradient(target, q, kl_weight)
    drawn = torch.autograd.grad(surrogate.loss.sum(), q.logits, retain_graph=True)[0]
    agree(drawn, expected.posterior[0])
    prior = problem.joint.prior
    for key, part in zip(
        "aj", torch.autograd.grad(surrogate.loss.mean(), [prior.a, prior.j]), strict=True
    ):
        size = float(expected.model[f"prior.{key}"].abs().max())
        torch.testing.assert_close(part, expected.model[f"prior.{key}"], atol=0.05 * size, rtol=0)


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("name", ONE_EACH)
def test_the_bound_is_estimated_at_full_weight(name, closed):
    gradient, problem = CASES[name](), make_problem()
    if not closed:
        problem = problem._replace(joint=coupled(problem))
    torch.manual_seed(7)
    q = problem.posterior(COPIES)
    with torch.no_grad():
        bound = gradient(problem.joint.condition(problem.batch(COPIES)), q, 0.3).bound
        states = problem.states()[:, None, :]
        target = problem.joint.condition(problem.batch())
        log_q = (problem.states() * problem.logits).sum(-1)
        log_q = log_q - torch.nn.functional.softplus(problem.logits).sum()
        logs = (target.log_likelihood(states) + target.log_prior(states))[:, 0] - log_q
        count = 1 if gradient.objective == "elbo" else gradient.samples
        tuples = torch.cartesian_prod(*[torch.arange(2**FACTORS)] * count).view(-1, count)
        means = logs[tuples].logsumexp(1) - math.log(count)
        expected = (log_q[tuples].sum(1).exp() * means).sum()
    assert within(bound[:, None], expected)
    assert float(bound.std()) / math.sqrt(COPIES) < 0.02


# ---- variances, against formulas written out again in NumPy ----


def tuples(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All tuples of states (T, K, D), their probabilities (T,), and f of each state (T, K)."""
    z, q, f = arrays()["z"], weights(), log_likelihood(arrays()["z"])
    places = np.array(list(itertools.product(range(len(z)), repeat=count)))
    return z[places], np.prod(q[places], 1), f[places]


def spread(values: np.ndarray, chance: np.ndarray) -> float:
    assert chance.sum() == pytest.approx(1)
    return float((chance @ (values - chance @ values) ** 2).sum())


def of_rloo(count: int) -> float:
    z, chance, f = tuples(count)
    centred = (f - f.mean(1, keepdims=True))[..., None] * (z - sigmoid(arrays()["l"]))
    return spread(centred.sum(1) / (count - 1), chance)


def log_weights() -> np.ndarray:
    n = arrays()
    prior = n["z"] @ n["a"] - np.logaddexp(0, n["a"]).sum()
    return log_likelihood(n["z"]) + prior - np.log(weights())


def of_weighted(name: str, count: int) -> float:
    """Both estimators that weigh K draws; w is formed directly, the numbers being small."""
    z, chance, _ = tuples(count)
    logs = np.array(list(itertools.product(log_weights(), repeat=count)))
    w = np.exp(logs + 40)
    share = w / w.sum(1, keepdims=True)
    if name == "wake-sleep":
        credit = share
    else:
        columns = []
        for k in range(count):
            others = np.delete(w, k, 1)
            stand_in = np.prod(others, 1) ** (1 / (count - 1))
            columns.append(np.log(w.sum(1)) - np.log(others.sum(1) + stand_in))
        credit = np.stack(columns, 1) - share
    return spread((credit[..., None] * (z - sigmoid(arrays()["l"]))).sum(1), chance)


def of_opposites() -> float:
    """All that a pair of opposite draws can be: of each factor (1, 0), (0, 1) or twice the same."""
    on, values, chance = sigmoid(arrays()["l"]), [], []
    for case in itertools.product(range(3), repeat=FACTORS):
        pick = np.array(case)
        likely = (on > 0.5).astype(float)
        first = np.where(pick == 0, 1.0, np.where(pick == 1, 0.0, likely))
        second = np.where(pick == 2, likely, 1 - first)
        rarer = np.minimum(on, 1 - on)
        gap = 0.5 * np.diff(log_likelihood(np.stack([second, first])))
        values.append(gap * (first - second) * np.maximum(on, 1 - on))
        chance.append(np.prod(np.where(pick == 2, 1 - 2 * rarer, rarer)))
    return spread(np.array(values), np.array(chance))


@functools.cache
def of_coupled(count: int) -> float:
    """ARMS: which of the K draws have the rarer value of a factor, by inclusion and exclusion."""
    on = sigmoid(arrays()["l"])
    rarer = np.minimum(on, 1 - on)
    edge = 1 - rarer ** (1 / (count - 1))
    alike = [np.maximum(0, 1 - k * edge) ** (count - 1) for k in range(count + 1)]  # of k draws
    patterns = list(itertools.product((0, 1), repeat=count))
    chances = []
    for pattern in patterns:
        k = sum(pattern)
        terms = range(count - k + 1)
        chances.append(sum((-1) ** j * math.comb(count - k, j) * alike[k + j] for j in terms))
    by_pattern = np.stack(chances)  # (patterns, D)
    values, total = [], []
    for case in itertools.product(range(len(patterns)), repeat=FACTORS):
        chosen = np.array([patterns[c] for c in case]).T  # (K, D) is it the rarer value?
        z = np.where(on > 0.5, 1 - chosen, chosen)
        f = log_likelihood(z)
        scale = rarer * (1 - rarer) / (rarer - alike[2])
        values.append(((f - f.mean())[:, None] * (z - on)).sum(0) / (count - 1) * scale)
        total.append(np.prod(by_pattern[list(case), range(FACTORS)]))
    return spread(np.array(values), np.array(total))


def of_the_rest(states: int, draws: int = 1) -> float:
    z, q, f = arrays()["z"], weights(), log_likelihood(arrays()["z"])
    order = np.argsort(-q)
    best, rest = order[:states], order[states:]
    baseline = q[best] @ f[best] / q[best].sum()
    left = q[rest].sum()
    values = left * (f[rest] - baseline)[:, None] * (z[rest] - sigmoid(arrays()["l"]))
    return spread(values, q[rest] / left) / draws


def of_the_mode() -> float:
    mode = (arrays()["l"] > 0).astype(float)
    return total_variance(score_by_state(float(log_likelihood(mode[None])[0])))


VARIANCES: dict[str, Callable[[], float]] = {
    "reinforce": lambda: total_variance(score_by_state(0.0)),
    "reinforce constant": lambda: total_variance(score_by_state(BASELINE)),
    "reinforce fitted": lambda: total_variance(score_by_state(BASELINE, COEFFICIENT)),
    "rloo 2": lambda: of_rloo(2),
    "rloo 3": lambda: of_rloo(3),
    "self-critical": of_the_mode,
    "disarm": of_opposites,
    "disarm 2": lambda: of_opposites() / 2,
    "arms 2": of_opposites,
    "arms 3": lambda: of_coupled(3),
    "rao-blackwell 1": lambda: of_the_rest(1),
    "rao-blackwell 4": lambda: of_the_rest(4),
    "rao-blackwell 4 of 3": lambda: of_the_rest(4, 3),
    "rao-blackwell 40": lambda: 0.0,
    "vimco 2": lambda: of_weighted("vimco", 2),
    "vimco 3": lambda: of_weighted("vimco", 3),
    "wake-sleep 2": lambda: of_weighted("wake-sleep", 2),
    "wake-sleep 3": lambda: of_weighted("wake-sleep", 3),
}


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", CASES)
def test_the_variance_is_the_enumerated_one(name, dtype):
    drawn = float(drawn_by(name, dtype).var(0).sum())
    assert drawn == pytest.approx(VARIANCES[name](), rel=0.1, abs=1e-8)


def test_wake_sleep_nears_the_other_kl_as_draws_are_added():
    """Its bias against the derivative of KL(p(z | x) || q), as a share of the largest slope."""
    problem = make_problem()
    joint = torch.from_numpy(log_weights() + np.log(weights()))
    slope = torch.sigmoid(problem.logits) - joint.softmax(0) @ problem.states()
    bias = {}
    for count, copies in ((2, 0), (3, 0), (20, 50_000), (200, 5_000)):
        gradient = WakeSleep(SIZES, samples=count)
        found = samples(gradient, problem, copies).mean(0) if copies else None
        mean = exact(gradient, problem).posterior[0] if found is None else found
        bias[count] = float((mean - slope).abs().max() / slope.abs().max())
    assert bias[2] == pytest.approx(0.774, abs=1e-3)
    assert bias[3] == pytest.approx(0.704, abs=1e-3)
    assert bias[20] == pytest.approx(0.34, abs=0.03)
    assert bias[200] < 0.1


def test_the_variances_are_in_the_order_that_the_mathematics_says():
    found = {name: make() for name, make in VARIANCES.items()}
    assert found["reinforce constant"] < found["reinforce"] / 10
    assert found["disarm"] < found["rloo 2"] < found["self-critical"]
    assert found["arms 3"] < found["rloo 3"] < found["rloo 2"]
    assert found["rao-blackwell 4"] < found["rao-blackwell 1"]
    assert found["vimco 3"] < found["vimco 2"]


# ---- what each is made of ----


EVALUATIONS = {
    "reinforce": (lambda: Reinforce(SIZES, samples=3), 3),
    "rloo": (lambda: RLOO(SIZES, samples=3), 3),
    "self-critical": (lambda: SelfCritical(SIZES, samples=3), 4),
    "disarm": (lambda: DisARM(SIZES, samples=3), 6),
    "arms": (lambda: ARMS(SIZES, samples=3), 3),
    "rao-blackwell": (lambda: RaoBlackwell(SIZES, samples=3, states=4), 7),
    "vimco": (lambda: VIMCO(SIZES, samples=3), 3),
    "wake-sleep": (lambda: WakeSleep(SIZES, samples=3), 3),
}


@pytest.mark.parametrize("name", EVALUATIONS)
def test_a_step_evaluates_the_decoder_as_often_as_is_said(name):
    make, stated = EVALUATIONS[name]
    gradient, problem, seen = make(), make_problem(), []
    target = problem.joint.condition(problem.batch(2))
    evaluate = target.log_likelihood
    target.log_likelihood = lambda values: seen.append(len(values)) or evaluate(values)
    gradient(target, problem.posterior(2), 1.0)
    assert sum(seen) == stated
    assert GRADIENTS[name] is type(gradient)


def test_disarm_evaluates_once_and_once_more_for_every_group():
    problem, seen = make_problem(), []
    target = problem.joint.condition(problem.batch(2))
    evaluate = target.log_likelihood
    target.log_likelihood = lambda values: seen.append(len(values)) or evaluate(values)
    DisARM(SIZES)(target, grouped(problem, 2), 1.0)
    assert sum(seen) == 3


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", ONE_EACH)
@pytest.mark.parametrize("size", [40.0, 1000.0])
def test_saturated_posteriors_have_finite_gradients(name, size, dtype):
    gradient, problem = CASES[name](), make_problem(dtype)
    signs = torch.tensor([1.0, -1.0, 1.0, -1.0, 1.0], dtype=dtype)
    problem = problem._replace(logits=signs * torch.tensor([size, size, 0.0, 0.5, size]).to(dtype))
    torch.manual_seed(8)
    q = problem.posterior(100)
    surrogate = gradient(problem.joint.condition(problem.batch(100)), q, 1.0)
    leaves = [q.logits, *problem.joint.parameters()]
    for part in torch.autograd.grad(surrogate.loss.sum(), leaves):
        assert bool(torch.isfinite(part).all())
    assert bool(torch.isfinite(surrogate.bound).all())


@pytest.mark.parametrize("name", ["vimco", "wake-sleep"])
def test_one_draw_dominating_is_no_trouble(name):
    """Log-weights hundreds of nats apart, as those of long documents are."""
    problem = make_problem(torch.float32)
    problem.joint.decoder.raw.data *= 50
    q = problem.posterior(200)
    loss = GRADIENTS[name](SIZES)(problem.joint.condition(problem.batch(200)), q, 1.0).loss
    assert bool(torch.isfinite(torch.autograd.grad(loss.sum(), q.logits)[0]).all())


@pytest.mark.parametrize("name", ["rloo", "arms", "vimco", "wake-sleep"])
def test_one_draw_is_refused_where_others_are_needed(name):
    with pytest.raises(ConfigurationError, match="samples must be a whole number of 2 or more"):
        GRADIENTS[name](SIZES, samples=1)


def test_rao_blackwell_needs_a_state():
    with pytest.raises(ConfigurationError, match="states must be a whole number of 1 or more"):
        RaoBlackwell(SIZES, states=0)


def test_reinforce_learns_its_baselines_from_training_only():
    torch.manual_seed(9)
    problem, gradient = make_problem(), Reinforce(SIZES, samples=1)
    before = samples(gradient.eval(), problem, 20_000).var(0).sum()
    assert float(gradient.moments.seen) == 0
    gradient.train()
    for _ in range(40):
        gradient(problem.joint.condition(problem.batch(500)), problem.posterior(500), 1.0)
    assert samples(gradient.eval(), problem, 20_000).var(0).sum() < before / 10
    assert float(gradient.moments.seen) == 40


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("count", [1, 2, 7, 64, 500])
def test_the_most_probable_states_are_those_of_brute_force(count, dtype):
    generator = torch.Generator().manual_seed(10)
    logits = 2 * torch.randn(20, 8, generator=generator, dtype=torch.float64)
    logits[0] = 0.0  # all alike
    logits[1, 3:] = 0.7
    found = most_probable(logits.to(dtype), count)
    states = all_states(8).double()
    chance = states @ logits.t() - torch.nn.functional.softplus(logits).sum(-1)  # (2^D, B)
    expected = chance.topk(min(count, 256), 0).values
    same = (found.double()[:, None] == states[:, None]).all(-1)  # (k, 2^D, B)
    torch.testing.assert_close((same.double() * chance).sum(1), expected)
    assert bool((same.sum((0, 1)) == min(count, 256)).all())
    assert int(same.sum(0).max()) == 1, "a state came twice"


@pytest.mark.parametrize("states", [1, 4, 15])
def test_draws_from_the_rest_are_those_of_q_without_the_best(states):
    torch.manual_seed(11)
    logits = torch.tensor([[1.5, -0.3, 0.8, -2.0]])
    known = most_probable(logits, states)
    drawn, left = outside(logits, known, 200_000)
    every = all_states(4)
    chance = (every @ logits[0] - torch.nn.functional.softplus(logits[0]).sum()).exp()
    inside = (every[:, None] == known[:, 0]).all(-1).any(1)
    expected = chance.masked_fill(inside, 0.0)
    assert float(left) == pytest.approx(float(expected.sum()), rel=1e-5)
    places = (drawn[:, 0] * 2 ** torch.arange(4)).sum(-1).long()
    found = torch.bincount(places, minlength=16) / len(places)
    torch.testing.assert_close(found, expected / expected.sum(), atol=0.005, rtol=0)
    assert not bool((found[inside] > 0).any())


@pytest.mark.parametrize("count", [2, 3, 4, 10])
def test_coupled_draws_are_each_of_q_and_avoid_each_other(count):
    torch.manual_seed(12)
    logits = torch.tensor([-3.0, -1.0, -0.1, 0.4, 2.5], dtype=torch.float64).expand(300_000, -1)
    bits = (coupled_noise(count, logits) > torch.sigmoid(-logits)).double()
    on = torch.sigmoid(logits[0])
    torch.testing.assert_close(bits.mean((0, 1)), on, atol=0.003, rtol=0)
    both = (bits[0] * bits[-1]).mean(0)
    torch.testing.assert_close(
        correction(count, logits[0]), on * (1 - on) / (on - both), atol=0.02, rtol=0
    )
    assert bool((both < on.square()).all())
    assert bool((correction(count, logits[0]) < 1).all())


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_the_correction_of_coupling_is_safe_at_the_ends(dtype):
    logits = torch.tensor([-1000.0, -40.0, -1e-6, 0.0, 1e-6, 40.0, 1000.0], dtype=dtype)
    for count in (2, 3, 100, 10_000):
        found = correction(count, logits)
        assert bool((found > 0.4).all())
        assert bool((found <= 1 + 1e-3).all())
        torch.testing.assert_close(found, found.flip(0))


# ---- a corpus ----


@functools.cache
def of_one_length() -> scipy.sparse.csr_matrix:
    """Planted factors in documents of 60 words: reinforce's baseline knows nothing of lengths."""
    corpus, generator = planted(factors=3, documents=300), np.random.default_rng(0)
    chances = np.exp(corpus.truth @ corpus.loadings)
    rows = [generator.multinomial(60, each / each.sum()) for each in chances]
    return scipy.sparse.csr_matrix(np.array(rows, dtype=np.float64))


@pytest.mark.parametrize("name", EVALUATIONS)
def test_the_held_out_bound_of_a_corpus_rises(name):
    counts, bounds = of_one_length(), []
    chosen = {"inference": name, "learning_rate": 2e-2, "validation_fraction": 0.2}
    fitted = model(
        3, max_iter=12, callbacks=[lambda epoch: bounds.append(epoch.held_out)], **chosen
    )
    fitted.fit(counts)
    assert max(bounds[6:]) > bounds[0] + 5.0, "nats a document"
    before = model(3, max_iter=1, **chosen).fit(counts).score_samples(counts, bound="exact")
    assert fitted.score_samples(counts, bound="exact").mean() > before.mean() + 5.0
