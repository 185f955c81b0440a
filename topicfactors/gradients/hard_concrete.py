r"""Hard Concrete: the relaxation stretched and clipped, so that zeros and ones are exact.

Louizos, Welling and Kingma (2018), https://arxiv.org/abs/1712.01312. The decoder reads
:math:`\min(1, \max(0, \gamma + (\zeta - \gamma)\,r))`, r the binary Concrete of temperature τ;
where that is clipped nothing is learnt from the likelihood. The bit of a hard score is the draw
rounded (γ + ζ = 1) and is on with probability σ(l), and the KL is that of this bit: the paper's
L0 penalty counts instead every value above zero,
:math:`P(\mathrm{value} > 0) = \sigma(l - \tau\log(-\gamma/\zeta))`, which is more. One evaluation
and its derivative a step; biased for the hard-bit bound, less so as τ falls. For decoders that must
be told exact zeros; where fractions do no harm `gumbel-softmax` learns from every draw.
"""

from __future__ import annotations

import torch
from torch import Tensor

from topicfactors.contracts import Distribution, Sizes, Surrogate, Target
from topicfactors.gradients.annealing import Annealed
from topicfactors.gradients.base import pathwise
from topicfactors.inference.posteriors import threshold
from topicfactors.values import number


class HardConcrete(Annealed):
    """The binary Concrete from −``stretch`` to 1 + ``stretch``, clipped to [0, 1].

    Parameters
    ----------
    sizes
        Unused but for the contract: the estimator has no parameters.
    samples
        Draws a document.
    stretch
        −γ = ζ − 1.
    start, end
        Temperature at the beginning, and after ``annealing`` of training; geometric between. The
        paper's 2/3 throughout, unless told otherwise.
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
        stretch: float = 0.1,
        start: float = 2 / 3,
        end: float = 2 / 3,
        annealing: float = 0.7,
    ) -> None:
        super().__init__(sizes, samples=samples, start=start, end=end, annealing=annealing)
        number("stretch", stretch, 0.0, 1.0, open_ends="low")
        self.stretch = stretch

    def relaxation(self, logits: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Bits, and the clipped values that the decoder reads, both ``(S, B, D)``."""
        bits, _ = threshold(logits, noise)
        relaxed = torch.sigmoid((logits + torch.logit(noise)) / self.temperature)
        return bits, ((1 + 2 * self.stretch) * relaxed - self.stretch).clamp(0.0, 1.0)

    def forward(self, target: Target, q: Distribution, kl_weight: float) -> Surrogate:
        """Differentiate the bound through the clipped draw."""
        return pathwise(target, q, q.sample(self.samples, self.relaxation), kl_weight)
