r"""How a bit is joined by a continuous ζ that a decoder can be differentiated through.

Every smoothing is a pair of densities r(ζ | z) on [0, 1], which tend to the bit as β grows. With q
the probability of the bit, ζ is drawn by inverting :math:`F = (1-q) R_0 + q R_1` at uniform noise,
and :math:`d\zeta/dq = (R_0 - R_1) / ((1-q) r_0 + q r_1)`, here in closed form in the logits.
"""

from __future__ import annotations

import abc
import math
from typing import Any, ClassVar

import torch
from torch import Tensor

NEWTON = 8  # steps from a start within a factor of two of the root; four are enough in double
MOST_BETA = 700.0  # beyond it e^β is no double


def steepest(like: Tensor) -> float:
    """The largest slope that noise of this precision can tell from a jump."""
    return 1 / float(torch.finfo(like.dtype).eps)


class _SpikeAndExponential(torch.autograd.Function):
    """ζ for logits and uniform noise; the derivative in the logits in closed form."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, noise: Tensor, beta: float) -> Tensor:
        off = torch.sigmoid(-logits)
        on = noise > off
        u = torch.where(on, 1 - (1 - noise) / torch.sigmoid(logits), 1.0).clamp_(0.0, 1.0)
        zeta = 1 + torch.log(u + (1 - u) * math.exp(-beta)) / beta
        ctx.save_for_backward(off, on, u)
        ctx.beta = beta
        return torch.where(on, zeta.clamp_min(0.0), 0.0)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = gradients
        off, on, u = ctx.saved_tensors
        spread = 1 / math.expm1(ctx.beta) if ctx.beta < MOST_BETA else 0.0
        slope = (1 - u) * off / (ctx.beta * (u + spread)).clamp_min(torch.finfo(u.dtype).tiny)
        return torch.where(on, slope.clamp_max(steepest(u)), 0.0) * gradient, None, None


class _Exponential(torch.autograd.Function):
    """The same for two exponentials: m = e^{−βζ} is the root of a quadratic."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, noise: Tensor, beta: float) -> Tensor:
        on, off = torch.sigmoid(logits), torch.sigmoid(-logits)
        small = math.exp(-beta)
        apart = torch.where(logits < 0, on - (1 - noise), noise - off)  # whichever loses no digits
        middle = apart + small * (on - noise)
        root = torch.hypot(middle, 2 * torch.sqrt(on * off) * math.exp(-beta / 2))
        total = (middle.abs() + root).clamp_min(torch.finfo(root.dtype).tiny)
        high = 1 - torch.log(2 * on / total) / beta
        low = -torch.log(total / (2 * off)) / beta
        zeta = torch.where(middle > 0, high, low).clamp(0.0, 1.0)
        ctx.save_for_backward(on, off, zeta)
        ctx.beta = beta
        return zeta

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = gradients
        on, off, zeta = ctx.saved_tensors
        below, above = torch.exp(-ctx.beta * zeta), torch.exp(-ctx.beta * (1 - zeta))
        density = (ctx.beta * (off * below + on * above)).clamp_min(torch.finfo(on.dtype).tiny)
        slope = on * off * (1 - below) * (1 - above) / density
        return slope.clamp_max(steepest(on)) * gradient, None, None


