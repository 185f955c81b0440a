r"""ReinMax: straight-through to second order.

Liu, Dong, Liu, Yu and Gao (2023), https://arxiv.org/abs/2304.08612. Straight-through follows f from
one state of a bit to the other by a step of Euler's method; ReinMax takes the step of Heun's, with
the derivative :math:`[2p(1-p) - \tfrac12\theta(1-\theta)]\,\nabla f(z)`,
:math:`p = \tfrac12(z + \sigma(l/\tau))`. At τ = 1 that is :math:`\tfrac12|z-\theta|\,\nabla f(z)`,
unbiased where f is quadratic in each bit, else biased. One evaluation and its derivative a step. As
cheap as straight-through and usually less biased; the choice among those that decode hard bits.
"""

from __future__ import annotations

import torch
from torch import Tensor

from topicfactors.contracts import Distribution, Sizes, Surrogate, Target
from topicfactors.gradients.base import Gradient, pathwise
from topicfactors.gradients.derivatives import carrying
from topicfactors.inference.posteriors import threshold
from topicfactors.values import number


class ReinMax(Gradient):
    """Hard bits with the derivative of Heun's method.

    Parameters
    ----------
    sizes
        Unused but for the contract: the estimator has no parameters.
    samples
        Draws a document.
    temperature
        τ; 1 is the second-order method, more trades its bias for variance.
    """

    unbiased = False
    relaxed = True

    def __init__(self, sizes: Sizes, *, samples: int = 1, temperature: float = 1.0) -> None:
        super().__init__(sizes, samples=samples)
        number("temperature", temperature, open_ends="low")
        self.temperature = temperature

    def relaxation(self, logits: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Bits, and bits that carry the derivative, both ``(S, B, D)``."""
        bits, _ = threshold(logits, noise)
        on = torch.sigmoid(logits)
        between = (bits + torch.sigmoid(logits / self.temperature)) / 2
        return bits, carrying(bits, logits, 2 * between * (1 - between) - on * (1 - on) / 2)

    def forward(self, target: Target, q: Distribution, kl_weight: float) -> Surrogate:
        """Differentiate the bound through the bits."""
        return pathwise(target, q, q.sample(self.samples, self.relaxation), kl_weight)
