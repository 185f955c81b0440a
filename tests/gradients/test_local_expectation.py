"""What a local expectation costs where flips have no closed form, and that a fit says so."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from tests.model.test_responses import responding
from tests.problems import FACTORS, make_problem
from topicfactors import BinaryFactorModel, FitWarning, SemiSupervisedClassifier
from topicfactors.contracts import Sizes
from topicfactors.gradients import LocalExpectation
from topicfactors.model.likelihoods import Multinomial, Polya

COUNTS = np.random.default_rng(0).poisson(1.0, (40, 8))


def evaluations(monkeypatch, decoder, likelihood="multinomial"):
    """Log-likelihoods taken of the whole batch in one step."""
    problem, seen = make_problem(decoder=decoder, likelihood=likelihood), []
    kind = type(problem.joint.likelihood)
    inner = kind.assemble
    monkeypatch.setattr(kind, "assemble", lambda *args: seen.append(1) or inner(*args))
    target = problem.joint.condition(problem.batch(3))
    LocalExpectation(Sizes(8, FACTORS))(target, problem.posterior(3), 1.0)
    return len(seen)


@pytest.mark.parametrize(
    ("decoder", "likelihood", "expected"),
    [
        ("log-linear", "multinomial", 1),
        ("log-linear", "poisson", 1),
        ("log-linear", "polya", FACTORS + 1),
        ("log-linear", "bernoulli", FACTORS + 1),
        ("mlp", "multinomial", FACTORS + 1),
        ("mlp", "polya", FACTORS + 1),
    ],
)
def test_a_step_takes_at_most_one_evaluation_more_than_factors(
    monkeypatch, decoder, likelihood, expected
):
    assert evaluations(monkeypatch, decoder, likelihood) == expected


@pytest.mark.parametrize("kind", [Multinomial, Polya])
def test_what_is_known_of_the_bits_changes_nothing(kind):
    problem = make_problem(decoder="mlp", likelihood=kind.__name__.lower())
    target = problem.joint.condition(problem.batch(3))
    bits = problem.posterior(3).sample(2).bits
    known = target.log_likelihood(bits).detach()
    torch.testing.assert_close(target.flips(bits, 0.3, known), target.flips(bits, 0.3))


def test_what_is_known_includes_the_responses():
    _, target, _ = responding("gaussian", "polya", "mlp")
    bits = torch.randint(0, 2, (3, 6, FACTORS)).double()
    known = target.log_likelihood(bits).detach()
    torch.testing.assert_close(target.flips(bits, 0.3, known), target.flips(bits, 0.3))


def fit(**options):
    chosen = {"inference": "local-expectation", "max_iter": 2, "n_jobs": 1, "device": "cpu"}
    return BinaryFactorModel(3, **(chosen | options)).fit(COUNTS)


def test_a_fit_says_once_what_an_mlp_costs_and_what_to_do():
    with pytest.warns(FitWarning) as told:
        fit(decoder="mlp")
    (message,) = (str(warning.message) for warning in told)
    assert "4 evaluations of each document a step" in message
    assert "inference='gumbel-softmax' needs one" in message
    assert "decoder='log-linear'" in message


@pytest.mark.parametrize("options", [{}, {"decoder": "mlp", "inference": "gumbel-softmax"}])
def test_it_says_nothing_where_there_is_nothing_to_say(options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(**options)


def test_a_classifier_with_factors_says_so_too():
    labels = np.where(np.arange(40) < 20, np.arange(40) % 2, -1)
    learner = SemiSupervisedClassifier(
        n_factors=2, inference="local-expectation", decoder="mlp", max_iter=1, device="cpu"
    )
    with pytest.warns(FitWarning, match="3 evaluations of each document a step"):
        learner.fit(COUNTS, labels)
