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
STRETCH = 2**14  # masses that are worked on together
FAR = 30.0  # masses so many times the count take the series in 1/a


def _far(mass: Tensor, count: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Where a ≫ x: R and its derivative by Bernoulli polynomials in 1/a."""
    least = FAR * count.clamp_min(1.0)
    inverse = torch.maximum(mass, least).reciprocal_()
    once = count * (count - 1) * inverse
    twice = (2 * count - 1) * inverse
    third = once.square() * inverse
    value = once * (0.5 - twice / 12) + third / 12
    slope = -(once * (0.5 - twice / 6) + third / 4) * inverse
    return mass > least, value, slope


def _near(mass: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
    """R and its derivative in a, by the recurrence and Stirling's series at a + 8."""
    raised = mass + torch.arange(1.0, SHIFT, dtype=mass.dtype, device=mass.device)[:, None]
    share = count / raised
    slopes = (share / raised.add_(count)).sum(0)
    low, rest = torch.split(
        share.add_(1), [SHIFT // 2 - 1, SHIFT // 2]
    )  # few factors to a logarithm
    each = count / mass
    logs = torch.log1p(each) + low.prod(0).log_() + rest.prod(0).log_()
    high = mass + SHIFT
    top = high + count
    total, inverse = high + top, (high * top).reciprocal_()
    squares, small = total.square() * inverse, count * inverse
    ratio = torch.log1p(count / high)
    value = (top - 0.5) * ratio + count * (torch.log1p(SHIFT / mass) - 1) - logs
    value -= small * (1 / 12 - (squares - 1) * inverse / 360)
    slope = ratio + slopes - each * (1 - 1 / (mass + count))
    slope += small * (0.5 + total * inverse * (1 / 12 - (squares - 2) * inverse / 120))
    return value, slope


def _both(mass: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
    """R and its derivative, of vectors, a stretch at a time that stays in cache."""
    if len(mass) > STRETCH:
        parts = [
            _both(*part)
            for part in zip(torch.split(mass, STRETCH), torch.split(count, STRETCH), strict=True)
        ]
        values, slopes = zip(*parts, strict=True)
        return torch.cat(values), torch.cat(slopes)
    far, value, slope = _far(mass, count)
    near, near_slope = _near(mass, count)
    return torch.where(far, value, near), torch.where(far, slope, near_slope)


def _computed(mass: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
    """The same of any shape."""
    values, slopes = _both(mass.reshape(-1), count.expand_as(mass).reshape(-1))
    return values.view(mass.shape), slopes.view(mass.shape)


class _Burst(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, mass: Tensor, count: Tensor) -> Tensor:
        value, slope = _computed(mass, count)
        ctx.save_for_backward(slope)
        return value

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
    return _computed(mass, count)[1]
