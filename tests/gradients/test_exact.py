import pytest
import torch

from tests.problems import FACTORS, exact_bound, make_problem
from topicfactors.contracts import Sizes
from topicfactors.gradients import Exact
from topicfactors.inference.posteriors import EnumeratedPosterior

SIZES = Sizes(8, FACTORS)


def brute_force(problem):
    """log p(x) and every state's log p(x, z), a loop over states and words."""
    decoder, prior = problem.joint.decoder, problem.joint.prior
    counts = torch.tensor([[3.0, 0.0, 2.0, 1.0, 0.0, 4.0, 0.0, 1.0]], dtype=torch.float64)[0]
    joint = []
    for state in problem.states():
        words = torch.log_softmax(decoder.weights @ state + decoder.bias, 0)
        bits = torch.where(
            state == 1,
            torch.nn.functional.logsigmoid(prior.logits),
            torch.nn.functional.logsigmoid(-prior.logits),
        )
        joint.append((counts * words).sum() + bits.sum())
    return torch.stack(joint).logsumexp(0), torch.stack(joint)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_exact_equals_brute_force(dtype):
    problem, reference = make_problem(dtype), make_problem()
    target = problem.joint.condition(problem.batch(3))
    q = EnumeratedPosterior(SIZES)(problem.batch(3), target)
    surrogate = Exact(SIZES)(target, q, 1.0)
    log_evidence, _ = brute_force(reference)
    torch.testing.assert_close(
        surrogate.bound.double(), log_evidence.detach().expand(3), atol=1e-5, rtol=1e-6
    )
    parameters = list(problem.joint.parameters())
    found = torch.autograd.grad(surrogate.loss.mean(), parameters)
    expected = torch.autograd.grad(-log_evidence, list(reference.joint.parameters()))
    for part, value in zip(found, expected, strict=True):
        torch.testing.assert_close(part.double(), value, atol=1e-5, rtol=1e-4)


def test_the_enumerated_posterior_is_bayes_rule():
    problem = make_problem()
    batch = problem.batch(2)
    q = EnumeratedPosterior(SIZES)(batch, problem.joint.condition(batch))
    posterior = brute_force(problem)[1].softmax(0)
    torch.testing.assert_close(q.mean()[1], posterior @ problem.states())


@pytest.mark.parametrize("weight", [0.1, 0.5, 0.9])
def test_below_full_kl_weight_it_is_the_best_weighted_bound(weight):
    """max over q of E_q[log p(x|z)] − w KL(q ‖ p), found by gradient ascent on a free q."""
    problem = make_problem()
    target = problem.joint.condition(problem.batch())
    states = problem.states()[:, None, :]
    with torch.no_grad():
        likelihood = target.log_likelihood(states)[:, 0]
        prior = target.log_prior(states)[:, 0]
    free = torch.zeros(2**FACTORS, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([free], lr=0.1)
    for _ in range(3000):
        q = free.log_softmax(0)
        loss = -(q.exp() * (likelihood + weight * (prior - q))).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    surrogate = Exact(SIZES)(target, None, weight)
    assert surrogate.loss.item() == pytest.approx(loss.item(), abs=1e-3)


def test_no_mean_field_bound_is_above_it():
    problem = make_problem()
    bound = exact_bound(problem, problem.logits).item()
    assert bound < brute_force(problem)[0].item()
