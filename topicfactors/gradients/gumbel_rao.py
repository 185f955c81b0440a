r"""Gumbel-Rao: straight-through Gumbel-Softmax, its derivative averaged over noise given the bits.

Paulus, Maddison and Krause (2021), https://arxiv.org/abs/2010.04838. The decoder reads the bit z;
the derivative is :math:`\frac1M\sum_m \frac{r_m(1-r_m)}{\tau}\nabla f(z)` with
:math:`r_m = \sigma(\zeta_m/\tau)` and :math:`\zeta_m = l + \mathrm{logit}(u_m)` drawn given z,
through which nothing is differentiated. One evaluation and its derivative a step, and the M
derivatives of a sigmoid. As biased as ``gumbel-softmax:hard=true``, of no more variance for any M,
so that colder and less biased temperatures become affordable. Where hard bits must be
decoded; else soft `gumbel-softmax` is less biased at the same temperature.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from topicfactors.contracts import Distribution, Sizes, Surrogate, Target
from topicfactors.gradients.annealing import Annealed
from topicfactors.gradients.base import pathwise
from topicfactors.gradients.derivatives import carrying
from topicfactors.inference.posteriors import threshold, uniform
from topicfactors.values import whole


def conditional(logits: Tensor, bits: Tensor, noise: Tensor) -> Tensor:
    """ζ = l + logistic noise, positive where the bit is on and negative where it is off.

    From uniform noise; shapes that broadcast.

    >>> conditional(torch.zeros(2), torch.tensor([0.0, 1.0]), torch.tensor(0.5)).exp()
    tensor([0.3333, 3.0000])
    """
    sign = 2 * bits - 1
    return sign * functional.softplus(torch.logit(noise) + functional.softplus(sign * logits))


class GumbelRao(Annealed):
    """Hard bits with an averaged derivative of the binary Concrete.

    Parameters
    ----------
    sizes
        Unused but for the contract: the estimator has no parameters.
    samples
        Draws a document.
    noises
        M, over which the derivative is averaged.
    start, end
        Temperature at the beginning, and after ``annealing`` of training; geometric between.
    annealing
        Share of training after which the temperature stays.
    """

    unbiased = False
    relaxed = True

    def __init__(
        self,
        sizes: Sizes,
        *,
        samples: int = 1,
        noises: int = 10,
        start: float = 1.0,
        end: float = 0.4,
        annealing: float = 0.7,
    ) -> None:
        super().__init__(sizes, samples=samples, start=start, end=end, annealing=annealing)
        whole("noises", noises, 1)
        self.noises = noises

    def relaxation(self, logits: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Bits, and bits that carry the derivative, both ``(S, B, D)``."""
        bits, _ = threshold(logits, noise)
        slope = torch.zeros_like(noise)
        for _ in range(self.noises):  # one at a time: no array of (M, S, B, D)
            zeta = conditional(logits.detach(), bits, uniform(tuple(noise.shape), noise))
            relaxed = torch.sigmoid(zeta / self.temperature)
            slope += relaxed * (1 - relaxed)
        return bits, carrying(bits, logits, slope / (self.noises * self.temperature))

    def forward(self, target: Target, q: Distribution, kl_weight: float) -> Surrogate:
        """Differentiate the bound through the bits."""
        return pathwise(target, q, q.sample(self.samples, self.relaxation), kl_weight)
