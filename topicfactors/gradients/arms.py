r"""ARMS: the leave-one-out score function on draws that avoid each other.

Dimitriev and Zhou (2021), https://arxiv.org/abs/2105.14141. K draws, each from q, are coupled by a
Dirichlet copula so that any two are less often alike than independent ones. With
:math:`\rho_d = P(z_{kd} = z_{jd} = 1)` the estimate is
:math:`\frac{1}{K-1}\sum_k (f_k - \bar f)(z_k - \theta)\,\frac{\theta(1-\theta)}{\theta-\rho}`,
the last factor making up for the coupling. K evaluations a step. Unbiased, and with K = 2 the same
as disarm; less variance than rloo with as many draws. For more than two draws of a factorised
posterior; local-expectation has less variance where its evaluations are cheap.

The coupling: w ~ Dirichlet(1, …, 1) over the K draws, and :math:`u_k = 1 - (1 - w_k)^{K-1}`, each
of which is uniform. The rarer value of a bit, of probability :math:`m = \min(\theta, 1-\theta)`, is
taken where :math:`u_k > 1 - m`, by two draws at once with probability
:math:`\max(0, 2m^{1/(K-1)} - 1)^{K-1}`.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from topicfactors.contracts import Distribution, Sizes, Surrogate, Target
from topicfactors.gradients.base import Gradient, terms
from topicfactors.gradients.scores import leave_one_out, score, surrogate
from topicfactors.values import whole


class ARMS(Gradient):
    """rloo on coupled draws, times θ(1 − θ)/(θ − ρ).

    Parameters
    ----------
    sizes
        Unused but for the contract: the estimator has no parameters.
    samples
        Draws K a document, 2 at least.
    """

    unbiased = True
    learning_rate = 1e-2
    factorised = True

    def __init__(self, sizes: Sizes, *, samples: int = 4) -> None:
        whole("samples", samples, 2)
        super().__init__(sizes, samples=samples)

    def forward(self, target: Target, q: Distribution, kl_weight: float) -> Surrogate:
        """Score-function loss for the encoder, the plain derivative for the decoder."""
        logits = q.logits.detach()
        draw = q.sample(self.samples, noise=coupled(self.samples, logits))
        parts = terms(target, q, draw, kl_weight, detach_q=True)
        advantage = leave_one_out(parts.signal)[..., None] * correction(self.samples, logits)
        return surrogate(parts, score(draw, advantage))


def coupled(samples: int, logits: Tensor) -> Tensor:
    """Uniform numbers of draws that avoid each other, ``(K, B, D)``, for log-odds ``(B, D)``."""
    parts = logits.new_empty(samples, *logits.shape).exponential_()
    total = parts.sum(0)
    above = ((total - parts) / total).clamp_min(0.0).pow(samples - 1)  # 1 − u
    return torch.where(logits > 0, above, 1 - above)


def correction(samples: int, logits: Tensor) -> Tensor:
    """θ(1 − θ)/(θ − ρ), of the shape of ``logits``; at most 1, and safe for θ near 0 and 1.

    >>> correction(2, torch.tensor([-2.0, 2.0])) == torch.sigmoid(torch.tensor(2.0))
    tensor([True, True])
    """
    rarer = functional.logsigmoid(-logits.abs())  # log m
    base = 2 * (rarer / (samples - 1)).exp() - 1
    both = (base.clamp_min(torch.finfo(base.dtype).tiny).log() * (samples - 1) - rarer).exp()
    both = torch.where(base > 0, both, 0.0)  # P(both rarer) / m
    return torch.sigmoid(logits.abs()) / (1 - both)
