"""Score functions with slopes as control variates, against the answer by enumeration at D = 5."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from tests.estimators.planted import model, planted
from tests.gradients.test_contracts import Autoregressive, coupled
from tests.gradients.test_enumeration import (
    DTYPES,
    FACTORS,
    SIZES,
    arrays,
    kl_slope,
    log_likelihood,
    samples,
    score_by_state,
    sigmoid,
    slope,
    total_variance,
    weights,
)
from tests.problems import exact_bound, exact_gradients, make_problem
from topicfactors import BinaryFactorModel, ConfigurationError
from topicfactors.estimators.parts import choose
from topicfactors.gradients import GRADIENTS, DoubleCV, MuProp, Rebar, Relax
from topicfactors.gradients.gumbel_rao import conditional
from topicfactors.gradients.rebar import Noisy
from topicfactors.inference.posteriors import MeanField, MeanFieldPosterior
from topicfactors.model.likelihoods import LIKELIHOODS

NAMES = ["muprop", "double-cv", "rebar", "relax"]


class Grouped(MeanFieldPosterior):
    """Makes no independent bits, or says so."""

    family = Autoregressive


def muprop(baseline: float = 0.0) -> MuProp:
    gradient = MuProp(SIZES)
    gradient.moments.mean.fill_(baseline)
    return gradient.eval()


def double_cv(alpha: float, draws: int = 2) -> DoubleCV:
    gradient = DoubleCV(SIZES, samples=draws)
    gradient.regression.square.fill_(2.0)
    gradient.regression.cross.fill_(-2.0 * alpha)
    return gradient.eval()


def rebar(temperature: float = 0.5, scale: float = 1.0) -> Rebar:
    return Rebar(SIZES, temperature=temperature, scale=scale).eval()


def relax(scale: float = 0.8) -> Relax:
    """With a network that knows nothing but is not zero."""
    torch.manual_seed(0)
    gradient = Relax(SIZES, temperature=0.7, scale=scale, width=6)
    torch.nn.init.normal_(gradient.network.last.weight)
    gradient.network.unit.fill_(4.0)
    return gradient.eval()


UNBIASED = {
    "muprop": muprop,
    "muprop-constant": lambda: muprop(-3.2),
    "double-cv α=0.7": lambda: double_cv(0.7),
    "double-cv K=3": lambda: double_cv(0.7, 3),
    "rebar": rebar,
    "rebar τ=1 η=0.6": lambda: rebar(1.0, 0.6),
    "relax": relax,
}


def agrees(drawn, exact, errors=4.0):
    drawn = drawn.double()
    error = drawn.std(0) / math.sqrt(len(drawn))
    return bool(((drawn.mean(0) - exact).abs() <= errors * error + 1e-5).all())


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", UNBIASED)
def test_the_mean_is_the_exact_gradient(name, dtype):
    gradient = UNBIASED[name]()
    assert gradient.unbiased
    exact = exact_gradients(make_problem())["logits"]
    assert agrees(samples(gradient, make_problem(dtype)), exact)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("decoder", ["log-linear", "mlp"])
@pytest.mark.parametrize("name", NAMES)
def test_it_is_so_for_every_likelihood_and_decoder(name, decoder, likelihood):
    problem = make_problem(decoder=decoder, likelihood=likelihood)
    drawn = samples(GRADIENTS[name](SIZES).eval(), problem, 20_000)
    assert agrees(drawn, exact_gradients(problem)["logits"], 4.5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kl_weight", [0.0, 0.4])
def test_the_kl_weight_weighs_the_kl_alone(name, kl_weight):
    problem = make_problem()
    q = problem.posterior(50_000)
    target = problem.joint.condition(problem.batch(50_000))
    loss = GRADIENTS[name](SIZES).eval()(target, q, kl_weight).loss
    drawn = torch.autograd.grad(loss.sum(), q.logits)[0]
    assert agrees(drawn, exact_gradients(problem, kl_weight)["logits"])


@pytest.mark.parametrize("name", NAMES)
def test_a_prior_without_closed_kl_is_sampled_without_bias(name):
    problem = make_problem()
    problem = problem._replace(joint=coupled(problem))
    prior, logits = problem.joint.prior, problem.logits.clone().requires_grad_()
    wanted = [logits, prior.a, prior.j]
    exact = torch.autograd.grad(-exact_bound(problem, logits, 0.4), wanted)
    torch.manual_seed(0)
    q, target = problem.posterior(100_000), problem.joint.condition(problem.batch(100_000))
    loss = GRADIENTS[name](SIZES).eval()(target, q, 0.4).loss
    assert agrees(torch.autograd.grad(loss.sum(), q.logits, retain_graph=True)[0], exact[0])
    for found, value in zip(torch.autograd.grad(loss.mean(), wanted[1:]), exact[1:], strict=True):
        torch.testing.assert_close(found, value, atol=5e-3, rtol=0)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_decoder_and_prior_get_their_exact_gradients(name, dtype):
    """In training, where the estimator's own parameters are tuned by the same pass."""
    problem, exact = make_problem(dtype), exact_gradients(make_problem())
    gradient, named = GRADIENTS[name](SIZES), dict(problem.joint.named_parameters())
    torch.manual_seed(2)
    means = []
    for _ in range(40):
        target = problem.joint.condition(problem.batch(2000))
        loss = gradient(target, problem.posterior(2000), 1.0).loss.mean()
        means.append(torch.autograd.grad(loss, list(named.values())))
    for key, parts in zip(named, zip(*means, strict=True), strict=True):
        assert agrees(torch.stack(parts), exact[key], 4.5), key


