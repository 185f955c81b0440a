"""The gradient of a set of states, against enumeration."""

import pytest
import torch

from tests.inference.test_search import nothing_on
from tests.model.test_parts import some_batch
from tests.problems import FACTORS, make_problem
from topicfactors.contracts import Sizes
from topicfactors.gradients import Exact, Truncated, truncated
from topicfactors.inference.posteriors import EnumeratedPosterior
from topicfactors.inference.search import started
from topicfactors.inference.truncated import Truncated as TruncatedDistribution
from topicfactors.model.likelihoods import LIKELIHOODS

SIZES = Sizes(8, FACTORS)


def both(likelihood, kl_weight, best, states=2**FACTORS):
    """Loss and gradients of the truncated and of the exact estimator on six documents."""
    results = []
    for kind in ("truncated", "exact"):
        problem = make_problem(likelihood=likelihood)
        batch, _ = some_batch()
        target = problem.joint.condition(batch)
        if kind == "exact":
            q = EnumeratedPosterior(SIZES)(batch, target)
            surrogate = Exact(SIZES)(target, q, kl_weight)
        else:
            sets = started(target.landscape(), nothing_on(target, torch.float64), states)
            q = TruncatedDistribution(sets, FACTORS)
            surrogate = Truncated(SIZES, best=best)(target, q, kl_weight)
        found = torch.autograd.grad(surrogate.loss.mean(), list(problem.joint.parameters()))
        results.append((surrogate, found))
    return results


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("kl_weight", [1.0, 0.4, 0.0])
def test_on_all_states_it_is_the_exact_gradient(likelihood, kl_weight, monkeypatch):
    monkeypatch.setattr(truncated, "NEGLIGIBLE", 0.0)
    (surrogate, found), (exact, expected) = both(likelihood, kl_weight, 2**FACTORS)
    torch.testing.assert_close(surrogate.loss, exact.loss)
    torch.testing.assert_close(surrogate.bound, exact.bound)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs)
    assert not surrogate.bound.requires_grad


def test_the_few_best_states_have_nearly_all_of_the_gradient():
    (_, found), (_, expected) = both("multinomial", 1.0, best=4)
    ours, theirs = (torch.cat([part.flatten() for part in parts]) for parts in (found, expected))
    assert torch.cosine_similarity(ours, theirs, 0) > 0.98
    (_, one), _ = both("multinomial", 1.0, best=1)
    alone = torch.cat([part.flatten() for part in one])
    assert (ours - theirs).norm() < (alone - theirs).norm()


def test_few_factors_are_given_more_passes():
    passes = [Truncated(Sizes(8, factors)).epochs for factors in (2, 12, 24, 50, 200)]
    assert passes == [24, 20, 10, 6, 6]
