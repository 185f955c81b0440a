import pytest
import torch

from tests.problems import FACTORS, exact_bound, make_problem
from topicfactors.contracts import Sizes
from topicfactors.inference import bounds
from topicfactors.inference.posteriors import EnumeratedPosterior

COPIES = 20_000


@pytest.fixture(autouse=True)
def no_derivatives():
    with torch.no_grad():
        yield


@pytest.fixture
def problem():
    return make_problem()


def many(problem, copies=COPIES):
    return problem.joint.condition(problem.batch(copies)), problem.posterior(copies).detach()


def test_the_elbo_is_the_enumerated_one_in_the_mean(problem):
    torch.manual_seed(0)
    found = bounds.elbo(*many(problem), 2)
    error = float(found.std()) / COPIES**0.5
    assert float(found.mean()) == pytest.approx(
        exact_bound(problem, problem.logits).item(), abs=4 * error
    )


def test_the_ladder_of_bounds(problem):
    torch.manual_seed(0)
    target, q = many(problem, 5000)
    ladder = [float(bounds.elbo(target, q, 4).mean())]
    ladder += [float(bounds.iwae(target, q, k).mean()) for k in (3, 10, 100)]
    log_evidence = float(bounds.exact(target)[0])
    assert ladder == sorted(ladder)
    assert ladder[-1] < log_evidence
    assert ladder[-1] == pytest.approx(log_evidence, abs=0.15)


def test_iwae_with_one_sample_is_the_sampled_elbo(problem):
    target, q = many(problem, 100)
    noise = torch.rand(1, 100, FACTORS).double()
    torch.testing.assert_close(
        bounds.iwae(target, q, 1, noise), bounds.log_ratios(target, q, 1, noise)[0]
    )


def test_with_the_exact_posterior_every_bound_is_log_p(problem):
    batch = problem.batch(3)
    target = problem.joint.condition(batch)
    q = EnumeratedPosterior(Sizes(8, FACTORS))(batch, target)
    exact = bounds.exact(target)
    torch.testing.assert_close(bounds.elbo(target, q, 5), exact)
    torch.testing.assert_close(bounds.iwae(target, q, 5), exact)


def test_completion_averages_word_probabilities_over_the_posterior(problem):
    torch.manual_seed(0)
    batch = problem.batch(1)
    target = problem.joint.condition(batch)
    q = EnumeratedPosterior(Sizes(8, FACTORS))(batch, target)
    found = bounds.completion(target, q, batch.counts, 200_000)
    decoder = problem.joint.decoder
    words = torch.softmax(problem.states() @ decoder.weights.t() + decoder.bias, -1)
    predictive = q.log_weights[:, 0].exp() @ words
    counts = torch.tensor([3.0, 0.0, 2.0, 1.0, 0.0, 4.0, 0.0, 1.0], dtype=torch.float64)
    assert float(found) == pytest.approx(float(counts @ predictive.log()), rel=2e-3)
