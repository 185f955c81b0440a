r"""VIMCO: the score function of the importance-weighted bound.

Mnih and Rezende (2016), https://arxiv.org/abs/1602.06725. With log-weights
:math:`\log w_k = \log p(x, z_k) - \log q(z_k)` the bound is
:math:`\hat L = \log\frac1K\sum_k w_k` (IWAE-K). The encoder's estimate is
:math:`\sum_k (\hat L - \hat L_{-k})\,\partial\log q_k - \sum_k \tilde w_k\,\partial\log q_k`, where
:math:`\hat L_{-k}` has the geometric mean of the other weights in the place of :math:`w_k`, and
:math:`\tilde w` are the normalised weights, by which decoder and prior learn. K evaluations a step.
Unbiased for the IWAE-K bound, which is not the ELBO: the model fits better, and q is left broader,
than the ELBO would have it. For any posterior; not where the posterior itself is what is wanted.

At a KL weight β below 1, :math:`\log w_k = \log p(x|z_k) + \beta(\log p(z_k) - \log q(z_k))`, and
the second term is multiplied by β.
"""

from __future__ import annotations

import torch
from torch import Tensor

from topicfactors.contracts import Distribution, Sizes, Surrogate, Target
from topicfactors.gradients.base import Gradient
from topicfactors.gradients.scores import score, weighted
from topicfactors.values import whole


class VIMCO(Gradient):
    """The IWAE-K bound, each draw's credit being what it adds to the others.

    Parameters
    ----------
    sizes
        Unused but for the contract: the estimator has no parameters.
    samples
        Draws K of the bound, 2 at least.
    """

    unbiased = True
    layers = True
    learning_rate = 1e-2
    objective = "iwae"

    def __init__(self, sizes: Sizes, *, samples: int = 5) -> None:
        whole("samples", samples, 2)
        super().__init__(sizes, samples=samples)

    def forward(self, target: Target, q: Distribution, kl_weight: float) -> Surrogate:
        """Score-function loss for the encoder, normalised weights for decoder and prior."""
        found = weighted(target, q, self.samples, kl_weight)
        advantage = credit(found.logs) - kl_weight * found.shares()
        learnt = self.samples * score(found.draw, advantage)
        return Surrogate(-found.mean - learnt, found.bound)


def credit(logs: Tensor) -> Tensor:
    """L̂ − L̂_{−k} of log-weights ``(K, B)``, ``(K, B)``.

    >>> credit(torch.tensor([[0.0], [0.0], [0.0]]))
    tensor([[0.],
            [0.],
            [0.]])
    """
    count = len(logs)
    others = (logs.sum(0) - logs) / (count - 1)  # log of the geometric mean of the others
    own = torch.eye(count, dtype=torch.bool, device=logs.device)[..., None]
    without = torch.where(own, others, logs[:, None]).logsumexp(0)  # first axis: the weights
    return logs.logsumexp(0) - without
