"""Annealed importance sampling: unbiased weights both ways, and bounds on the side they claim."""

import math

import pytest
import torch

from tests.inference.test_gibbs import problem_of
from tests.inference.test_search import wide
from topicfactors.inference import bounds
from topicfactors.inference.annealed import annealed, backwards, temperatures
from topicfactors.inference.noise import document_keys
from topicfactors.model.likelihoods import LIKELIHOODS

COPIES = 10_000


@pytest.fixture(autouse=True)
def no_derivatives():
    with torch.no_grad():
        yield


def exact_draws(problem, copies, seed=0):
    """States drawn from the posterior by enumeration, ``(copies, D)``."""
    weights = problem.joint.condition(problem.batch()).table()[:, 0].softmax(0)
    generator = torch.Generator().manual_seed(seed)
    return problem.states()[torch.multinomial(weights, copies, True, generator=generator)]


def within(ratios, errors=4):
    """Is their mean one?"""
    error = float(ratios.std()) / math.sqrt(len(ratios))
    return float(ratios.mean()) == pytest.approx(1.0, abs=errors * error)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("name", LIKELIHOODS)
def test_the_weights_have_the_mean_p_of_x_and_its_inverse(name, dtype):
    """One chain and few temperatures, so that a wrong kernel or weight would show."""
    problem = problem_of(name, dtype=dtype)
    target, keys = problem.joint.condition(problem.batch(COPIES)), torch.arange(COPIES) * 7919
    log_p = bounds.exact(problem.joint.condition(problem.batch()))[0].double()
    lower = annealed(target, 1, 8, keys)
    upper = backwards(target, exact_draws(problem, COPIES), 1, 8, keys + 1)
    assert within((lower - log_p).exp())
    assert within((log_p - upper).exp())
    assert lower.mean() < log_p - 0.01
    assert upper.mean() > log_p + 0.01


def test_an_mlp_is_annealed_too():
    problem = problem_of("multinomial", "mlp")
    target, keys = problem.joint.condition(problem.batch(2000)), torch.arange(2000) * 7919
    log_p = bounds.exact(problem.joint.condition(problem.batch()))[0]
    assert within((annealed(target, 1, 30, keys) - log_p).exp())


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_more_chains_and_temperatures_are_tighter(name):
    problem = problem_of(name)
    target, keys = problem.joint.condition(problem.batch(1000)), torch.arange(1000) * 7919
    states = exact_draws(problem, 1000)
    log_p = float(bounds.exact(problem.joint.condition(problem.batch()))[0])
    spent = ((1, 4), (1, 16), (8, 16))
    lower = [float(annealed(target, *each, keys).mean()) for each in spent]
    upper = [float(backwards(target, states, *each, keys).mean()) for each in spent]
    assert lower == sorted(lower)
    assert upper == sorted(upper, reverse=True)
    assert lower[-1] == pytest.approx(log_p, abs=0.05)
    assert upper[-1] == pytest.approx(log_p, abs=0.05)


def test_a_prior_that_is_not_independent_begins_from_bits_that_are():
    """Chains start from the prior's probabilities; what they leave out is in the weights."""
    problem = problem_of("multinomial")
    prior = problem.joint.prior
    coupling = 1.5  # of the first two factors

    def coupled(z):
        return type(prior).log_prob(prior, z) + coupling * z[..., 0] * z[..., 1]

    def odds(z):
        found = type(prior).log_odds(prior, z).clone()
        found[..., 0] += coupling * z[..., 1]
        found[..., 1] += coupling * z[..., 0]
        return found

    prior.log_prob, prior.log_odds = coupled, odds
    target, keys = problem.joint.condition(problem.batch(COPIES)), torch.arange(COPIES) * 7919
    log_p = bounds.exact(problem.joint.condition(problem.batch()))[0]
    assert within((annealed(target, 1, 8, keys) - log_p).exp())
    upper = backwards(target, exact_draws(problem, COPIES), 1, 8, keys + 1)
    assert within((log_p - upper).exp())


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_a_score_does_not_depend_on_the_batch(name):
    def scored(rows):
        target = wide(9, name, documents=30, rows=rows)
        return annealed(target, 3, 6, document_keys(target.counts))

    parts = [scored(rows) for rows in torch.arange(30).split(7)]
    torch.testing.assert_close(torch.cat(parts), scored(torch.arange(30)), atol=1e-4, rtol=1e-6)


def test_temperatures_rise_from_the_prior_to_the_posterior():
    found = temperatures(20)
    assert (found[0], found[-1], len(found)) == (0.0, 1.0, 21)
    assert found == sorted(found)
    assert temperatures(1) == [0.0, 1.0]
