r"""Straight-through: decode the bit, differentiate as if it were its probability.

Bengio, Léonard and Courville (2013), https://arxiv.org/abs/1308.3432. The estimate is
:math:`\theta(1-\theta)\nabla f(z)`. One evaluation and its derivative a step; biased unless f is
linear in z. A cheap comparison; gumbel-softmax is usually better.
"""

from __future__ import annotations

import torch
from torch import Tensor

from topicfactors.contracts import Distribution, Surrogate, Target
from topicfactors.gradients.base import Gradient, pathwise
from topicfactors.inference.posteriors import threshold


def straight_through(logits: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """Bits, and bits that carry the derivative of their probabilities."""
    bits, _ = threshold(logits, noise)
    on = torch.sigmoid(logits)
    return bits, bits + on - on.detach()


class StraightThrough(Gradient):
    """θ(1 − θ)∇f(z)."""

    unbiased = False
    relaxed = True
    layers = True
    pace = 4.0
    epochs = 20
    steps = 32

    def forward(self, target: Target, q: Distribution, kl_weight: float) -> Surrogate:
        """Differentiate the bound through the bits."""
        return pathwise(target, q, q.sample(self.samples, straight_through), kl_weight)
