"""log p(x, z) around the states of a batch, parameters fixed: what a search over states asks."""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor

from topicfactors.bits import distinct
from topicfactors.model.logits import Logits
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
        logits = self.target.logits(here)
        after, norm = self._flip_norms(bits)
        guess = self.likelihood.changes(
            self.target.counts, logits, self.evidence, after[None], norm[None]
        )[0]
        guess = guess + prior
        change, factor = torch.topk(guess.masked_fill(guess.isnan(), -torch.inf), count)
        if self.likelihood.closed_flips:
            return change, factor
        flipped = bits.repeat(count, 1, 1)
        flipped.scatter_(2, factor.t()[..., None], 1 - bits.gather(1, factor).t()[..., None])
        moved = self.target.logits(flipped)
        known = self.likelihood.closed_norms
        norms = after.gather(1, factor).t() if known else self.target.norms(flipped, moved)
        exact = self._assembled(moved, norms) - self._assembled(logits, norm[None])
        return exact.t() + prior.gather(1, factor), factor

    def _flip_norms(self, bits: Tensor) -> tuple[Tensor, Tensor]:
        """Norms after each flip ``(B, D)`` and before ``(B,)``, each state's computed once."""
        if self.target.given.differs:
            after, norm = self.likelihood.flip_norms(self.target.logits(bits[None]), self.factors)
            return after[0], norm[0]
        states, places = distinct(bits)
        logits = self.joint.logits(states[:, None, :])
        after, norm = self.likelihood.flip_norms(logits, self.factors)
        return after[:, 0][places], norm[:, 0][places]
