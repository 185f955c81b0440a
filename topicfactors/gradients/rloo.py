r"""RLOO: the score function whose baseline is the mean of the other draws.

Salimans and Knowles (2014), https://arxiv.org/abs/1401.1022; Kool, van Hoof and Welling (2019),
https://openreview.net/forum?id=r1lgTGL5DE. The estimate is
:math:`\frac{1}{K-1}\sum_k (f_k - \bar f)(z_k - \theta)`. K evaluations a step. Unbiased, with
nothing to learn or to tune: the first choice among the score functions for any posterior, and for
models that cannot be differentiated. disarm and arms have less variance where the posterior is
factorised, local-expectation far less.
"""

from __future__ import annotations

from topicfactors.contracts import Distribution, Sizes, Surrogate, Target
from topicfactors.gradients.base import Gradient, terms
from topicfactors.gradients.scores import leave_one_out, score, surrogate
from topicfactors.values import whole


class RLOO(Gradient):
    """(f_k − mean of the others)(z_k − θ), averaged over k.

    Parameters
    ----------
    sizes
        Unused but for the contract: the estimator has no parameters.
    samples
        Draws K a document, 2 at least.
    """

    unbiased = True
    layers = True
    learning_rate = 1e-2

    def __init__(self, sizes: Sizes, *, samples: int = 4) -> None:
        whole("samples", samples, 2)
        super().__init__(sizes, samples=samples)

    def forward(self, target: Target, q: Distribution, kl_weight: float) -> Surrogate:
        """Score-function loss for the encoder, the plain derivative for the decoder."""
        draw = q.sample(self.samples)
        parts = terms(target, q, draw, kl_weight, detach_q=True)
        return surrogate(parts, score(draw, leave_one_out(parts.signal)))
