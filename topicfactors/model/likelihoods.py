"""How words are drawn: multinomial, Pólya urn, Poisson, Bernoulli.

Every likelihood here is a linear term, a reduction over the vocabulary that depends on the state
alone (its *norm*), and what a document makes of the two. So the norm of a state is computed once
however many documents share the state.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from topicfactors.contracts import CountBatch
from topicfactors.model import draws
from topicfactors.model.likelihood import Frequencies, Likelihood, Whole, dense, of_non_zeros
from topicfactors.model.logits import Logits
from topicfactors.model.urn import LEAST_LOG_MASS, burst, burst_slope
from topicfactors.model.urn_flips import UrnFlips
from topicfactors.values import number


class Multinomial(Likelihood):
    r"""Independent categorical draws: :math:`\log p(x|\eta) = x\cdot\eta - n\,\mathrm{LSE}(\eta)`.

    No multinomial coefficient, so that perplexities compare with those of other topic models;
    docs/mathematics.md.
    """

    def assemble(self, counts: CountBatch, logits: Logits, linear: Tensor, norm: Tensor) -> Tensor:
        """Log p(x | η), ``(S, B)`` nats."""
        return linear - counts.lengths * norm

    def terms(self, counts: CountBatch, logits: Logits) -> tuple[Tensor, Tensor]:
        """x_v·log p_v of each word ``(S, nnz)``, and nothing else ``(S, B)``."""
        return _draws(counts, logits, self.norm(logits))

    def changes(
        self, counts: CountBatch, logits: Logits, evidence: Tensor, after: Tensor, norm: Tensor
    ) -> Tensor:
        """±(xᵀW)_d − n·(change of the log-sum-exp), ``(S, B, D)``, exact."""
        towards = 1 - 2 * _on(logits, evidence)
        return towards * evidence - counts.lengths[:, None] * (after - norm[..., None])


class Polya(Likelihood):
    r"""A word that was seen comes again: the Dirichlet-multinomial, or Pólya urn.

    :math:`\log p(x|\eta) = \log\Gamma(s) - \log\Gamma(s+n) + \sum_{v: x_v>0}
    [\log\Gamma(s\pi_v + x_v) - \log\Gamma(s\pi_v)]` with π = softmax(η) (Minka, 2000; Madsen,
    Kauchak and Elkan, ICML 2005). It is computed as the multinomial plus
    :math:`\sum_v R(s\pi_v, x_v) - R(s, n)`, R of :mod:`topicfactors.model.urn`: words that occur
    once add nothing, and nothing is lost in float32 however large s is.

    Parameters
    ----------
    concentration
        Starting value of s, in tokens; small for words that come in bursts. At infinity the
        multinomial is left.
    learnt
        Whether s is trained.
    """

    closed_flips = False
    shared = False  # every document has its own table of masses
    enumerable = 10
    enumerates_slowly_above = 6

    def __init__(self, *, concentration: float = 100.0, learnt: bool = True) -> None:
        super().__init__()
        number("concentration", concentration, 0.0, math.inf, open_ends="low high")
        self.log_concentration = nn.Parameter(
            torch.tensor(float(concentration)).log(), requires_grad=learnt
        )

    def assemble(self, counts: CountBatch, logits: Logits, linear: Tensor, norm: Tensor) -> Tensor:
        """Log p(x | η), ``(S, B)`` nats."""
        again = counts.repeated
        mass, total = self._masses(again, logits, norm)
        bursts = again.sum_by_document(burst(mass, again.values.to(mass.dtype)))
        drawn = burst(total.expand_as(counts.lengths), counts.lengths.to(total.dtype))
        return linear - counts.lengths * norm + bursts - drawn

    def terms(self, counts: CountBatch, logits: Logits) -> tuple[Tensor, Tensor]:
        """Each word's draws and bursts ``(S, nnz)``; the rest ``(S, B)``, alike in all states."""
        norm = self.norm(logits)
        plain, rest = _draws(counts, logits, norm)
        values = counts.values.to(plain.dtype)
        mass, total = self._masses(counts, logits, norm)
        drawn = burst(total.expand_as(counts.lengths), counts.lengths.to(total.dtype))
        return plain + burst(mass, values), rest - drawn

    def changes(
        self, counts: CountBatch, logits: Logits, evidence: Tensor, after: Tensor, norm: Tensor
    ) -> Tensor:
        """The multinomial's with counts a[ψ(a + x) − ψ(a)], ``(S, B, D)``: a first guess."""
        again = counts.repeated
        mass, total = self._masses(again, logits, norm)
        less = mass * burst_slope(mass, again.values.to(mass.dtype))  # (S, nnz), negative
        columns = logits.weights[:, : evidence.shape[1]]
        moved = torch.stack([again.with_values(part) @ columns for part in less])
        drawn = total * burst_slope(total.expand_as(counts.lengths), counts.lengths)
        length = counts.lengths + drawn
        towards = 1 - 2 * _on(logits, evidence)
        return towards * (evidence + moved) - length[:, None] * (after - norm[..., None])

    def flips(self, counts: CountBatch, evidence: Tensor) -> UrnFlips:
        """What flips change of the documents of a search; ``evidence (B, D)`` is xᵀW."""
        return UrnFlips(counts, evidence, self.log_concentration)

    def log_word_probability(self, seen: CountBatch, logits: Logits, unseen: CountBatch) -> Tensor:
        """Log (sπ_v + x_v)/(s + n), ``(S, nnz)``, x and n of the seen tokens."""
        plain = super().log_word_probability(seen, logits, unseen)
        log_s = self.log_concentration
        before = seen.at(unseen).to(plain.dtype).log()  # −inf where it was not seen
        total = torch.logaddexp(log_s, seen.lengths.to(plain.dtype).log())[unseen.documents]
        return torch.logaddexp(log_s + plain, before) - total

    def draw(self, logits: Logits, lengths: Whole, generator: np.random.Generator) -> Any:
        """Every document draws from an urn of its own, ``(N, V)``."""
        mass = float(self.log_concentration.detach().cpu().double().exp())
        return draws.urns(mass * self._shares(logits), lengths, generator)

    def unigram(self, counts: CountBatch, corpus: Frequencies) -> Tensor:
        """The multinomial's, ``(B,)``: both are distributions over the same sequences of tokens."""
        return Multinomial().unigram(counts, corpus)

    def _masses(self, again: CountBatch, logits: Logits, norm: Tensor) -> tuple[Tensor, Tensor]:
        """S·π at the words that occur again, ``(S, nnz)``, and s."""
        log_mass = self.log_concentration + logits.at(again) - of_non_zeros(norm, again)
        return log_mass.clamp_min(LEAST_LOG_MASS).exp(), self.log_concentration.exp()


