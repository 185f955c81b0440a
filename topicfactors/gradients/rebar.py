r"""REBAR: the score function beside a relaxation whose mean given the bit can be differentiated.

Tucker, Mnih, Maddison, Lawson and Sohl-Dickstein (2017), https://arxiv.org/abs/1703.07370. With
:math:`\zeta = l + \mathrm{logit}(u)`, :math:`z = 1[\zeta > 0]` and :math:`\tilde\zeta` drawn again
given z, both read as :math:`r = \sigma(\zeta/\tau)`, the estimate is
:math:`[f(z) - \eta f(\tilde r)](z - \theta) + \eta\,\partial_l [f(r) - f(\tilde r)]`.
The two draws share their noise as in the paper, so that :math:`\tilde\zeta = \zeta` but for how it
depends on l, :math:`\partial\tilde\zeta/\partial l = q(z)\,(1 - e^{-|\zeta|})`, and one derivative
of f serves both. Unbiased whatever τ and η, which descend the squared gradient of each document: η
by its derivative, τ by a finite difference at the same noise, in a random direction. Two
evaluations and one derivative a step, one more of each for τ. For models that can be differentiated
in z; not where f cannot take fractions of a bit. Needs a factorised posterior.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from topicfactors.contracts import Distribution, Draw, Sizes, Surrogate, Target
from topicfactors.gradients.base import Gradient, terms
from topicfactors.gradients.derivatives import ascending, derivative
from topicfactors.values import number

STEP = 0.1  # of the logarithm of the temperature, for its finite difference
COLDEST, HOTTEST = 0.05, 20.0


class Noisy(NamedTuple):
    """A draw as its relaxations see it; every field is ``(S, B, D)``."""

    zeta: Tensor  # l + logit(u), positive where the bit is on
    off: Tensor  # z − θ
    chain: Tensor  # ∂ζ/∂l − ∂ζ̃/∂l

    @classmethod
    def of(cls, draw: Draw) -> Noisy:
        """Of a plain draw."""
        logits = draw.logits.detach()
        on, zeta = torch.sigmoid(logits), logits + torch.logit(draw.noise)
        given = torch.where(draw.bits > 0, on, 1 - on)
        return cls(zeta, draw.bits - on, 1 + given * torch.expm1(-zeta.abs()))

    def control(self, value: Tensor, slope: Tensor) -> Tensor:
        """What a function of ζ adds to the estimate, ``(S, B, D)``, its mean zero.

        From its value ``(S, B)`` and its derivative in ζ, ``(S, B, D)``.
        """
        return self.chain * slope - value[..., None] * self.off


class Rebar(Gradient):
    """Score function with a conditional relaxation as control variate.

    Parameters
    ----------
    sizes
        Unused but for the contract.
    samples
        Draws a document.
    temperature, scale
        Starting values of τ and of η.
    learnt
        Whether they are tuned.
    """

    unbiased = True
    factorised = True

    def __init__(
        self,
        sizes: Sizes,
        *,
        samples: int = 1,
        temperature: float = 1.0,
        scale: float = 1.0,
        learnt: bool = True,
    ) -> None:
        super().__init__(sizes, samples=samples)
        number("temperature", temperature, COLDEST, HOTTEST)
        number("scale", scale)
        start = torch.tensor([math.log(temperature), scale])
        self.log_temperature, self.scale = (nn.Parameter(value.clone()) for value in start)
        self.learnt = learnt

    def forward(self, target: Target, q: Distribution, kl_weight: float) -> Surrogate:
        """The decoder learns at the draw, the encoder from what the relaxation leaves."""
        draw = q.sample(self.samples)
        signal, kl, bound = terms(target, q, draw, kl_weight, detach_q=True)
        noisy, value = Noisy.of(draw), signal.detach()
        rest = value[..., None] * noisy.off + self._free(noisy, q, value)
        temperature = self.temperature()
        control = self._relaxed(target, q, noisy, temperature, kl_weight)
        tuned = None
        if self.training and self.learnt:
            direction = 2.0 * torch.randint(0, 2, (), device=value.device) - 1
            moved = temperature * torch.exp(STEP * direction)
            other = self._relaxed(target, q, noisy, moved, kl_weight)
            tuned = self._squared(rest, control, other, direction)
        estimate = rest + self.scale * control
        loss = kl - signal.mean(0) + ascending(estimate, draw.logits)
        return Surrogate(loss, bound, tuned)

    def temperature(self) -> Tensor:
        """τ, a scalar, detached."""
        return self.log_temperature.detach().exp().clamp(COLDEST, HOTTEST)

    def _relaxed(
        self, target: Target, q: Distribution, noisy: Noisy, temperature: Tensor, kl_weight: float
    ) -> Tensor:
        """What f of the relaxed draw adds to the estimate at η = 1."""
        relaxed = torch.sigmoid(noisy.zeta / temperature)
        here = derivative(target, q, relaxed, kl_weight)
        return noisy.control(here.value, here.slope * relaxed * (1 - relaxed) / temperature)

    def _free(self, noisy: Noisy, q: Distribution, signal: Tensor) -> Tensor:
        """What else has mean zero, ``(S, B, D)``; its parameters are tuned too."""
        return torch.zeros_like(noisy.off)

    def _squared(self, rest: Tensor, control: Tensor, other: Tensor, direction: Tensor) -> Tensor:
        """A scalar with the derivatives of the squared gradient, relative to its size."""
        square = (rest + self.scale * control).square().sum(-1).mean()
        moved = (rest + self.scale * other).square().sum(-1).mean()
        unit = square.detach().clamp_min(torch.finfo(square.dtype).tiny)
        slope = (moved.detach() - square.detach()) / (STEP * direction)
        return (square + slope * self.log_temperature) / unit