@pytest.mark.parametrize("name", NAMES)
def test_a_posterior_that_is_not_factorised_is_refused(name):
    chosen = BinaryFactorModel(inference=name, posterior=Grouped).get_params(deep=False)
    with pytest.raises(ConfigurationError, match=r"factorised.*use posterior='mean-field'"):
        choose(chosen, 3)


# ---- variance, against formulas written out again in NumPy ----


def muprop_by_state(baseline: float) -> np.ndarray:
    n = arrays()
    on = sigmoid(n["l"])
    middle, tangent = log_likelihood(on[None]), slope(on[None])[0]
    off = n["z"] - on
    left = log_likelihood(n["z"]) - middle - off @ tangent - baseline
    return -left[:, None] * off - on * (1 - on) * tangent + kl_slope()


def pairs_of_states() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two states each and their probability, ``(1024, …)``."""
    pairs = np.array(list(itertools.product(range(2**FACTORS), repeat=2)))
    first, second = (arrays()["z"][pairs[:, column]] for column in (0, 1))
    return first, second, weights()[pairs].prod(1)


def double_cv_parts() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """½(f1 − f2)(z1 − z2) and what α multiplies, of every pair; and the probabilities."""
    one, two, chance = pairs_of_states()
    on = sigmoid(arrays()["l"])
    f1, f2, g1, g2 = log_likelihood(one), log_likelihood(two), slope(one), slope(two)
    c1, c2 = (g2 * (one - on)).sum(1), (g1 * (two - on)).sum(1)
    plain = 0.5 * (f1 - f2)[:, None] * (one - two)
    control = -0.5 * (c1 - c2)[:, None] * (one - two) + 0.5 * (g1 + g2) * on * (1 - on)
    return plain, control, chance


def variance_of_pairs(alpha: float) -> float:
    plain, control, chance = double_cv_parts()
    each = plain + alpha * control
    return float((chance @ (each - chance @ each) ** 2).sum())


ENUMERATED = {
    "muprop": lambda: total_variance(muprop_by_state(0.0)),
    "muprop-constant": lambda: total_variance(muprop_by_state(-3.2)),
    "double-cv α=0.7": lambda: variance_of_pairs(0.7),
}


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", ENUMERATED)
def test_the_variance_is_the_enumerated_one(name, dtype):
    drawn = samples(UNBIASED[name](), make_problem(dtype)).double()
    assert float(drawn.var(0).sum()) == pytest.approx(ENUMERATED[name](), rel=0.05)


def rebar_again(noise: np.ndarray, temperature: float, scale: float) -> np.ndarray:
    """Two evaluations of f at two relaxed draws, as the paper writes them out."""
    logits = arrays()["l"]
    on = sigmoid(logits)
    first = logits + np.log(noise / (1 - noise))
    bits = (first > 0).astype(float)
    again = np.where(bits == 1, 1 - (1 - noise) / on, 1 - noise / (1 - on))
    odds = again / (1 - again)
    second = np.where(bits == 1, np.log(odds / (1 - on) + 1), -np.log(odds / on + 1))
    up = odds * on / (1 - on) / (odds / (1 - on) + 1)
    down = odds * (1 - on) / on / (odds / on + 1)
    parts = []
    for at, moves in ((first, 1.0), (second, np.where(bits == 1, up, down))):
        relaxed = sigmoid(at / temperature)
        parts.append(slope(relaxed) * relaxed * (1 - relaxed) / temperature * moves)
    conditional = log_likelihood(sigmoid(second / temperature))
    score = (log_likelihood(bits) - scale * conditional)[:, None] * (bits - on)
    return -score - scale * (parts[0] - parts[1]) + kl_slope()


def network_again(noise: np.ndarray, gradient: Relax) -> np.ndarray:
    """What the network adds to the estimate, by hand."""
    net = gradient.network
    w, b, v, last, bias = (
        part.detach().double().numpy()
        for part in (
            net.of_bits.weight,
            net.of_bits.bias,
            net.of_features.weight,
            net.last.weight,
            net.last.bias,
        )
    )
    logits = arrays()["l"]
    on, zeta = sigmoid(logits), logits + np.log(noise / (1 - noise))
    r, bits = sigmoid(zeta), (zeta > 0).astype(float)
    hidden = np.tanh(r @ w.T + b + v[:, 0])
    reads = last[0] + last[1] * arrays()["x"].sum() / 100
    value = 4.0 * (hidden @ reads + bias[0] + bias[1] * arrays()["x"].sum() / 100)
    to_zeta = 4.0 * ((1 - hidden**2) * reads) @ w * r * (1 - r)
    again = np.where(bits == 1, on * (1 - np.exp(-zeta)), (1 - on) * (1 - np.exp(zeta)))
    return value[:, None] * (bits - on) - to_zeta * (1 - again)


SIMULATED = {
    "rebar": lambda noise: rebar_again(noise, 0.5, 1.0),
    "rebar τ=1 η=0.6": lambda noise: rebar_again(noise, 1.0, 0.6),
    "relax": lambda noise: rebar_again(noise, 0.7, 0.8) + network_again(noise, relax()),
}


def simulated(name: str, draws: int, block: int = 250_000) -> float:
    generator, total, squares = np.random.default_rng(5), 0.0, 0.0
    for _ in range(draws // block):
        drawn = SIMULATED[name](generator.random((block, FACTORS)))
        total, squares = total + drawn.mean(0), squares + (drawn**2).mean(0)
    parts = draws // block
    return float((squares / parts - (total / parts) ** 2).sum())


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", SIMULATED)
def test_the_variance_is_that_of_the_formula_simulated(name, dtype):
    drawn = samples(UNBIASED[name](), make_problem(dtype)).double()
    assert float(drawn.var(0).sum()) == pytest.approx(simulated(name, 500_000), rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("name", SIMULATED)
def test_the_variance_is_that_of_ten_million_samples(name):
    expected = simulated(name, 10_000_000)
    for dtype in DTYPES:
        drawn = samples(UNBIASED[name](), make_problem(dtype), 1_000_000).double()
        assert float(drawn.var(0).sum()) == pytest.approx(expected, rel=0.05)


# ---- what is tuned ----


def trained(gradient, problem=None, steps=150, rate=0.03, copies=400):
    """After some steps of Adam on the control, or of regression; frozen."""
    problem = make_problem() if problem is None else problem
    parameters = [part for part in gradient.parameters() if part.requires_grad]
    optimizer = torch.optim.Adam(parameters, lr=rate) if parameters else None
    torch.manual_seed(5)
    for _ in range(steps):
        target = problem.joint.condition(problem.batch(copies))
        control = gradient(target, problem.posterior(copies), 1.0).control
        if optimizer is not None:
            optimizer.zero_grad()
            control.backward()
            optimizer.step()
    return gradient.eval()


def spread(gradient, problem=None, copies=100_000):
    problem = make_problem() if problem is None else problem
    return float(samples(gradient, problem, copies).var(0).sum())


def test_the_regressed_coefficient_is_the_best_one():
    plain, control, chance = double_cv_parts()
    best = -float(chance @ (plain * control).sum(1) / (chance @ (control**2).sum(1)))
    learnt = trained(DoubleCV(SIZES, decay=0.99), steps=200, copies=2000)
    assert float(learnt.regression()) == pytest.approx(best, abs=0.03)
    least = variance_of_pairs(best)
    assert least < min(variance_of_pairs(best + 0.2), variance_of_pairs(best - 0.2))


def gentle():
    """The toy with loadings so small that f is nearly linear, where tangents tell most."""
    problem = make_problem()
    problem.joint.decoder.raw.data *= 0.2
    return problem


def test_tangents_take_most_of_the_variance_where_f_is_nearly_linear():
    """The wrong sign is unbiased too, and only its variance tells."""
    problem = gentle()
    plain, wrong = spread(double_cv(0.0), problem), spread(double_cv(-1.0), problem)
    learnt = trained(DoubleCV(SIZES), problem, steps=40)
    assert 0.7 < float(learnt.regression()) < 1.3
    assert spread(learnt, problem) < 0.1 * plain
    assert wrong > 3 * plain
    assert spread(muprop(), problem) < 0.1 * plain


def test_before_its_first_step_double_cv_leaves_one_out():
    assert spread(DoubleCV(SIZES).eval()) == pytest.approx(variance_of_pairs(0.0), rel=0.05)


def test_muprop_learns_its_baseline_from_training_only():
    gradient = MuProp(SIZES)
    trained(gradient.eval(), steps=1)
    assert float(gradient.moments.seen) == 0
    trained(gradient.train(), steps=20)
    left = log_likelihood(arrays()["z"]) @ weights() - log_likelihood(sigmoid(arrays()["l"])[None])
    assert float(gradient.moments.mean) == pytest.approx(float(left[0]), abs=0.3)
    assert spread(gradient) < 0.6 * spread(muprop())


@pytest.mark.parametrize("kind", [Rebar, Relax])
def test_tuning_lowers_the_variance_below_that_of_two_samples(kind):
    gradient = kind(SIZES, temperature=3.0, scale=0.3)
    before = spread(gradient.eval())
    after = spread(trained(gradient.train()))
    assert after < 0.05 * before
    assert after < 0.85 * spread(double_cv(0.0))  # rloo of two samples
    assert after < 0.02 * total_variance(score_by_state(0.0))  # reinforce
    assert float(gradient.temperature()) < 2.5
    assert float(gradient.scale.detach()) > 0.4


def test_the_network_alone_learns_to_be_a_control_variate():
    gradient = Relax(SIZES, scale=0.0)
    gradient.scale.requires_grad_(False)
    assert spread(gradient.eval()) == pytest.approx(total_variance(score_by_state(0.0)), rel=0.1)
    best = float(weights() @ log_likelihood(arrays()["z"]))
    assert spread(trained(gradient.train())) < 0.75 * total_variance(score_by_state(best))


def test_the_control_descends_the_variance_in_both_of_its_numbers():
    """Their derivatives are those of the variance, up to one unit for both."""
    gradient, problem, step = Rebar(SIZES, temperature=2.0, scale=0.9), make_problem(), 0.1
    torch.manual_seed(3)
    found = torch.zeros(2, dtype=torch.float64)
    for _ in range(100):
        target = problem.joint.condition(problem.batch(2000))
        control = gradient(target, problem.posterior(2000), 1.0).control
        both = torch.autograd.grad(control, [gradient.log_temperature, gradient.scale])
        found += torch.stack(both).double() / 100
    colder, warmer = (spread(rebar(2.0 * math.exp(s), 0.9)) for s in (-step, step))
    less, more = (spread(rebar(2.0, 0.9 + s)) for s in (-step, step))
    ratio = (warmer - colder) / (more - less)
    assert float(found[0] / found[1]) == pytest.approx(ratio, rel=0.15)
    assert float(found[1]) < 0


@pytest.mark.parametrize("kind", [Rebar, Relax])
def test_the_control_trains_the_estimator_and_nothing_else(kind):
    problem = make_problem(torch.float32)
    gradient, q = kind(SIZES), problem.posterior(50)
    surrogate = gradient(problem.joint.condition(problem.batch(50)), q, 1.0)
    own, others = list(gradient.parameters()), [q.logits, *problem.joint.parameters()]
    found = torch.autograd.grad(
        surrogate.control, [*own, *others], allow_unused=True, retain_graph=True
    )
    assert all(part is None for part in found[len(own) :])
    named = dict(zip(dict(gradient.named_parameters()), found[: len(own)], strict=True))
    told = ["log_temperature", "scale", *(["network.last.weight"] if kind is Relax else [])]
    assert all(bool((named[name] != 0).any()) for name in told)
    of_loss = torch.autograd.grad(surrogate.loss.sum(), own, allow_unused=True)
    assert all(part is None for part in of_loss)


@pytest.mark.parametrize("kind", [Rebar, Relax])
def test_what_is_not_to_be_tuned_stays(kind):
    problem = make_problem(torch.float32)
    target, q = problem.joint.condition(problem.batch(50)), problem.posterior(50)
    assert kind(SIZES, learnt=False)(target, q, 1.0).control is None
    assert kind(SIZES).eval()(target, q, 1.0).control is None


def test_relax_serves_a_posterior_without_features():
    problem = make_problem()
    gradient = Relax(SIZES._replace(features=0))
    q = MeanField(problem.posterior(100).logits)
    control = gradient(problem.joint.condition(problem.batch(100)), q, 1.0).control
    assert torch.isfinite(control)
    control.backward()
    assert bool((gradient.network.last.weight.grad != 0).any())


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_the_relaxation_given_the_bit_moves_as_it_is_differentiated(dtype):
    logits = torch.linspace(-6, 6, 25, dtype=dtype).view(1, 1, -1).requires_grad_()
    torch.manual_seed(0)
    draw = MeanField(logits[0]).sample(50)
    noisy = Noisy.of(draw)
    on = torch.sigmoid(draw.logits.detach().double())
    noise = draw.noise.double()
    again = torch.where(draw.bits > 0, 1 - (1 - noise) / on, 1 - noise / (1 - on))
    wide = draw.logits.detach().double().requires_grad_()
    zeta = conditional(wide, draw.bits.double(), again.clamp(1e-12, 1 - 1e-12))
    moves = torch.autograd.grad(zeta.sum(), wide)[0]
    tolerance = 1e-6 if dtype == torch.float64 else 2e-3
    torch.testing.assert_close(zeta.detach(), noisy.zeta.double(), atol=tolerance, rtol=tolerance)
    torch.testing.assert_close(1 - moves, noisy.chain.double(), atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("bit", [0.0, 1.0])
def test_noise_given_the_bit_has_the_distribution_of_noise_that_gave_it(bit):
    torch.manual_seed(1)
    zeta = torch.tensor(0.7) + torch.logit(torch.rand(400_000, dtype=torch.float64))
    expected = zeta[(zeta > 0) == bool(bit)]
    drawn = conditional(torch.tensor(0.7), torch.tensor(bit), torch.rand(400_000).double())
    at = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)
    torch.testing.assert_close(drawn.quantile(at), expected.quantile(at), atol=0.03, rtol=0.03)


# ---- whole fits ----


@pytest.mark.parametrize("name", NAMES)
def test_a_fit_improves_its_bound(name):
    corpus = planted()
    fitted = model(inference=name, max_iter=15).fit(corpus.counts)
    bounds = [epoch.bound for epoch in fitted.history_]
    assert max(bounds[-3:]) > bounds[5] + 2  # after the warm-up of the KL
    scores = fitted.evaluate(corpus.counts)
    assert scores.perplexity.per_document < scores.unigram.per_document