class _Power(torch.autograd.Function):
    """The same for two powers: a = ζ^{1/β} below ½, or (1 − ζ)^{1/β} above, by Newton's method."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, noise: Tensor, beta: float) -> Tensor:
        on, off = torch.sigmoid(logits), torch.sigmoid(-logits)
        half = 0.5 ** (1 / beta)
        left = noise <= off * half + on * (1 - half)
        near, far = torch.where(left, off, on), torch.where(left, on, off)
        root = _power_root(near, far, torch.where(left, noise, 1 - noise), beta)
        share = root.pow(beta)
        ctx.save_for_backward(on, off, near, far, root)
        ctx.beta = beta
        return torch.where(left, share, 1 - share)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = gradients
        on, off, near, far, root = ctx.saved_tensors
        value, rise = _other_end(root, ctx.beta)
        slope = ctx.beta * on * off * (root - value).clamp_min(0.0) * root.pow(ctx.beta - 1)
        slope = slope / (near + far * rise)
        return slope.clamp_max(steepest(on)) * gradient, None, None


def _other_end(root: Tensor, beta: float) -> tuple[Tensor, Tensor]:
    """1 − (1 − a^β)^{1/β}, and its derivative in a."""
    log_rest = torch.log1p(-root.pow(beta))
    rise = torch.exp((1 / beta - 1) * log_rest) * root.pow(beta - 1)
    return -torch.expm1(log_rest / beta), rise


def _power_root(near: Tensor, far: Tensor, noise: Tensor, beta: float) -> Tensor:
    """The a in [0, 2^{−1/β}] where near·a + far·(1 − (1 − a^β)^{1/β}) is the noise.

    Both terms are convex and rise, so that Newton's method comes down from the smaller of the two
    roots that each would have alone.
    """
    half = 0.5 ** (1 / beta)
    alone = torch.log1p(-(noise / far).clamp_max(1 - half))
    root = torch.minimum((-torch.expm1(beta * alone)).pow(1 / beta), noise / near)
    root = root.clamp_max(half)
    for _ in range(NEWTON):
        value, rise = _other_end(root, beta)
        root = root - (near * root + far * value - noise) / (near + far * rise)
        root = root.clamp(0.0, half)
    return root


class Smoothing(abc.ABC):
    """Contract of a smoothing."""

    overlapping: ClassVar[bool]  # is ζ unsure of its bit? if so the two densities are mirror images
    least: ClassVar[float] = 0.0  # β must be above it, or at least it where that is not 0

    @abc.abstractmethod
    def zeta(self, logits: Tensor, noise: Tensor, beta: float) -> Tensor:
        """ζ in [0, 1] for uniform noise, ``(…, D)``; differentiable in the logits."""

    @abc.abstractmethod
    def log_ratio(self, zeta: Tensor, beta: float) -> Tensor:
        """Log r(ζ | z=1) − log r(ζ | z=0), ``(…, D)``."""

    def bits(self, zeta: Tensor, logits: Tensor, noise: Tensor, beta: float) -> Tensor:
        """Bits ``(…, D)`` drawn from q(z | ζ), with uniform noise of their own."""
        return (noise < self.chances(zeta, logits, beta)).to(zeta.dtype)

    def chances(self, zeta: Tensor, logits: Tensor, beta: float) -> Tensor:
        """P(z = 1 | ζ), ``(…, D)``, differentiable in both."""
        return torch.sigmoid(logits + self.log_ratio(zeta, beta))


class SpikeAndExponential(Smoothing):
    r"""ζ = 0 where the bit is off; :math:`\beta e^{\beta\zeta}/(e^\beta - 1)` where it is on.

    Rolfe (2017), https://arxiv.org/abs/1609.02200. ζ says what its bit is.

    >>> logits, noise = torch.tensor([0.0, 0.0]), torch.tensor([0.25, 1 - 1e-7])
    >>> SpikeAndExponential().zeta(logits, noise, 3.0)
    tensor([0.0000, 1.0000])
    """

    overlapping = False

    def zeta(self, logits: Tensor, noise: Tensor, beta: float) -> Tensor:
        """ζ in [0, 1], zero where the bit is off, ``(…, D)``."""
        result: Tensor = _SpikeAndExponential.apply(logits, noise, beta)  # type: ignore[no-untyped-call]
        return result

    def log_ratio(self, zeta: Tensor, beta: float) -> Tensor:
        """−∞ at 0, +∞ elsewhere, ``(…, D)``."""
        return torch.where(zeta > 0, torch.inf, -torch.inf)


class Exponential(Smoothing):
    r"""Exponentials that overlap: :math:`r(\zeta|0) \propto e^{-\beta\zeta}`, and its mirror image.

    Vahdat, Macready, Bian, Khoshaman and Andriyash (2018; DVAE++),
    https://arxiv.org/abs/1802.04920: the inverse of F is the root of a quadratic.

    >>> Exponential().zeta(torch.tensor([0.0]), torch.tensor([0.5]), 5.0)
    tensor([0.5000])
    """

    overlapping = True

    def zeta(self, logits: Tensor, noise: Tensor, beta: float) -> Tensor:
        """ζ in [0, 1], ``(…, D)``."""
        result: Tensor = _Exponential.apply(logits, noise, beta)  # type: ignore[no-untyped-call]
        return result

    def log_ratio(self, zeta: Tensor, beta: float) -> Tensor:
        """β(2ζ − 1), ``(…, D)``."""
        return beta * (2 * zeta - 1)


class Power(Smoothing):
    r"""Powers: :math:`r(\zeta|0) = \frac{1}{\beta} \zeta^{1/\beta-1}`, and its mirror image.

    Vahdat, Andriyash and Macready (2018; DVAE#), https://arxiv.org/abs/1805.07445, β ≥ 1 being the
    λ of the paper. Its tails are heavy: ζ is seldom far from 0 and 1 even for a small β, and never
    quite leaves the middle for a large one. F is inverted by Newton's method.

    >>> Power().zeta(torch.tensor([0.0]), torch.tensor([0.5]), 5.0)
    tensor([0.5000])
    """

    overlapping = True
    least = 1.0

    def zeta(self, logits: Tensor, noise: Tensor, beta: float) -> Tensor:
        """ζ in [0, 1], ``(…, D)``."""
        result: Tensor = _Power.apply(logits, noise, beta)  # type: ignore[no-untyped-call]
        return result

    def log_ratio(self, zeta: Tensor, beta: float) -> Tensor:
        """(1 − 1/β)·(log ζ − log(1 − ζ)), ``(…, D)``."""
        return (1 - 1 / beta) * torch.logit(zeta, eps=torch.finfo(zeta.dtype).eps)


SMOOTHINGS: dict[str, type[Smoothing]] = {
    "exponential": Exponential,
    "power": Power,
    "spike-and-exponential": SpikeAndExponential,
}
