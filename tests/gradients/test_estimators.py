"""What each estimator does besides its mean and variance."""

import math

import pytest
import torch

from tests.problems import FACTORS, make_problem
from topicfactors.contracts import Sizes
from topicfactors.errors import ConfigurationError
from topicfactors.gradients import DVAE, GRADIENTS, NVIL, GumbelSoftmax, StraightThrough
from topicfactors.gradients.baselines import FittedCoefficient, RunningMoments
from topicfactors.gradients.dvae import spike_exponential

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


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("beta", [1.0, 3.0, 30.0, 300.0])
@pytest.mark.parametrize("probability", [1e-6, 0.5, 1 - 1e-6])
def test_the_inverse_distribution_function_of_zeta(beta, probability, dtype):
    """Draws at evenly spaced noise have the distribution function of the mixture."""
    noise = (torch.arange(20_000, dtype=dtype) + 0.5) / 20_000
    logits = torch.logit(torch.tensor(probability, dtype=torch.float64)).to(dtype)
    zeta = spike_exponential(logits.expand_as(noise), noise, beta).double()
    assert bool(((zeta >= 0) & (zeta <= 1)).all())
    for at in (0.0, 0.2, 0.5, 0.9):
        inside = math.expm1(beta * at) / math.expm1(beta)
        expected = (1 - probability) + probability * inside
        assert float((zeta <= at).double().mean()) == pytest.approx(expected, abs=2e-4)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("beta", [1.0, 5.0, 100.0, 300.0])
@pytest.mark.parametrize("logit", [-13.8, -2.0, 0.0, 13.8])
def test_the_slope_of_zeta_is_that_of_finite_differences(beta, logit, dtype):
    off = 1 / (1 + math.exp(logit))
    noise = torch.tensor([off + (1 - off) * u for u in (0.02, 0.3, 0.8, 0.99)], dtype=dtype)
    logits = torch.full((4,), logit, dtype=dtype, requires_grad=True)
    zeta = spike_exponential(logits, noise, beta)
    found = torch.autograd.grad(zeta.sum(), logits)[0].double()
    step = 1e-5
    ends = [
        spike_exponential(torch.full((4,), logit + s, dtype=torch.float64), noise.double(), beta)
        for s in (step, -step)
    ]
    expected = (ends[0] - ends[1]) / (2 * step)
    assert bool(torch.isfinite(found).all())
    if dtype == torch.float64:
        torch.testing.assert_close(found, expected, rtol=2e-3, atol=1e-7)
    elif abs(logit) < 10:  # in float32 the noise itself cannot resolve q = 1e-6
        torch.testing.assert_close(found, expected, rtol=2e-2, atol=1e-4)


def test_the_dvae_gradient_is_that_of_its_own_smoothed_bound():
    """At D = 1, by quadrature over the noise: the pathwise mean is the slope of the mean."""
    beta, logit, noise = 4.0, 0.4, (torch.arange(400_000, dtype=torch.float64) + 0.5) / 400_000

    def objective(value):
        zeta = spike_exponential(value.expand_as(noise), noise, beta)
        return torch.log_softmax(torch.stack([zeta * 1.3, -zeta * 0.7, zeta * 0 + 0.2]), 0)[0]

    leaf = torch.tensor(logit, dtype=torch.float64, requires_grad=True)
    pathwise = torch.autograd.grad(objective(leaf).mean(), leaf)[0].item()
    step = 1e-3
    high = objective(torch.tensor(logit + step, dtype=torch.float64)).mean()
    low = objective(torch.tensor(logit - step, dtype=torch.float64)).mean()
    assert pathwise == pytest.approx(float(high - low) / (2 * step), rel=1e-3)


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
    with pytest.raises(ConfigurationError, match="input_baseline=False"):
        NVIL(Sizes(8, FACTORS, 0))


@pytest.mark.parametrize("name", GRADIENTS)
def test_the_docstring_of_each_estimator_says_where_it_comes_from_and_what_it_costs(name):
    import sys

    text = sys.modules[GRADIENTS[name].__module__].__doc__.lower()
    assert "nbiased" in text or "biased" in text or name == "exact"
    assert "step" in text
    assert "arxiv.org" in text or name == "exact"
