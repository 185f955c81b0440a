"""log p(x | z) of chains that move a bit at a time: what a Gibbs sampler asks of the model."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from topicfactors.bits import LEAST
from topicfactors.contracts import CountBatch
from topicfactors.model.likelihood import Likelihood
from topicfactors.model.logits import Logits

WIDE = 30.0  # loadings beyond it are summed in the log domain


class FactorWalk:
    """States of S chains for each of B documents, and how log p(x, z) moves with one of their bits.

    See ``contracts.Walk``. Every flip is evaluated: S·B reductions over the vocabulary.

    Parameters
    ----------
    landscape
        log p(x, z) of the documents.
    bits
        Where the chains are, ``(S, B, D)``.
    """

    def __init__(self, landscape: Any, bits: Tensor) -> None:
        self.landscape, self.bits = landscape, bits.clone()
        self.log_likelihood: Tensor = landscape.log_likelihood(self.bits)
        self.factor, self.after = 0, self.log_likelihood

    def look(self, factor: int) -> tuple[Tensor, Tensor]:
        """By how much log p(x, r | z) and log p(z) move when that bit flips, both ``(S, B)``."""
        self.factor = factor
        self.after = self._after(factor)
        odds = self.landscape.target.prior.log_odds(self.bits)[..., factor]
        return self.after - self.log_likelihood, (1 - 2 * self.bits[..., factor]) * odds

    def move(self, flipped: Tensor) -> None:
        """Flip the bit that was looked at where ``flipped (S, B)``."""
        self.log_likelihood = torch.where(flipped, self.after, self.log_likelihood)
        bit = self.bits[..., self.factor]
        self.bits[..., self.factor] = torch.where(flipped, 1 - bit, bit)

    def _after(self, factor: int) -> Tensor:
        """Log p(x, r | z) with that bit flipped, ``(S, B)``."""
        found: Tensor = self.landscape.log_likelihood(self._flipped(factor))
        return found

    def _flipped(self, factor: int) -> Tensor:
        flipped = self.bits.clone()
        flipped[..., factor] = 1 - flipped[..., factor]
        return flipped


class Columns(NamedTuple):
    """The loadings of each factor, ``(D, V)``, and what they multiply the odds of the words by."""

    plain: Tensor
    up: Tensor  # e^W
    down: Tensor  # e^−W
    wide: list[bool]  # (D,) does a loading pass what e^W can be summed with?

    @classmethod
    def of(cls, weights: Tensor) -> Columns:
        """Those of ``weights (V, D)``."""
        plain = weights.detach().t().contiguous()
        wide = (plain.abs().amax(1) > WIDE).tolist()
        return cls(plain, plain.exp(), (-plain).exp(), wide)


class _Known(Logits):
    """Logits whose values at some non-zeros are known."""

    places: CountBatch | None = None
    values: Tensor  # (S, nnz)

    def at(self, counts: CountBatch) -> Tensor:
        """η at every non-zero, ``(S, nnz)``."""
        return self.values if counts is self.places else super().at(counts)


class CachedWalk(FactorWalk):
    """The same where η is linear in z and its norm a log-sum-exp: two dot products a flip.

    Holds η and its softmax, ``(S·B, V)`` each. A look at a bit is Σ_v p_v e^{±W_vd}; only the rows
    that flip are exponentiated again, so that a sweep over D bits costs what one product of
    ``(S·B, V)`` with ``(V, 2D)`` does. Loadings of more than 30 nats are summed as logarithms.
    """

    def __init__(self, landscape: Any, bits: Tensor) -> None:
        self.landscape, self.bits = landscape, bits.clone()
        target = landscape.target
        self.logits: Logits = target.logits(self.bits)
        self.counts: CountBatch = target.counts
        self.weights = self.logits.weights
        h = self.logits.h.expand(*bits.shape[:2], -1).reshape(-1, self.logits.h.shape[-1])
        self.rows = len(h)
        h = torch.cat([h, h[:1].expand(-len(h) % LEAST, -1)])  # sums do not depend on how many
        self.eta = torch.addmm(self.logits.bias, h, self.weights.t())
        norm = self.eta.logsumexp(1)
        self.shares = (self.eta - norm[:, None]).exp_()
        self.norm = norm[: self.rows].view(bits.shape[:2])
        self.norm_after = self.norm
        self.again = None if landscape.likelihood.closed_flips else self.counts.repeated
        self.at_again = self.slopes = self.norm  # of the words that occur again, where needed
        if self.again is not None:
            self.at_again = self.logits.at(self.again)
            self.slopes = self.weights[self.again.indices.long()]  # (nnz, H)
        self.linear = landscape.linear(self.bits)
        self.log_likelihood = self._assembled(self.bits, self.linear, self.norm, None)
        self.factor, self.after = 0, self.log_likelihood

    def move(self, flipped: Tensor) -> None:
        """Flip the bit that was looked at where ``flipped (S, B)``."""
        step = (1 - 2 * self.bits[..., self.factor]) * flipped
        super().move(flipped)
        self.linear = self.linear + step * self.landscape.evidence[:, self.factor]
        self.norm = torch.where(flipped, self.norm_after, self.norm)
        if self.again is not None:
            self.at_again = self._moved(step)
        rows = flipped.reshape(-1).nonzero()[:, 0]
        if len(rows):
            steps = step.reshape(-1)[rows, None]
            eta = self.eta[rows] + steps * self.weights[:, self.factor]
            self.eta[rows] = eta
            self.shares[rows] = eta.sub_(self.norm.reshape(-1)[rows, None]).exp_()

    def _after(self, factor: int) -> Tensor:
        step = 1 - 2 * self.bits[..., factor]
        self.norm_after = self._norm(factor, step)
        linear = self.linear + step * self.landscape.evidence[:, factor]
        return self._assembled(self._flipped(factor), linear, self.norm_after, step)

    def _norm(self, factor: int, step: Tensor) -> Tensor:
        """The log-sum-exp with that bit flipped, ``(S, B)``."""
        columns: Columns = self.landscape.columns
        if columns.wide[factor]:
            eta = self.eta[: self.rows] + step.reshape(-1, 1) * columns.plain[factor]
            return eta.logsumexp(1).view(step.shape)
        up, down = self.shares.mv(columns.up[factor]), self.shares.mv(columns.down[factor])
        moved = torch.where(step.reshape(-1) > 0, up[: self.rows], down[: self.rows])
        return self.norm + moved.log().view(step.shape)

    def _assembled(self, bits: Tensor, linear: Tensor, norm: Tensor, step: Tensor | None) -> Tensor:
        """Log p(x, r | z) of states whose parts are known, ``(S, B)``; ``step`` of the bit."""
        landscape, factors = self.landscape, self.bits.shape[-1]
        h = torch.cat([bits, self.logits.h[..., factors:].expand(*bits.shape[:2], -1)], -1)
        logits = _Known(h, self.weights, self.logits.bias)
        if self.again is not None:
            logits.places = self.again
            logits.values = self.at_again if step is None else self._moved(step)
        words: Tensor = landscape.likelihood.assemble(self.counts, logits, linear, norm)
        answers = landscape.target.answers
        return words if answers is None else words + answers.log_prob(bits)

    def _moved(self, step: Tensor) -> Tensor:
        """η at the non-zeros that occur again, after a step of the bit, ``(S, nnz)``."""
        documents = self.landscape.target.counts.repeated.documents
        return self.at_again + step[:, documents] * self.slopes[:, self.factor]


def walk(landscape: Any, bits: Tensor) -> FactorWalk:
    """The cheaper way to walk from ``bits (S, B, D)`` that the model has."""
    kind = type(landscape.likelihood)
    plain = kind.norm is Likelihood.norm and kind.flip_norms is Likelihood.flip_norms
    cached = landscape.log_linear and plain
    return CachedWalk(landscape, bits) if cached else FactorWalk(landscape, bits)