class Poisson(Likelihood):
    r"""Counts that are Poisson with rates n·exp(η_v), n the document's length in tokens.

    :math:`\log p(x|\eta) = x\cdot\eta + n\log n - n\sum_v e^{\eta_v} - \sum_v\log x_v!`. The length
    is the exposure of the document: given the total it is the multinomial (docs/mathematics.md).
    """

    remainder = "length"
    normalised = False

    def assemble(self, counts: CountBatch, logits: Logits, linear: Tensor, norm: Tensor) -> Tensor:
        """Log p(x | η), ``(S, B)`` nats, the factorials included."""
        length = counts.lengths
        values = counts.values.to(linear.dtype)
        fixed = torch.xlogy(length, length) - counts.sum_by_document(torch.lgamma(values + 1))
        return linear + fixed - length * norm.exp()

    def terms(self, counts: CountBatch, logits: Logits) -> tuple[Tensor, Tensor]:
        """x_v·η_v − log x_v!, ``(S, nnz)``, and what the number of tokens is worth, ``(S, B)``."""
        values = counts.values.to(logits.bias.dtype)
        each = logits.at(counts) * values - torch.lgamma(values + 1)
        length = counts.lengths
        return each, torch.xlogy(length, length) - length * self.norm(logits).exp()

    def pseudo_token(self, logits: Logits, corpus: Frequencies) -> Tensor:
        """Σ_v p_v·η_v − Σ_v e^η_v, ``(S,)`` nats: a token of exposure."""
        found = dense(logits)[:, 0] @ corpus.shares().to(logits.h)
        return found - self.norm(logits)[:, 0].exp()

    def draw(self, logits: Logits, lengths: Whole, generator: np.random.Generator) -> Any:
        """Counts of every word by itself, ``(N, V)``; the lengths are expectations."""
        each = dense(logits)[0, 0].cpu().double().exp().numpy()
        return draws.rates(each, lengths, generator)

    def token_log_odds(self, loadings: Tensor, background: Tensor) -> Tensor:
        """W − Σ_v p_v (e^{W_v} − 1), each token's share of the length in it, ``(D, V)`` nats."""
        shares = background / background.sum()
        return loadings - (torch.expm1(loadings) @ shares)[:, None]

    def changes(
        self, counts: CountBatch, logits: Logits, evidence: Tensor, after: Tensor, norm: Tensor
    ) -> Tensor:
        """±(xᵀW)_d − n·(change of the rate), ``(S, B, D)``, exact."""
        towards = 1 - 2 * _on(logits, evidence)
        rate = norm.exp()[..., None] * torch.expm1(after - norm[..., None])
        return towards * evidence - counts.lengths[:, None] * rate


