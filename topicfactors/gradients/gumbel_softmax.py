r"""Gumbel-Softmax (binary Concrete) relaxation.

Jang, Gu and Poole (2017), https://arxiv.org/abs/1611.01144; Maddison, Mnih and Teh (2017),
https://arxiv.org/abs/1611.00712. :math:`r = \sigma((l + \mathrm{logit}(u))/\tau)` takes the place
of the bit in training. One evaluation and its derivative a step. Biased for the hard-bit bound,
less so and with more variance as τ falls (at 0.1 as much as the score function). The default for
many factors; not for a likelihood that cannot take fractions of a factor.
"""

from __future__ import annotations

import torch
from torch import Tensor

from topicfactors.contracts import Distribution, Sizes, Surrogate, Target
from topicfactors.gradients.annealing import Annealed
from topicfactors.gradients.base import pathwise
from topicfactors.inference.posteriors import threshold


class GumbelSoftmax(Annealed):
    """Binary Concrete with an annealed temperature.

    Parameters
    ----------
    sizes
        Unused but for the contract: the estimator has no parameters.
    samples
        Draws a document.
    hard
        Decode the bits and use the relaxation's derivative only (straight-through).
    start, end
        Temperature at the beginning, and after ``annealing`` of training; geometric between.
    annealing
        Share of training after which the temperature stays.
    """

    unbiased = False
    relaxed = True
    layers = True
    pace = 4.0
    epochs = 20
    steps = 32

    def __init__(
        self,
        sizes: Sizes,
        *,
        samples: int = 1,
        hard: bool = False,
        start: float = 1.0,
        end: float = 0.4,
        annealing: float = 0.7,
    ) -> None:
        super().__init__(sizes, samples=samples, start=start, end=end, annealing=annealing)
        self.hard = hard

    def relaxation(self, logits: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Bits, and the relaxed values that the decoder reads, both ``(S, B, D)``."""
        bits, _ = threshold(logits, noise)
        relaxed = torch.sigmoid((logits + torch.logit(noise)) / self.temperature)
        return bits, bits + relaxed - relaxed.detach() if self.hard else relaxed

    def forward(self, target: Target, q: Distribution, kl_weight: float) -> Surrogate:
        """Differentiate the bound through the relaxed draw."""
        return pathwise(target, q, q.sample(self.samples, self.relaxation), kl_weight)
