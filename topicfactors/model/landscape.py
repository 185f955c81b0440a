"""log p(x, z) around the states of a batch, parameters fixed: what a search over states asks."""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor

from topicfactors.model.flip_norms import FlipNorms
from topicfactors.model.logits import Logits
from topicfactors.model.urn_flips import UrnFlips
from topicfactors.model.walk import Columns, FactorWalk, walk


class FactorLandscape:
    """log p(x, z) of a batch around its states; see ``contracts.Landscape``.

    The linear terms, which do not change while a search goes on, are computed once.
    """

    @torch.no_grad()
    def __init__(self, target: Any) -> None:
        self.target, self.factors = target, target.factors
        self.joint, self.likelihood = target.joint, target.joint.likelihood
        none = target.joint.decoder.bias.new_zeros(1, 1, self.factors)
        self.dtype = none.dtype
        self.log_linear = target.joint.decoder.log_linear
        if self.log_linear:
            h, weights, bias = target.logits(none)
            projected = target.counts @ torch.cat([weights, bias[:, None]], 1)
            self.evidence = projected[:, : self.factors]
            known = projected[:, self.factors : -1] * h[0, :, self.factors :]
            self.constant = projected[:, -1] + known.sum(-1)

    def select(self, rows: Tensor) -> FactorLandscape:
        """That of the documents ``rows (R,)``; what is known of the states is shared."""
        chosen = FactorLandscape(self.target.select(rows))
        chosen.__dict__["norms"] = self.norms
        return chosen

    @torch.no_grad()
    def log_joint(self, bits: Tensor) -> Tensor:
        """Log p(x, z), ``(S, B, D) -> (S, B)`` nats."""
        if not self.log_linear:
            found: Tensor = self.target.log_joint(bits)
            return found
        prior: Tensor = self.target.log_prior(bits)
        return self.log_likelihood(bits) + prior

    @torch.no_grad()
    def log_likelihood(self, bits: Tensor) -> Tensor:
        """Log p(x, r | z), ``(S, B, D) -> (S, B)`` nats."""
        if not self.log_linear:
            found: Tensor = self.target.log_likelihood(bits)
            return found
        logits = self.target.logits(bits)
        norm = self.target.norms(bits, logits)
        told = 0.0 if self.target.answers is None else self.target.answers.log_prob(bits)
        return self._assembled(logits, norm) + told

    @functools.cached_property
    def columns(self) -> Columns:
        """The loadings, factor by factor."""
        zeros = self.joint.decoder.bias.new_zeros(1, 1, self.factors)
        return Columns.of(self.target.logits(zeros).weights[:, : self.factors])

    def linear(self, bits: Tensor) -> Tensor:
        """x·η under a log-linear decoder, ``(S, B, D) -> (S, B)``."""
        found: Tensor = (bits * self.evidence).sum(-1) + self.constant
        return found

    @torch.no_grad()
    def walk(self, bits: Tensor) -> FactorWalk:
        """Chains that are at ``bits (S, B, D)`` and move a bit at a time."""
        return walk(self, bits)

    def _assembled(self, logits: Logits, norm: Tensor) -> Tensor:
        linear = self.linear(logits.h[..., : self.factors])
        found: Tensor = self.likelihood.assemble(self.target.counts, logits, linear, norm)
        return found

    @torch.no_grad()
    def best_flips(
        self, bits: Tensor, count: int, barred: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Exact change and factor of the ``count`` most promising flips, both ``(B, count)``.

        Flips ``barred (B, D)`` have a change of −∞.
        """
        here = bits[None]
        prior = (1 - 2 * bits) * self.target.prior.log_odds(here)[0]
        if barred is not None:
            prior = prior.masked_fill(barred, -torch.inf)
        count = min(count, self.factors)
        if not self.log_linear:
            return torch.topk(self.target.changes(here)[0] + prior, count)
        if self.target.answers is not None:
            prior = prior + self.target.answers.changes(here)[0]
        after, norm = self._flip_norms(bits)
        logits = self.target.logits(here)
        if self.near is not None:
            masses = self.near.log_masses(logits, norm)
            guess = self.near.guess(logits, masses, after, norm) + prior
            factor = self._most(guess, count)[1]
            change = self.near.exact(logits, masses, factor, after.gather(1, factor), norm)
            return change + prior.gather(1, factor), factor
        guess = self.likelihood.changes(
            self.target.counts, logits, self.evidence, after[None], norm[None]
        )[0]
        change, factor = self._most(guess + prior, count)
        if self.likelihood.closed_flips:
            return change, factor
        return self._evaluated(bits, logits, factor, after, norm) + prior.gather(1, factor), factor

    @staticmethod
    def _most(guess: Tensor, count: int) -> tuple[Tensor, Tensor]:
        return torch.topk(guess.masked_fill(guess.isnan(), -torch.inf), count)

    def _evaluated(
        self, bits: Tensor, logits: Logits, factor: Tensor, after: Tensor, norm: Tensor
    ) -> Tensor:
        """The change with some flips ``factor (B, K)`` of each document, one state at a time."""
        flipped = bits.repeat(factor.shape[1], 1, 1)
        flipped.scatter_(2, factor.t()[..., None], 1 - bits.gather(1, factor).t()[..., None])
        moved = self.target.logits(flipped)
        known = self.likelihood.closed_norms
        norms = after.gather(1, factor).t() if known else self.target.norms(flipped, moved)
        exact = self._assembled(moved, norms) - self._assembled(logits, norm[None])
        return exact.t()

    def _flip_norms(self, bits: Tensor) -> tuple[Tensor, Tensor]:
        """Norms after each flip ``(B, D)`` and before ``(B,)``, each state's computed once."""
        if self.target.given.differs:
            after, norm = self.likelihood.flip_norms(self.target.logits(bits[None]), self.factors)
            return after[0], norm[0]
        return self.norms(bits)

    @functools.cached_property
    def norms(self) -> FlipNorms:
        """What was computed of states that are the same for all documents."""
        return FlipNorms(self.joint)

    @functools.cached_property
    def near(self) -> UrnFlips | None:
        """A quicker way to the exact flips of a likelihood that has no closed form of them."""
        told = getattr(self.likelihood, "flips", None)
        return None if told is None else told(self.target.counts, self.evidence)
