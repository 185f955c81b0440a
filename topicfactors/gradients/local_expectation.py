r"""Local expectation: each bit summed out, the others sampled.

Titsias and Lázaro-Gredilla (2015), https://arxiv.org/abs/1503.01494. The estimate is
:math:`\theta_d(1-\theta_d)\,[f(z_d{=}1) - f(z_d{=}0)]` for every d, the score function
Rao-Blackwellised over each bit. All D differences cost two more products a step under a
log-linear decoder. Under an MLP, or a likelihood without a closed form of a flip (`polya`,
`bernoulli`), every flip is evaluated: D + 1 evaluations a step (one more where the KL has no closed
form), which a fit under an MLP says. Unbiased, and of far lower variance than one-sample score
functions; needs a factorised posterior.
"""

from __future__ import annotations

import torch

from topicfactors.contracts import Distribution, Surrogate, Target
from topicfactors.gradients.base import Gradient, terms


class LocalExpectation(Gradient):
    """θ(1 − θ)[f(z_d = 1) − f(z_d = 0)]."""

    unbiased = True
    factorised = True
    flips = True

    def forward(self, target: Target, q: Distribution, kl_weight: float) -> Surrogate:
        """The decoder learns at the draw, the encoder from the differences."""
        draw = q.sample(self.samples)
        hard = draw._replace(bits=draw.bits.detach(), values=draw.bits.detach())
        signal, _, bound = terms(target, q.detach(), hard, kl_weight)
        prior_only = target.kl(q.detach())
        known = None if prior_only is None else signal.detach()
        flips = target.flips(hard.bits, kl_weight, known)  # (S, B, D)
        slopes = flips - kl_weight * q.logits.detach()
        encoder = (torch.sigmoid(q.logits) * slopes.detach()).sum(-1).mean(0)
        loss = -signal.mean(0) - (encoder - encoder.detach())
        if prior_only is not None:
            loss = loss + kl_weight * prior_only
        return Surrogate(loss, bound)
