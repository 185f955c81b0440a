r"""The discrete variational autoencoder's smoothing of the bits.

Rolfe (2017), https://arxiv.org/abs/1609.02200. Each bit is joined by a continuous ζ, with
:math:`r(\zeta|z{=}0) = \delta(\zeta)` and
:math:`r(\zeta|z{=}1) = \beta e^{\beta\zeta}/(e^\beta - 1)` on [0, 1] (spike and exponential); the
decoder reads ζ, drawn by inverting its distribution function so that the draw can be
differentiated. With a factorial posterior r cancels in the KL. One evaluation and its derivative a
step; unbiased for its own smoothed model, biased for the hard-bit bound, less so as β grows and
its variance with it. For the comparison with the literature.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from topicfactors.contracts import Distribution, Sizes, Surrogate, Target
from topicfactors.gradients.base import Gradient, pathwise
from topicfactors.inference.posteriors import threshold
from topicfactors.values import number


class _SpikeExponential(torch.autograd.Function):
    """ζ for logits and uniform noise; the derivative in the logits in closed form."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, noise: Tensor, beta: float) -> Tensor:
        off = torch.sigmoid(-logits)
        on = noise > off
        u = torch.where(on, 1 - (1 - noise) / torch.sigmoid(logits), 1.0).clamp_(0.0, 1.0)
        zeta = 1 + torch.log(u + (1 - u) * math.exp(-beta)) / beta
        ctx.save_for_backward(off, on, u)
        ctx.beta = beta
        return torch.where(on, zeta, 0.0)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = gradients
        off, on, u = ctx.saved_tensors
        spread = 1 / math.expm1(ctx.beta) if ctx.beta < 700 else 0.0
        slope = (1 - u) * off / (ctx.beta * (u + spread)).clamp_min(torch.finfo(u.dtype).tiny)
        return torch.where(on, slope, 0.0) * gradient, None, None


def spike_exponential(logits: Tensor, noise: Tensor, beta: float) -> Tensor:
    """ζ in [0, 1], zero where the bit is off; any shape, differentiable in the logits.

    >>> logits, noise = torch.tensor([0.0, 0.0]), torch.tensor([0.25, 1 - 1e-7])
    >>> spike_exponential(logits, noise, beta=3.0)
    tensor([0.0000, 1.0000])
    """
    result: Tensor = _SpikeExponential.apply(logits, noise, beta)  # type: ignore[no-untyped-call]
    return result


class DVAE(Gradient):
    """Spike-and-exponential smoothing with an annealed β.

    Parameters
    ----------
    sizes
        Unused but for the contract: the estimator has no parameters.
    samples
        Draws a document.
    start, end
        β at the beginning and at the end of training; geometric between. Larger is sharper.
    """

    unbiased = False
    relaxed = True

    def __init__(
        self, sizes: Sizes, *, samples: int = 1, start: float = 3.0, end: float = 10.0
    ) -> None:
        super().__init__(sizes, samples=samples)
        number("start", start, open_ends="low")
        number("end", end, open_ends="low")
        self.start, self.end = start, end
        self.beta = start

    def anneal(self, progress: float) -> None:
        """Move β geometrically from ``start`` to ``end``."""
        self.beta = self.start * (self.end / self.start) ** progress

    def relaxation(self, logits: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Bits, and the ζ that the decoder reads, both ``(S, B, D)``."""
        bits, _ = threshold(logits, noise)
        return bits, spike_exponential(logits, noise, self.beta)

    def forward(self, target: Target, q: Distribution, kl_weight: float) -> Surrogate:
        """Differentiate the smoothed bound through ζ."""
        return pathwise(target, q, q.sample(self.samples, self.relaxation), kl_weight)
