"""q(z | x) without an encoder: every document has log-odds of its own, improved at each visit.

Mean-field inference as it was before encoders (Saul, Jaakkola and Jordan, 1996,
https://arxiv.org/abs/cs/9603102), by the ascent of :mod:`topicfactors.inference.refine`. There is
no amortisation gap in the model's way; in return a document that is not of the training takes as
many steps as one of it.

The log-odds are constants to the inference, which teaches the model at draws of them: leaves of
the graph that no optimiser holds. So it must be one that reads hard bits; a relaxation would fit
the model to values that its factors never have.
"""

from __future__ import annotations

import torch
from torch import Tensor

from topicfactors.contracts import Batch, Sizes, Target
from topicfactors.inference.memory import LogitMemory
from topicfactors.inference.noise import document_keys
from topicfactors.inference.posteriors import MeanField, Posterior, uniform
from topicfactors.inference.refine import evidence, refined
from topicfactors.values import number, whole

KEPT = 0.99  # of the running mean of the log-odds, a visit


class FreePosterior(Posterior):
    """Log-odds of each document of the training, kept from visit to visit.

    Any other document, and one of the training when it is first met, starts from the mean of those
    that were met before, and from the best state of a short search.

    Parameters
    ----------
    sizes
        Number of factors D.
    encoder
        None: there is nothing to encode.
    draws
        States drawn of a document, a visit.
    rate
        How far its log-odds then go towards the optimum of each factor alone.
    steps
        Of the ascent when a document is first met, and of one that is not of the training.
    """

    encoded = False
    taught = False

    def __init__(
        self,
        sizes: Sizes,
        encoder: None = None,
        *,
        draws: int = 4,
        rate: float = 0.3,
        steps: int = 10,
    ) -> None:
        super().__init__()
        whole("draws", draws, 1)
        number("rate", rate, 0.0, 1.0, open_ends="low")
        whole("steps", steps, 1)
        self.draws, self.rate, self.steps = draws, rate, steps
        self.register_buffer("start", torch.full((sizes.factors,), -2.0))
        self.start: Tensor

    def forward(self, batch: Batch, target: Target) -> MeanField:
        """Every document's bits, better than at the last visit where there is a memory of one."""
        memory, keys = batch.memory, document_keys(batch.counts)
        if memory is None:
            found: MeanField = refined(target, self.amortised(batch), keys, self.steps)
            return found
        fresh = memory.fresh
        logits = memory.read(batch.rows).to(self.start.dtype)
        if fresh:
            logits = refined(target, MeanField(logits), keys, self.steps).logits
        else:
            logits = self._visited(target, logits)
        memory.write(batch.rows, logits)
        if self.training:
            self.start.lerp_(logits.mean(0), 1 - KEPT)
            logits.requires_grad_()
        return MeanField(logits)

    @torch.no_grad()
    def _visited(self, target: Target, logits: Tensor) -> Tensor:
        noise = uniform((self.draws, *logits.shape), logits)
        with torch.autocast(logits.device.type, enabled=False):
            return logits.lerp(evidence(target, logits[None], noise)[0], self.rate)

    def amortised(self, batch: Batch) -> MeanField:
        """What is known without a look at the document: the mean over those of the training."""
        return MeanField(self.start.expand(len(batch.rows), -1))

    def memory(self, documents: int) -> LogitMemory:
        """A store of the log-odds of so many documents."""
        return LogitMemory(documents, self.start)

    @torch.no_grad()
    def arrange(self, order: Tensor, flipped: Tensor) -> None:
        """Reorder and turn the start; the log-odds of documents are not kept so long."""
        self.start = torch.where(flipped, -self.start, self.start)[order]
