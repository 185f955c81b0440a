"""Continuous layers: their divergence, the bounds they leave valid, and what learns."""

import math

import pytest
import torch

from tests.problems import make_problem
from tests.training.objectives import counts, objective, same, weights_of
from topicfactors.bits import all_states
from topicfactors.contracts import Sizes
from topicfactors.errors import ConfigurationError
from topicfactors.inference import bounds
from topicfactors.training.batches import in_order
from topicfactors.training.continuous import ContinuousLayers, LayeredTarget

DOUBLE = torch.float64


def layers(factors=2, words=8, features=3, seed=0, spread=0.7, **options):
    """Layers whose every weight was drawn."""
    torch.manual_seed(seed)
    made = ContinuousLayers(Sizes(words, factors, features + 1), **options).to(DOUBLE)
    for parameter in made.parameters():
        parameter.data = spread * torch.randn_like(parameter)
    return made


def drawn(made, samples, documents=4, factors=2, features=3):
    values = torch.randint(0, 2, (1, documents, factors)).to(DOUBLE).expand(samples, -1, -1)
    heard = torch.randn(documents, features, dtype=DOUBLE)
    noise = torch.randn(samples, documents, made.units, dtype=DOUBLE)
    return values, made(values, heard, noise)


def first(made):
    """The first batch of a few documents."""
    return next(in_order(counts(40), 40))


@pytest.mark.parametrize("options", [{}, {"layers": 3, "width": 2, "hidden": 5}])
def test_the_closed_divergence_is_the_mean_of_the_sampled_one(options):
    _, above = drawn(layers(**options), 40_000)
    apart = above.kl.mean(0) + above.ratio.mean(0)
    error = (above.kl + above.ratio).std(0) / math.sqrt(40_000)
    assert bool((above.kl >= 0).all())
    assert bool((above.kl.mean(0) > 0.3).all())
    assert bool((apart.abs() <= 4.5 * error).all())


def test_each_layer_is_given_those_before():
    made = layers(layers=2, width=2)
    values, above = drawn(made, 1)
    h = above.h.detach().requires_grad_()
    mean, _ = made.models[1](torch.cat([values, h[..., :2]], -1))
    (slope,) = torch.autograd.grad(mean.sum(), h)
    assert bool((slope[..., :2] != 0).all())
    assert bool((slope[..., 2:] == 0).all())


def evidence(problem, made, points=400):
    """log p(x) of two factors and one Gaussian unit, by quadrature."""
    target, edge = problem.joint.condition(problem.batch()), 8.0
    line = torch.linspace(-edge, edge, points, dtype=DOUBLE)[:, None, None]
    parts = []
    for state in all_states(2).to(DOUBLE):
        values = state.expand(points, 1, 2)
        (mean, scale), prior = made.models[0](values), target.log_prior(values)[:, 0]
        h = mean + scale.exp() * line
        logits = made.onto(target.logits(values), h)
        words = problem.joint.likelihood.log_prob(problem.counts, logits)[:, 0]
        density = -0.5 * line[:, 0, 0].square() - 0.5 * math.log(2 * math.pi)
        step = math.log(2 * edge / (points - 1))
        parts.append((words + prior + density).logsumexp(0) + step)
    return float(torch.stack(parts).logsumexp(0).detach())


@torch.no_grad()
def test_bounds_over_bits_stay_bounds():
    problem, made = make_problem(factors=2), layers(layers=1, width=1, spread=0.3).eval()
    made.models[0].tells.bias[1] = -0.3
    made.guesses[0].tells.bias[1] = 0.3  # q is the wider one, so that few weights are large
    copies, truth = 3_000, evidence(make_problem(factors=2), made)
    target = problem.joint.condition(problem.batch(copies))
    features = torch.randn(1, 4, dtype=DOUBLE).expand(copies, -1)
    q = problem.posterior(copies).detach()
    scores = []
    for samples in (1, 10, 300):
        layered = LayeredTarget(target, made, features)
        layered._noise = lambda values: torch.randn(*values.shape[:2], 1, dtype=DOUBLE)
        each = bounds.iwae(layered, q, samples)
        scores.append(float(each.mean()))
    closed = LayeredTarget(target, made.train(), features)
    value = float(bounds.elbo(closed, q, 4).mean())
    assert value == pytest.approx(scores[0], abs=0.3)
    assert scores[0] < scores[1] < scores[2] < truth + 0.02
    pooled = float(each.logsumexp(0)) - math.log(copies)
    assert pooled == pytest.approx(truth, abs=0.05)


