r"""Reweighted wake-sleep: both networks learn by normalised importance weights.

Bornschein and Bengio (2015), https://arxiv.org/abs/1406.2751; Le, Kosiorek, Siddharth, Teh and Wood
(2019), https://arxiv.org/abs/1805.10469. With :math:`w_k = p(x, z_k) / q(z_k)` of K draws and
:math:`\tilde w` the normalised weights, decoder and prior follow
:math:`\sum_k \tilde w_k\,\partial\log p(x, z_k)`, which is the derivative of the IWAE-K bound, and
the encoder :math:`\sum_k \tilde w_k\,\partial\log q(z_k)`, which draws it to the posterior from
the other side, by :math:`\mathrm{KL}(p(z|x)\,\|\,q)` ("wake-phi"). K evaluations a step. Biased:
its encoder's derivative is that of KL(p ‖ q) only as K grows, with an error of order 1/K, and is of
no bound at all. No score function, and no variance that a baseline would have to take away; q comes
to cover the posterior rather than to sit on a part of it. For posteriors that are to be sampled
from; not where the ELBO counts, and not with few draws of many factors, when one draw has all of
the weight.

At a KL weight β below 1, :math:`\log w_k = \log p(x|z_k) + \beta(\log p(z_k) - \log q(z_k))`, whose
weights are even where q has the best ELBO of that weight: :math:`q \propto p(z)\,p(x|z)^{1/\beta}`.
"""

from __future__ import annotations

from topicfactors.contracts import Distribution, Sizes, Surrogate, Target
from topicfactors.gradients.base import Gradient
from topicfactors.gradients.scores import score, weighted
from topicfactors.values import whole


class WakeSleep(Gradient):
    """Reweighted wake-sleep with the wake-phi update.

    Parameters
    ----------
    sizes
        Unused but for the contract: the estimator has no parameters.
    samples
        Draws K, 2 at least; with one, nothing is reweighted.
    """

    unbiased = False
    learning_rate = 1e-2
    objective = "wake-sleep"

    def __init__(self, sizes: Sizes, *, samples: int = 10) -> None:
        whole("samples", samples, 2)
        super().__init__(sizes, samples=samples)

    def forward(self, target: Target, q: Distribution, kl_weight: float) -> Surrogate:
        """Normalised weights for decoder, prior and encoder."""
        found = weighted(target, q, self.samples, kl_weight)
        learnt = self.samples * score(found.draw, found.shares())
        return Surrogate(-found.mean - learnt, found.bound)
