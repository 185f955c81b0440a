"""What an urn adds to independent draws, against forty digits."""

import mpmath
import pytest
import torch

from topicfactors.model import urn
from topicfactors.model.urn import burst, burst_slope

MASSES = [1e-26, 1e-10, 1e-6, 1e-3, 0.2, 1.0, 3.3, 30.0, 99.0, 101.0, 1e3, 1e4, 1e6]
COUNTS = [0.0, 0.3, 1.0, 1.5, 2.0, 3.0, 9.0, 100.0, 5000.0]


def reference(mass, count):
    """R(a, x) and its derivative in a, of the numbers as float32 has them."""
    with mpmath.workdps(40):
        a, x = mpmath.mpf(mass), mpmath.mpf(count)
        value = mpmath.loggamma(a + x) - mpmath.loggamma(a) - x * mpmath.log(a)
        slope = mpmath.digamma(a + x) - mpmath.digamma(a) - x / a
        return float(value), float(slope)


@pytest.mark.parametrize("mass", MASSES)
@pytest.mark.parametrize("count", COUNTS)
def test_burst_in_float32(mass, count):
    masses = torch.tensor([mass], requires_grad=True)
    counts = torch.tensor([count])
    value = burst(masses, counts)
    (slope,) = torch.autograd.grad(value.sum(), masses)
    expected, expected_slope = reference(masses.item(), counts.item())
    assert value.item() == pytest.approx(expected, rel=1e-4, abs=2e-6)
    assert slope.item() == pytest.approx(expected_slope, rel=1e-4, abs=2e-6 / mass)
    assert torch.equal(burst_slope(masses.detach(), counts), slope)


def test_the_derivative_is_that_of_the_value():
    masses = torch.tensor([0.01, 0.5, 7.0, 150.0, 4000.0], dtype=torch.float64, requires_grad=True)
    counts = torch.tensor([3.0, 1.5, 40.0, 2.0, 11.0], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda a: burst(a, counts), masses, eps=1e-7, atol=1e-5)


def test_a_word_that_came_once_adds_nothing():
    assert burst(torch.tensor([1e-3, 1.0, 1e5]), torch.ones(3)).abs().max().item() < 2e-6


def test_long_vectors_are_worked_on_in_stretches(monkeypatch):
    torch.manual_seed(0)
    masses = (torch.randn(3, 50, dtype=torch.float64) * 3).exp().requires_grad_()
    counts = torch.randint(1, 60, (50,)).double()
    whole = burst(masses, counts)
    monkeypatch.setattr(urn, "STRETCH", 16)
    parts = burst(masses, counts)
    assert torch.equal(parts, whole)
    expected = torch.lgamma(masses + counts) - torch.lgamma(masses) - counts * masses.log()
    torch.testing.assert_close(parts, expected, rtol=1e-6, atol=1e-7)
    found, reference = (torch.autograd.grad(v.sum(), masses)[0] for v in (parts, expected))
    torch.testing.assert_close(found, reference, rtol=1e-5, atol=1e-6)
