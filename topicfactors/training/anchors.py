r"""The pull of anchors: what a user knows of some loadings, as a prior on them.

A word that is to pull a factor has a Gaussian centred on the strength, below it alone, so that data
may put the word higher; a word that must not be in the factor has one centred on 0, above it alone.
Each weighs as much as all tokens of the word in the corpus, so that it stands up to what they say:

.. math:: \tfrac12 \sum_{v,d} n_v \max(0, a - W_{vd})^2 + \tfrac12 \sum_{v,d} n_v \max(0, W_{vd})^2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn


class Anchor(NamedTuple):
    """One factor that a user has named."""

    factor: int
    words: Sequence[int]  # columns that pull it
    barred: Sequence[int]  # columns that must not be in it


class Pull(nn.Module):
    """The prior that anchors put on loadings.

    Parameters
    ----------
    anchors
        The factors, and the columns of their words.
    strength
        Log-weight that an anchored word has at least.
    totals
        Tokens of each word a document, ``(V,)``.
    """

    places: Any  # factors and words, (2, P)
    barred: Any  # the same, (2, Q)

    def __init__(self, anchors: Sequence[Anchor], strength: float, totals: Tensor) -> None:
        super().__init__()
        self.strength = strength
        wanted = [(anchor.factor, word) for anchor in anchors for word in anchor.words]
        against = [(anchor.factor, word) for anchor in anchors for word in anchor.barred]
        for name, pairs in (("places", wanted), ("barred", against)):
            table = torch.tensor(pairs, dtype=torch.long).reshape(-1, 2).t()
            self.register_buffer(name, table, persistent=False)
        self.register_buffer("totals", totals.float(), persistent=False)

    def forward(self, weights: Tensor) -> Tensor:
        """The penalty of loadings ``(V, D)``, a scalar in nats a document."""
        missing = (self.strength - self._at(weights, self.places)).clamp_min(0)
        excess = self._at(weights, self.barred).clamp_min(0)
        totals: Any = self.totals
        pulled = (totals[self.places[1]] * missing.square()).sum()
        pushed = (totals[self.barred[1]] * excess.square()).sum()
        return torch.as_tensor(0.5 * (pulled + pushed))

    @torch.no_grad()
    def enforce(self, raw: Tensor, most: float) -> None:
        """Let no parameter ``(V, D)`` of a barred word be above ``most``."""
        factors, words = self.barred
        raw[words, factors] = raw[words, factors].clamp_max(most)

    def _at(self, weights: Tensor, places: Any) -> Tensor:
        factors, words = places
        return weights[words, factors]
