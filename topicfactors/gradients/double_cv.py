r"""Double control variates: leave-one-out, and a tangent of each sample for the others.

Titsias and Shi (2022), https://arxiv.org/abs/2111.05300. With
:math:`c_k = \alpha\,\bar\nabla_{-k}^\top(z_k - \theta)`, :math:`\bar\nabla_{-k}` the mean of
:math:`\nabla f` at the other samples, the estimate is
:math:`\frac{1}{K-1}\sum_k (h_k - \bar h)(z_k - \theta) +
\alpha\,\theta(1-\theta)\overline{\nabla f}` with
:math:`h_k = f_k - c_k`. K evaluations and their derivatives a step. Unbiased whatever α, which is
regressed on earlier steps: −E[g₀·g₁]/E[g₁·g₁] of the estimate written as g₀ + α g₁ (α = 0 is
leave-one-out). For models that can be differentiated in z, at the price of a second backward pass
through the decoder; needs a factorised posterior.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from topicfactors.contracts import Distribution, Draw, Sizes, Surrogate, Target
from topicfactors.gradients.base import Gradient, terms
from topicfactors.gradients.derivatives import ascending, slope_of, with_derivative
from topicfactors.values import number, whole


class Regression(nn.Module):
    """α = −E[g₀·g₁]/E[g₁·g₁] over earlier steps; zero before the first."""

    def __init__(self, decay: float = 0.9) -> None:
        super().__init__()
        self.decay = decay
        self.register_buffer("cross", torch.zeros(()))
        self.register_buffer("square", torch.zeros(()))
        self.cross: Tensor
        self.square: Tensor

    def forward(self) -> Tensor:
        """α, a scalar."""
        return torch.where(self.square > 0, -self.cross / self.square, 0.0)

    @torch.no_grad()
    def update(self, plain: Tensor, control: Tensor) -> None:
        """Fold in g₀ and g₁ of this step, ``(B, D)``; the first step replaces the start."""
        keep = torch.where(self.square > 0, self.decay, 0.0)
        cross, square = (plain * control).sum(-1).mean(), control.square().sum(-1).mean()
        self.cross.lerp_(cross.to(self.cross.dtype), 1 - keep)
        self.square.lerp_(square.to(self.square.dtype), 1 - keep)


class DoubleCV(Gradient):
    """Leave-one-out score function with tangents at the other samples.

    Parameters
    ----------
    sizes
        Unused but for the contract.
    samples
        Draws a document K, at least 2.
    decay
        Of the running averages that α comes from.
    """

    unbiased = True
    factorised = True

    def __init__(self, sizes: Sizes, *, samples: int = 2, decay: float = 0.9) -> None:
        whole("samples", samples, 2)
        super().__init__(sizes, samples=samples)
        number("decay", decay, 0.0, 1.0, open_ends="high")
        self.regression = Regression(decay)

    def forward(self, target: Target, q: Distribution, kl_weight: float) -> Surrogate:
        """The decoder learns at the draws, the encoder from their differences and tangents."""
        draw = with_derivative(q.sample(self.samples))
        with torch.enable_grad():
            signal, kl, bound = terms(target, q, draw, kl_weight, detach_q=True)
            slope = slope_of(signal, draw)
        plain, control = self._parts(signal.detach(), slope, draw)
        estimate = plain + self.regression() * control
        if self.training:
            self.regression.update(plain, control)
        loss = kl - signal.mean(0) + ascending(estimate[None], draw.logits[:1])
        return Surrogate(loss, bound)

    def _parts(self, signal: Tensor, slope: Tensor, draw: Draw) -> tuple[Tensor, Tensor]:
        """g₀ and g₁, ``(B, D)``, of signals ``(K, B)`` and slopes ``(K, B, D)``."""
        on = torch.sigmoid(draw.logits.detach())
        off, others = draw.bits - on, (slope.sum(0) - slope) / (self.samples - 1)
        plain = self._left_out(signal, off)
        tangents = self._left_out((others * off).sum(-1), off)
        return plain, on[0] * (1 - on[0]) * slope.mean(0) - tangents

    def _left_out(self, values: Tensor, off: Tensor) -> Tensor:
        """1/(K − 1) Σ_k (v_k − v̄)(z_k − θ), ``(B, D)``."""
        return ((values - values.mean(0))[..., None] * off).sum(0) / (self.samples - 1)
