r"""Self-critical: the score function whose baseline is f at the most probable bits.

Rennie, Marcheret, Mroueh, Ross and Goel (2017), https://arxiv.org/abs/1612.00563. The estimate is
:math:`(f(z) - f(z^*))(z - \theta)`, with every bit of :math:`z^*` on where its probability is above
½; of a posterior in groups the bits of each group given those of the groups before. One evaluation
more than samples a step. Unbiased, since :math:`z^*` knows nothing of z. Good once posteriors are
confident; early, when the mode explains little, rloo is the better use of two evaluations.
"""

from __future__ import annotations

import torch

from topicfactors.contracts import Distribution, Surrogate, Target
from topicfactors.gradients.base import Gradient, terms
from topicfactors.gradients.scores import score, surrogate


class SelfCritical(Gradient):
    """(f(z) − f(mode))(z − θ)."""

    unbiased = True
    learning_rate = 1e-2

    def forward(self, target: Target, q: Distribution, kl_weight: float) -> Surrogate:
        """Score-function loss for the encoder; the decoder learns at the draws alone."""
        draw = q.sample(self.samples)
        parts = terms(target, q, draw, kl_weight, detach_q=True)
        with torch.no_grad():
            greedy = q.sample(1, noise=torch.full_like(draw.noise[:1], 0.5))
            mode = terms(target, q, greedy, kl_weight, detach_q=True).signal
        return surrogate(parts, score(draw, parts.signal - mode))
