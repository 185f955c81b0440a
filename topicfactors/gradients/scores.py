"""What the estimators of the score-function family share: a signal times the slope of log q.

E_q[f ∂log q] is the derivative of E_q[f] (Williams, 1992, https://doi.org/10.1007/BF00992696);
they differ in what they take from f before. Importance weights of several draws are here too.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from torch import Tensor
from torch.nn import functional

from topicfactors.contracts import Distribution, Draw, Surrogate, Target
from topicfactors.gradients.base import Terms


def log_prob(bits: Tensor, logits: Tensor) -> Tensor:
    """Log q of every bit given the log-odds that it saw, ``(…, D)`` nats."""
    return bits * logits - functional.softplus(logits)


def score(draw: Draw, advantage: Tensor) -> Tensor:
    """Mean over the draws of advantage·log q, ``(B,)``: its value is 0, its derivative counts.

    ``advantage`` is ``(S, B)``, or ``(S, B, D)`` where every factor has its own; no derivative goes
    through it.
    """
    each = advantage.detach() if advantage.dim() == 3 else advantage.detach()[..., None]
    return slope((each * log_prob(draw.bits, draw.logits)).sum(-1).mean(0))


def slope(values: Tensor) -> Tensor:
    """Zeros with the derivative of ``values``, of any shape."""
    return values - values.detach()


def leave_one_out(signal: Tensor) -> Tensor:
    """Each draw's signal ``(S, B)`` less the mean of the other draws'."""
    count = len(signal)
    return (signal - signal.mean(0)) * (count / (count - 1))


def surrogate(parts: Terms, learnt: Tensor) -> Surrogate:
    """The decoder learns at the draws, the encoder by ``learnt (B,)`` and the closed-form KL."""
    return Surrogate(parts.kl - parts.signal.mean(0) - learnt, parts.bound)


class Weighted(NamedTuple):
    """K draws and what each of them weighs."""

    draw: Draw
    logs: Tensor  # (K, B) log p(x | z) + kl_weight·(log p(z) − log q(z)), detached
    mean: Tensor  # (B,) log of their mean, with its derivative in decoder and prior
    bound: Tensor  # (B,) the same at weight 1, detached: IWAE-K

    def shares(self) -> Tensor:
        """The normalised weights, ``(K, B)``."""
        return self.logs.softmax(0)


def weighted(target: Target, q: Distribution, samples: int, kl_weight: float) -> Weighted:
    """Draw, and weigh the draws; log q has no derivative in the weights."""
    draw = q.sample(samples)
    log_q = log_prob(draw.bits, draw.logits.detach()).sum(-1)
    likelihood, ratio = target.log_likelihood(draw.bits), target.log_prior(draw.bits) - log_q
    logs, full = likelihood + kl_weight * ratio, (likelihood + ratio).detach()
    count = math.log(samples)
    return Weighted(draw, logs.detach(), logs.logsumexp(0) - count, full.logsumexp(0) - count)
