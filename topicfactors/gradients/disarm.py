r"""DisARM: pairs of opposite draws, the choice within each pair summed out.

Dong, Mnih and Tucker (2020), https://arxiv.org/abs/2006.10680; the same as U2G of Yin, Ho, Yan,
Qian and Zhou (2020), https://arxiv.org/abs/2006.06448. With uniform u the two draws are
:math:`b = 1[u > 1-\theta]` and :math:`b' = 1[u < \theta]`, each of them from q; the estimate is
:math:`\tfrac12 (f(b) - f(b'))(b_d - b'_d)\,\sigma(|l_d|)`. Two evaluations a step. Unbiased; less
variance than two samples of rloo, and more than local-expectation.

Of a posterior in G groups of factors, each of which reads those before it, the opposite draw is
made group by group: u is turned around for one group, those before it stay as they are, and those
after it are made anew of the same u. That takes G + 1 evaluations a step, one of them at u itself.
"""

from __future__ import annotations

import torch
from torch import Tensor

from topicfactors.contracts import Distribution, Draw, Surrogate, Target
from topicfactors.errors import ConfigurationError
from topicfactors.gradients.base import Gradient, terms
from topicfactors.gradients.scores import slope, surrogate


class DisARM(Gradient):
    """½(f(b) − f(b'))(b − b')σ(abs(l)).

    Parameters
    ----------
    sizes
        Unused but for the contract: the estimator has no parameters.
    samples
        Pairs of opposite draws a document; the estimate is the mean of theirs.
    """

    unbiased = True
    learning_rate = 1e-2

    def forward(self, target: Target, q: Distribution, kl_weight: float) -> Surrogate:
        """The decoder learns at all draws, the encoder from the differences within pairs."""
        groups = groups_of(q, target.factors)
        draw = q.sample(self.samples)
        opposite = q.sample(self.samples * int(groups.max() + 1), noise=turned(draw.noise, groups))
        both = Draw(*(torch.cat(fields) for fields in zip(draw, opposite, strict=True)))
        parts = terms(target, q, both, kl_weight, detach_q=True)
        signal = parts.signal.detach().view(-1, *draw.bits.shape[:-1])  # (1 + G, S, B)
        gap = (signal[0] - signal[1:])[groups]  # (D, S, B)
        bits = opposite.bits.view(-1, *draw.bits.shape)  # (G, S, B, D)
        factors = torch.arange(target.factors, device=groups.device)
        unlike = draw.bits - bits[groups, ..., factors].movedim(0, -1)
        weight = 0.5 * gap.movedim(0, -1) * unlike * torch.sigmoid(draw.logits.detach().abs())
        return surrogate(parts, slope((weight * draw.logits).sum(-1).mean(0)))


def turned(noise: Tensor, groups: Tensor) -> Tensor:
    """1 − u for one group after the other and u elsewhere, ``(S, B, D) -> (G·S, B, D)``."""
    every = torch.arange(int(groups.max() + 1), device=groups.device)
    one = (groups == every[:, None])[:, None, None]  # (G, 1, 1, D)
    return torch.where(one, 1 - noise, noise).flatten(0, 1)


def groups_of(q: Distribution, factors: int) -> Tensor:
    """The group of each factor, ``(D,)`` from 0; factors of one group do not read each other.

    Raises
    ------
    ConfigurationError
        When the posterior is not factorised and does not say.
    """
    groups: Tensor | None = getattr(q, "groups", None)
    if groups is not None:
        return groups
    if not q.factorised:
        raise ConfigurationError(
            f"inference='disarm' turns the factors of a posterior around group by group, and "
            f"{type(q).__name__} has no groups; use inference='rloo', which serves every posterior"
        )
    return torch.zeros(factors, dtype=torch.long, device=q.logits.device)
