"""log p(x | η): how words are drawn from the logits."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn

from topicfactors.contracts import CountBatch
from topicfactors.model.logits import Logits


class Likelihood(Protocol):
    """Contract of a likelihood; all values in nats."""

    def log_prob(self, counts: CountBatch, logits: Logits) -> Tensor:
        """Log p(x | η), ``(S, B)``."""

    def flips(self, counts: CountBatch, logits: Logits, factors: int) -> Tensor:
        """``(S, B, D)``: log p(x | z_d = 1, rest) − log p(x | z_d = 0, rest).

        Only asked for where the first ``factors`` columns of ``logits.h`` are the bits.
        """

    def log_word_probability(self, counts: CountBatch, logits: Logits) -> Tensor:
        """Log p(next word = v) at the non-zeros of the counts, ``(S, nnz)``."""


class Multinomial(nn.Module):
    r"""Independent categorical draws: :math:`\log p(x|\eta) = x\cdot\eta - n\,\mathrm{LSE}(\eta)`.

    No multinomial coefficient, so that perplexities compare with those of other topic models.
    """

    def log_prob(self, counts: CountBatch, logits: Logits) -> Tensor:
        """Log p(x | η), ``(S, B)`` nats."""
        return logits.dot(counts) - counts.lengths * logits.logsumexp()

    @torch.no_grad()
    def flips(self, counts: CountBatch, logits: Logits, factors: int) -> Tensor:
        """All D log-likelihood ratios for two more products (docs/mathematics.md)."""
        evidence = counts @ logits.weights[:, :factors]  # (B, D)
        terms = logits.flip_terms(factors)
        signed = torch.where(logits.h[..., :factors] > 0.5, terms, -terms)
        return evidence + counts.lengths[:, None] * signed

    def log_word_probability(self, counts: CountBatch, logits: Logits) -> Tensor:
        """Log softmax(η) at the non-zeros of the counts, ``(S, nnz)`` nats."""
        norm = logits.logsumexp()  # (S, B or 1)
        if norm.shape[1] > 1:
            norm = norm[:, counts.documents]
        return logits.at(counts) - norm


LIKELIHOODS = {"multinomial": Multinomial}
