r"""Exact: the 2^D states summed out, no posterior network, no sampling.

The derivative of :math:`\log\sum_z p(x,z)` is exact posterior inference. Below full KL weight w
the bound's own optimum over q is used, :math:`w\log\sum_z p(z)\,p(x|z)^{1/w}`. One table of 2^D
states a step, shared by all documents under a multinomial likelihood. The best there is for few
factors; the cost doubles with each one.
"""

from __future__ import annotations

from topicfactors.bits import all_states
from topicfactors.contracts import Distribution, Sizes, Surrogate, Target
from topicfactors.gradients.base import Gradient

LEAST_WEIGHT = 0.05  # below it p(x | z)^(1/w) is a maximum in all but name


class Exact(Gradient):
    """Enumeration of all states; docs/mathematics.md has the formulas.

    Parameters
    ----------
    sizes
        Its ``factors`` is D.
    """

    unbiased = True
    posterior = "enumerated"
    sampled = False
    limit = 16
    slow_above = 12
    learning_rate = 4e-2
    batch_size = 512

    def __init__(self, sizes: Sizes) -> None:
        super().__init__(sizes)  # nothing is drawn, so there is no number of samples

    def forward(self, target: Target, q: Distribution, kl_weight: float) -> Surrogate:
        """Loss −log p(x) at weight 1; ``q`` is not needed."""
        table = target.table()  # (2^D, B)
        bound = table.detach().logsumexp(0)
        if kl_weight >= 1:
            return Surrogate(-table.logsumexp(0), bound)
        weight = max(kl_weight, LEAST_WEIGHT)
        states = all_states(target.factors, table.device).to(table.dtype)[:, None, :]
        prior = target.log_prior(states)  # (2^D, 1 or B)
        return Surrogate(-weight * (prior + (table - prior) / weight).logsumexp(0), bound)
