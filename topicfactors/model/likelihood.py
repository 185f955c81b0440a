"""The contract of a likelihood log p(x | η): how words are drawn from the logits.

Every likelihood here is a linear term, a reduction over the vocabulary that depends on the state
alone (its *norm*), and what a document makes of the two. So the norm of a state is computed once
however many documents share the state.
"""

from __future__ import annotations

import abc
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from topicfactors.contracts import CountBatch
from topicfactors.model import draws
from topicfactors.model.logits import Logits

Whole = NDArray[np.int64]


class Frequencies(NamedTuple):
    """What a training corpus says of its words, without regard to factors; all ``(V,)``."""

    totals: Tensor  # tokens
    documents: Tensor  # documents with the word
    size: float  # documents of the corpus

    def shares(self) -> Tensor:
        """Corpus frequencies, each count raised by ½; they sum to one."""
        raised = self.totals + 0.5
        return raised / raised.sum()


class Likelihood(nn.Module, abc.ABC):
    """Contract of a likelihood; all values in nats."""

    closed_flips: ClassVar[bool] = True  # is `changes` exact?
    closed_norms: ClassVar[bool] = True  # are the norms of `flip_norms` exact?
    silent: ClassVar[bool] = True  # does a document without words say nothing of its factors?
    remainder: ClassVar[str] = ""  # what in `terms` belongs to no word
    shared: ClassVar[bool] = True  # is what a state costs the same for all documents?
    normalised: ClassVar[bool] = True  # is η known only up to a constant?
    enumerable: ClassVar[int] = 20  # most factors whose 2^D states can be summed over
    enumerates_slowly_above: ClassVar[int] = 20

    def observe(self, counts: CountBatch) -> CountBatch:
        """What of the counts is modelled."""
        return counts

    def norm(self, logits: Logits) -> Tensor:
        """What depends on the state alone, ``(S, B or 1)``: here log Σ_v exp η_v."""
        return logits.logsumexp()

    def flip_norms(self, logits: Logits, factors: int) -> tuple[Tensor, Tensor]:
        """Norms after each single flip ``(S, B or 1, D)``, and before ``(S, B or 1)``."""
        terms, norm = logits.flip_terms(factors)
        return terms + norm[..., None], norm

    @abc.abstractmethod
    def assemble(self, counts: CountBatch, logits: Logits, linear: Tensor, norm: Tensor) -> Tensor:
        """Log p(x | η) from x·η ``(S, B)`` and the norm ``(S, B or 1)``, ``(S, B)``."""

    @abc.abstractmethod
    def changes(
        self, counts: CountBatch, logits: Logits, evidence: Tensor, after: Tensor, norm: Tensor
    ) -> Tensor:
        """By how much log p(x | z) moves with each flip, ``(S, B, D)``.

        ``evidence (B, D)`` is xᵀW; exact where ``closed_flips``, else a first guess.
        """

    @abc.abstractmethod
    def terms(self, counts: CountBatch, logits: Logits) -> tuple[Tensor, Tensor]:
        """Log p(x | η) as a sum: what each non-zero adds ``(S, nnz)``, and the rest ``(S, B)``.

        The rest is what belongs to no word of the document; ``remainder`` says what it is.
        """

    def token_log_odds(self, loadings: Tensor, background: Tensor) -> Tensor:
        """What one occurrence of each word adds to the log-odds of each factor, ``(D, V)`` nats.

        At the ``background (V,)``, the word probabilities of a model without factors; what belongs
        to no word is shared out among the tokens. Here W − log Σ_v p_v e^{W_v}.
        """
        shares = (background / background.sum()).log()
        return loadings - torch.logsumexp(loadings + shares, 1, keepdim=True)

    def log_prob(self, counts: CountBatch, logits: Logits) -> Tensor:
        """Log p(x | η) of counts that were not yet observed, ``(S, B)``."""
        counts = self.observe(counts)
        return self.assemble(counts, logits, logits.dot(counts), self.norm(logits))

    def log_word_probability(self, seen: CountBatch, logits: Logits, unseen: CountBatch) -> Tensor:
        """Log p(next word = v | z, seen words) at the non-zeros of ``unseen``, ``(S, nnz)``."""
        return logits.at(unseen) - of_non_zeros(self.norm(logits), unseen)

    def word_probabilities(self, logits: Logits) -> Tensor:
        """Dense word probabilities of the states ``h (S, B, H)``, ``(S, B, V)``."""
        return torch.softmax(dense(logits), -1)

    def mixed(self, eta: Tensor, shares: Tensor) -> Tensor:
        """η of the mean word probabilities of some states, ``(V,)``.

        Of η ``(S, V)`` that make up ``shares (S,)`` of the whole. Where η is known only up to a
        constant, the constants of the states are averaged, so that one state alone gives itself.
        """
        norm = torch.logsumexp(eta, 1) if self.normalised else eta.new_zeros(len(eta))
        mean = torch.logsumexp(eta - norm[:, None] + shares.log()[:, None], 0)
        return mean + shares @ norm

    def pseudo_token(self, logits: Logits, corpus: Frequencies) -> Tensor:
        """Mean log p of a token drawn with the corpus frequencies, ``(S,)`` nats; dense in V.

        For states ``(S, 1, H)``; what a Dirichlet prior is made of.
        """
        return torch.log(self.word_probabilities(logits)[:, 0]) @ corpus.shares().to(logits.h)

    def draw(self, logits: Logits, lengths: Whole, generator: np.random.Generator) -> Any:
        """Documents ``(N, V)`` CSR of one state ``(1, 1, H)``, of so many tokens each ``(N,)``."""
        return draws.tokens(self._shares(logits), lengths, generator)

    def _shares(self, logits: Logits) -> NDArray[np.float64]:
        """Word probabilities of one state, ``(V,)``, summing to one in double precision."""
        words = self.word_probabilities(logits)[0, 0].cpu().double().numpy()
        return np.asarray(words / words.sum())

    def background(self, corpus: Frequencies) -> Tensor:
        """Bias of a model without factors, ``(V,)``."""
        return corpus.shares().log()

    def word_frequencies(self, corpus: Frequencies) -> Tensor:
        """``word_probabilities`` of a model without factors, ``(V,)``."""
        return self.word_probabilities(_without_factors(self.background(corpus)))[0, 0]

    def unigram(self, counts: CountBatch, corpus: Frequencies) -> Tensor:
        """Log p(x) of documents without factors, ``(B,)``; what every score is beside."""
        return self.log_prob(counts, _without_factors(self.background(corpus)))[0]


def dense(logits: Logits) -> Tensor:
    """η of a few states, written out, ``(S, B, V)``."""
    return logits.h @ logits.weights.t() + logits.bias


def of_non_zeros(values: Tensor, counts: CountBatch) -> Tensor:
    """Values of documents ``(S, B or 1)`` at their non-zeros, ``(S, nnz or 1)``."""
    return values.index_select(1, counts.documents) if values.shape[1] > 1 else values


def _without_factors(bias: Tensor) -> Logits:
    return Logits(bias.new_zeros(1, 1, 1), bias.new_zeros(len(bias), 1), bias)
