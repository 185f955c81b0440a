"""What each estimator does besides its mean and variance."""

import pytest
import torch

from tests.problems import FACTORS, make_problem
from topicfactors.contracts import Sizes
from topicfactors.errors import ConfigurationError
from topicfactors.gradients import DVAE, GRADIENTS, NVIL, GumbelSoftmax, StraightThrough
from topicfactors.gradients.baselines import FittedCoefficient, RunningMoments

SIZES = Sizes(8, FACTORS, 2)
SAMPLING = [name for name, kind in GRADIENTS.items() if kind.posterior == "mean-field"]


def call(gradient, copies=400, kl_weight=1.0):
    problem = make_problem(torch.float32)
    q = problem.posterior(copies)
    return gradient(problem.joint.condition(problem.batch(copies)), q, kl_weight), q


@pytest.mark.parametrize("name", SAMPLING)
def test_loss_and_bound_have_one_value_a_document(name):
    torch.manual_seed(0)
    surrogate, _ = call(GRADIENTS[name](SIZES, samples=3))
    assert surrogate.loss.shape == surrogate.bound.shape == (400,)
    assert not surrogate.bound.requires_grad
    assert surrogate.loss.requires_grad


@pytest.mark.parametrize("name", SAMPLING)
def test_the_loss_at_full_weight_is_minus_the_bound(name):
    torch.manual_seed(0)
    surrogate, _ = call(GRADIENTS[name](SIZES))
    torch.testing.assert_close(-surrogate.loss.detach(), surrogate.bound, atol=1e-3, rtol=1e-4)


def test_more_samples_lower_the_variance():
    def spread(samples):
        torch.manual_seed(0)
        surrogate, q = call(GumbelSoftmax(SIZES, samples=samples), 4000)
        return torch.autograd.grad(surrogate.loss.sum(), q.logits)[0].var(0).sum()

    assert spread(8) < spread(1) / 4


def test_the_temperature_moves_geometrically_and_then_stays():
    gradient = GumbelSoftmax(SIZES, start=1.0, end=0.25, annealing=0.5)
    temperatures = []
    for progress in (0.0, 0.25, 0.5, 1.0):
        gradient.anneal(progress)
        temperatures.append(gradient.temperature)
    assert temperatures == pytest.approx([1.0, 0.5, 0.25, 0.25])


def test_beta_moves_geometrically():
    gradient = DVAE(SIZES, start=2.0, end=8.0)
    gradient.anneal(0.5)
    assert gradient.beta == pytest.approx(4.0)


def test_hard_gumbel_decodes_bits_and_the_soft_one_does_not():
    logits, noise = torch.zeros(1, 1, 50), torch.rand(1, 1, 50)
    hard = GumbelSoftmax(SIZES, hard=True).relaxation(logits, noise)
    soft = GumbelSoftmax(SIZES).relaxation(logits, noise)
    torch.testing.assert_close(hard[1], hard[0])
    assert not torch.equal(soft[1], soft[0])
    assert torch.equal(soft[0], hard[0])


def test_straight_through_values_are_bits():
    problem = make_problem(torch.float32)
    q = problem.posterior(100)
    from topicfactors.gradients.straight_through import straight_through

    draw = q.sample(2, straight_through)
    torch.testing.assert_close(draw.values, draw.bits)
    assert StraightThrough.relaxed


def test_running_moments_follow_earlier_steps():
    moments = RunningMoments(decay=0.8)
    moments.update(torch.tensor([10.0, 14.0]))
    assert (float(moments.mean), float(moments.deviation)) == (12.0, 2.0)
    moments.update(torch.tensor([22.0, 22.0]))
    assert float(moments.mean) == pytest.approx(14.0)
    assert float(moments.variance) == pytest.approx(3.2)


def test_the_fitted_coefficient_comes_near_the_best_constant():
    """For a signal that is almost constant, a* is minus that constant."""
    torch.manual_seed(0)
    coefficient = FittedCoefficient(FACTORS)
    problem = make_problem(torch.float32)
    for _ in range(40):
        draw = problem.posterior(500).sample(1)
        coefficient.update(torch.full((1, 500), 7.0), draw)
    torch.testing.assert_close(coefficient(), torch.full((FACTORS,), -7.0), rtol=1e-2, atol=0)


def test_nvil_learns_its_baselines_from_training_only():
    gradient = NVIL(SIZES)
    call(gradient.eval())
    assert float(gradient.moments.seen) == 0
    call(gradient.train())
    assert float(gradient.moments.seen) == 1
    assert float(gradient.moments.mean) < -5


def test_nvil_control_trains_the_baseline_and_nothing_else():
    gradient = NVIL(SIZES)
    problem = make_problem(torch.float32)
    q = problem.posterior(50)
    surrogate = gradient(problem.joint.condition(problem.batch(50)), q, 1.0)
    others = [q.logits, *problem.joint.parameters()]
    found = torch.autograd.grad(
        surrogate.control, [*gradient.parameters(), *others], allow_unused=True
    )
    own = len(list(gradient.parameters()))
    assert all(part is None for part in found[own:])
    assert any(part is not None and bool((part != 0).any()) for part in found[:own])


def test_the_input_baseline_learns_to_predict_the_signal():
    torch.manual_seed(0)
    gradient = NVIL(SIZES, constant_baseline=False)
    optimizer = torch.optim.Adam(gradient.parameters(), lr=0.05)
    errors = []
    for _ in range(150):
        surrogate, _ = call(gradient, 50)
        optimizer.zero_grad()
        surrogate.control.backward()
        optimizer.step()
        errors.append(float(surrogate.control.detach()))
    assert errors[-1] < 0.2 * errors[0]


def test_nvil_with_an_input_baseline_needs_an_encoder():
    with pytest.raises(ConfigurationError, match="input_baseline=false"):
        NVIL(Sizes(8, FACTORS, 0))


@pytest.mark.parametrize("name", GRADIENTS)
def test_the_docstring_of_each_estimator_says_where_it_comes_from_and_what_it_costs(name):
    import sys

    text = sys.modules[GRADIENTS[name].__module__].__doc__.lower()
    assert "nbiased" in text or "biased" in text or name == "exact"
    assert "step" in text
    assert "arxiv.org" in text or name == "exact"