class Bernoulli(Likelihood):
    r"""A word is there or not: :math:`\log p(x|\eta) = x\cdot\eta - \sum_v\log(1 + e^{\eta_v})`.

    Counts above zero are 1. For short texts, where a word rarely comes twice; docs/mathematics.md.
    """

    closed_flips = False
    closed_norms = False
    remainder = "absent words"
    normalised = False
    silent = False

    def observe(self, counts: CountBatch) -> CountBatch:
        """Presence."""
        return counts.with_values((counts.values > 0).to(counts.values.dtype))

    def norm(self, logits: Logits) -> Tensor:
        """Σ_v log(1 + exp η_v), ``(S, B or 1)``."""
        return logits.softplus_sum()

    def flip_norms(self, logits: Logits, factors: int) -> tuple[Tensor, Tensor]:
        """Norms after each flip ``(S, B or 1, D)`` to second order in the weights, and before."""
        return logits.softplus_tangents(factors)

    def assemble(self, counts: CountBatch, logits: Logits, linear: Tensor, norm: Tensor) -> Tensor:
        """Log p(x | η), ``(S, B)`` nats."""
        return linear - norm

    def terms(self, counts: CountBatch, logits: Logits) -> tuple[Tensor, Tensor]:
        """Log p(present) of the words there ``(S, nnz)``; log p(absent) of the rest ``(S, B)``."""
        at = logits.at(counts)
        both = nn.functional.softplus(at)
        present = torch.stack([counts.sum_by_document(part) for part in both])
        return at - both, present - self.norm(logits)

    def pseudo_token(self, logits: Logits, corpus: Frequencies) -> Tensor:
        """What a document with the corpus's chances of words says, a word there, ``(S,)`` nats."""
        there = torch.sigmoid(self.background(corpus)).to(logits.h)
        each = dense(logits)[:, 0] @ there - self.norm(logits)[:, 0]
        return each / there.sum()

    def draw(self, logits: Logits, lengths: Whole, generator: np.random.Generator) -> Any:
        """Words that are there, ``(N, V)``; the lengths do not matter."""
        chances = self.word_probabilities(logits)[0, 0].cpu().double().numpy()
        return draws.presence(chances, lengths, generator)

    def token_log_odds(self, loadings: Tensor, background: Tensor) -> Tensor:
        """Log p(word there | on) − log p(word there), ``(D, V)`` nats."""
        logits = torch.logit(background, eps=1e-12)
        on = nn.functional.logsigmoid(logits + loadings)
        return on - nn.functional.logsigmoid(logits)

    def changes(
        self, counts: CountBatch, logits: Logits, evidence: Tensor, after: Tensor, norm: Tensor
    ) -> Tensor:
        """±(xᵀW)_d − (change of the norm), ``(S, B, D)``: a first guess."""
        return (1 - 2 * _on(logits, evidence)) * evidence - (after - norm[..., None])

    def log_word_probability(self, seen: CountBatch, logits: Logits, unseen: CountBatch) -> Tensor:
        """Log of rates −log p(absent) = log(1 + e^η), made to sum to one, ``(S, nnz)``."""
        rates = nn.functional.softplus(logits.at(unseen)).log()
        return rates - of_non_zeros(self.norm(logits).log(), unseen)

    def mixed(self, eta: Tensor, shares: Tensor) -> Tensor:
        """Logit of the mean chance of each word being there, ``(V,)``, of η ``(S, V)``."""
        logs = shares.log()[:, None]
        there = torch.logsumexp(nn.functional.logsigmoid(eta) + logs, 0)
        return there - torch.logsumexp(nn.functional.logsigmoid(-eta) + logs, 0)

    def word_probabilities(self, logits: Logits) -> Tensor:
        """P(word in the document), ``(S, B, V)``; they do not sum to one."""
        return torch.sigmoid(dense(logits))

    def background(self, corpus: Frequencies) -> Tensor:
        """Log-odds of a word's presence, one document of ½ and ½ added, ``(V,)``."""
        return (corpus.documents + 0.5).log() - (corpus.size - corpus.documents + 0.5).log()


def _draws(counts: CountBatch, logits: Logits, norm: Tensor) -> tuple[Tensor, Tensor]:
    """Independent draws, word by word ``(S, nnz)``, and nothing besides them ``(S, B)``."""
    each = (logits.at(counts) - of_non_zeros(norm, counts)) * counts.values
    return each, each.new_zeros(len(each), len(counts))


def _on(logits: Logits, evidence: Tensor) -> Tensor:
    """Which bits are on, ``(S, B or 1, D)``."""
    bits = logits.h[..., : evidence.shape[1]]
    return (bits > 0.5).to(bits.dtype)


LIKELIHOODS: dict[str, type[Likelihood]] = {
    "bernoulli": Bernoulli,
    "multinomial": Multinomial,
    "poisson": Poisson,
    "polya": Polya,
}
