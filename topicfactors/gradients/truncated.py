r"""Truncated: the derivative of :math:`F=\log\sum_{z\in K}p(x,z)` over a set of good states.

No sampling and no posterior network in the model's way: the set K of each document is found by
search (:mod:`topicfactors.inference.search`) and kept from visit to visit. The derivative goes
through the few best states of the set, which have nearly all its weight; as an estimate of the
derivative of log p(x) it is biased by what the set leaves out. A step evaluates the states of the
set, and two products of (documents, words) a round. The encoder learns afterwards what the search
has found (:mod:`topicfactors.training.distil`). Lücke and Eggert (2010),
https://jmlr.org/papers/v11/lucke10a.html; Drefs, Guiraud and Lücke (2022),
https://arxiv.org/abs/2012.12294.
"""

from __future__ import annotations

from typing import Any

import torch

from topicfactors.contracts import Sizes, Surrogate, Target
from topicfactors.gradients.base import Gradient
from topicfactors.gradients.exact import LEAST_WEIGHT
from topicfactors.inference.truncated import Search
from topicfactors.values import whole

NEGLIGIBLE = 0.01  # share of a document's weight below which a state teaches nothing


class Truncated(Gradient):
    """The bound of a set of states, differentiated through the best of them.

    Parameters
    ----------
    sizes
        Number of factors D.
    states
        Kept for each document while training.
    rounds
        Members of the set whose flips are looked at, each time the document is met.
    breadth
        Flips that may join the set in a round.
    best
        States of the set through which the derivative goes.
    final_states, final_rounds
        The same for documents that are not of the training; None for 6 rounds, and one more for
        every 8 factors. Documents whose best state was found in the last 4 go on, to four times as
        many.
    """

    unbiased = False
    posterior = "truncated"
    sampled = False
    learning_rate = 4e-2
    batch_size = 512
    steps = 24
    shrinkage = 0.3
    kl_warmup = 0.0
    lessons = 16

    def __init__(
        self,
        sizes: Sizes,
        *,
        states: int = Search().states,
        rounds: int = Search().rounds,
        breadth: int = Search().breadth,
        best: int = 4,
        final_states: int = Search().final_states,
        final_rounds: int | None = None,
    ) -> None:
        super().__init__(sizes)
        whole("states", states, 1)
        whole("rounds", rounds, 1)
        whole("breadth", breadth, 1)
        whole("best", best, 1)
        whole("final_states", final_states, 2)
        if final_rounds is not None:
            whole("final_rounds", final_rounds, 1)
        self.best = best
        self.epochs = min(24, max(6, 240 // sizes.factors))  # few factors take longer to fit well
        self.search = Search(states, rounds, breadth, final_states, final_rounds)

    def forward(self, target: Target, q: Any, kl_weight: float) -> Surrogate:
        """Loss of the best states of each document, at weight 1 their −F; the bound is F."""
        count = min(self.best, len(q.states))
        bits, log_q = q.best(count)
        share = log_q.softmax(0)
        used = share >= NEGLIGIBLE
        bits = torch.where(used[..., None], bits, bits[:1])  # so that it costs nothing
        joint = target.log_joint(bits)
        weight = min(1.0, max(kl_weight, LEAST_WEIGHT))
        if weight < 1:
            joint = joint / weight + (1 - 1 / weight) * target.log_prior(bits)
        return Surrogate(-weight * joint.masked_fill(~used, -torch.inf).logsumexp(0), q.bound())