@pytest.mark.parametrize("inference", ["dvae", "gumbel-softmax", "nvil", "straight-through"])
def test_the_derivative_reaches_every_parameter(inference):
    made = objective(inference=inference, continuous_layers="2:width=3,hidden=4")
    for network in made.layers.models:
        torch.nn.init.normal_(network.tells.weight)
    made(first(made)).loss.sum().backward()
    for name, parameter in made.named_parameters():
        if parameter.requires_grad and not name.startswith("gradient."):
            assert parameter.grad is not None, name
            assert bool((parameter.grad != 0).any()), name


@pytest.mark.parametrize("inference", ["dvae", "gumbel-softmax", "nvil", "rloo"])
def test_the_kl_weight_is_of_the_factors_alone(inference):
    made, losses = objective(inference=inference, continuous_layers=1), []
    for weight in (0.0, 1.0):
        torch.manual_seed(0)
        losses.append(made(first(made), weight).loss.detach())
    torch.manual_seed(0)  # of the dropout
    target, q = made.condition(first(made))
    torch.testing.assert_close(losses[1] - losses[0], target.kl(q).detach(), atol=1e-4, rtol=1e-4)


def test_the_prior_begins_as_the_standard_gaussian():
    made = objective(inference="dvae", continuous_layers=2)
    for network in made.layers.models:
        mean, scale = network(torch.randn(2, 3, network.reads.in_features))
        assert not mean.any()
        assert not scale.any()


def test_without_layers_the_objective_is_what_it_was():
    plain, none = (objective(inference="dvae", **more) for more in ({}, {"continuous_layers": 0}))
    assert none.layers is None
    assert same(weights_of(plain), weights_of(none))
    batch, losses = first(plain), []
    for made in (plain, none):
        torch.manual_seed(0)
        losses.append(made(batch).loss)
    assert torch.equal(*losses)


def test_a_score_has_noise_of_its_document_and_training_has_not():
    made = objective(inference="dvae", continuous_layers=1).eval()
    batch, values = first(made), torch.zeros(2, 40, 3)
    target, _ = made.condition(batch)
    once, again = target.log_likelihood(values), target.log_likelihood(values)
    assert torch.equal(once, made.condition(batch)[0].log_likelihood(values))
    assert not torch.equal(once, again)
    made.train()
    target, _ = made.condition(batch)
    assert not torch.equal(target.log_likelihood(values), target.log_likelihood(values))


def test_turned_and_moved_factors_leave_the_layers_as_they_were():
    made = layers(factors=3, layers=2, width=2)
    order, flipped = torch.tensor([2, 0, 1]), torch.tensor([True, False, True])
    bits = all_states(3).to(DOUBLE)[None]
    features, noise = torch.randn(8, 3, dtype=DOUBLE), torch.randn(1, 8, 4, dtype=DOUBLE)
    before, mean = made(bits, features, noise), made.mean(bits)
    made.arrange(order, flipped)
    moved = torch.where(flipped, 1 - bits, bits)[..., order]
    for old, new in zip(before, made(moved, features, noise), strict=True):
        torch.testing.assert_close(new, old)
    torch.testing.assert_close(made.mean(moved), mean)


@pytest.mark.parametrize(
    "ask",
    [
        lambda target, bits: target.flips(bits),
        lambda target, bits: target.changes(bits),
        lambda target, bits: target.log_joint(bits),
        lambda target, bits: target.landscape(),
        lambda target, bits: target.table(),
    ],
)
def test_what_needs_the_joint_probability_is_refused(ask):
    made = objective(inference="dvae", continuous_layers=1)
    target, _ = made.condition(first(made))
    with pytest.raises(ConfigurationError, match="continuous_layers=0"):
        ask(target, torch.zeros(1, 40, 3))


@pytest.mark.parametrize("name", ["layers", "width", "hidden"])
def test_sizes_are_whole_numbers(name):
    with pytest.raises(ConfigurationError, match=f"{name} must be a whole number"):
        ContinuousLayers(Sizes(8, 2, 4), **{name: 0})
