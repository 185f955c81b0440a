r"""What an urn adds to independent draws, safe in float32.

A Pólya urn with masses a gives a word that was drawn x times the weight Γ(a + x)/Γ(a). Written as
:math:`\log\Gamma(a+x) - \log\Gamma(a) = x\log a + R(a, x)`, the first part is that of independent
draws and R alone knows of bursts: zero at x = 1, of the order x²/2a for a large mass, where the
difference of two log-gammas would have lost all its digits.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

SHIFT = 8  # Stirling's series is used this far above a
LEAST_LOG_MASS = -60.0  # of a word in an urn, so that float32 holds its inverse
FAR = 30.0  # masses so many times the count take the series in 1/a


def _far(mass: Tensor, count: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Where a ≫ x: R and its derivative by Bernoulli polynomials in 1/a."""
    far = mass > FAR * count.clamp_min(1.0)
    safe = torch.where(far, mass, FAR * count.clamp_min(1.0))
    once = count * (count - 1) / safe
    twice = (2 * count - 1) / safe
    value = once / 2 - once * twice / 12 + once.square() / (12 * safe)
    slope = (-once / 2 + once * twice / 6 - once.square() / (4 * safe)) / safe
    return far, value, slope


def _near(mass: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
    """R and its derivative in a, by the recurrence and Stirling's series at a + 8."""
    high = mass + SHIFT
    top = high + count
    ratio = torch.log1p(count / high)
    logs = torch.log1p(count / mass)  # alone: a small mass makes it large
    slopes = count / mass / (mass + count)
    for steps in (range(1, SHIFT // 2), range(SHIFT // 2, SHIFT)):  # few factors to a logarithm
        product = torch.ones_like(mass)
        for step in steps:
            share = count / (mass + step)
            product = product * (1 + share)
            slopes = slopes + share / (mass + step + count)
        logs = logs + product.log()
    value = (
        (top - 0.5) * ratio
        - count
        + count * (torch.log(high) - torch.log(mass))
        - count / (12 * high * top)
        + count * (high * high + high * top + top * top) / (360 * high**3 * top**3)
        - logs
    )
    digammas = (
        ratio
        + count / (2 * high * top)
        + count * (high + top) / (12 * high.square() * top.square())
        - count * (high + top) * (high.square() + top.square()) / (120 * high**4 * top**4)
    )
    return value, digammas + slopes - count / mass


class _Burst(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, mass: Tensor, count: Tensor) -> Tensor:
        count = count.expand_as(mass)
        far, value, slope = _far(mass, count)
        near, near_slope = _near(mass, count)
        ctx.save_for_backward(torch.where(far, slope, near_slope))
        return torch.where(far, value, near)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (slope,) = ctx.saved_tensors
        return gradients[0] * slope, None


def burst(mass: Tensor, count: Tensor) -> Tensor:
    """R(a, x) = log Γ(a + x) − log Γ(a) − x log a, in nats, of the shape of both together.

    Differentiable in the mass, which must have that shape; counts are data.
    """
    return _Burst.apply(mass, count)  # type: ignore[no-any-return, no-untyped-call]


def burst_slope(mass: Tensor, count: Tensor) -> Tensor:
    """∂R/∂a = ψ(a + x) − ψ(a) − x/a."""
    far, _, slope = _far(mass, count)
    return torch.where(far, slope, _near(mass, count)[1])
