"""Logits of hard states: most of z is 0, so that η is a few loadings added up."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from topicfactors.model.logits import Logits
from topicfactors.model.reductions import BITS, Sums, Tiles


class SparseTiles(Tiles):
    """The same tiles, the loadings of what is on added up: a quarter of a product's time.

    A row does not depend on the others, nor on how many there are.
    """

    def __init__(self, h: Tensor, weights: Tensor, bias: Tensor, unit: float = 1.0) -> None:
        super().__init__(h, weights, bias, unit)
        with_bias = torch.cat([self.h, self.h.new_ones(len(h), 1)], 1)
        rows, self.columns = with_bias.nonzero(as_tuple=True)
        self.shares = with_bias[rows, self.columns]
        self.offsets = torch.searchsorted(rows, torch.arange(len(h) + 1, device=h.device))
        self.ends = self.offsets.tolist()
        self.block, self.table = slice(0, 0), bias

    def of(self, rows: slice, words: slice) -> Tensor:
        """Logits of some rows and words, ``(rows, words)``."""
        if words != self.block:
            self.block = words
            self.table = torch.cat([self.weights[words].t(), self.bias[None, words]])
        first, last = self.ends[rows.start], self.ends[min(rows.stop, len(self.h))]
        return embedding_bag(
            self.columns[first:last],
            self.table,
            self.offsets[:-1][rows] - first,
            per_sample_weights=self.shares[first:last],
            mode="sum",
        )


class StateLogits(Logits):
    """Logits of states ``(R, 1, H)`` that a search looks at; no derivatives."""

    @torch.no_grad()
    def logsumexp(self) -> Tensor:
        """Log Σ_v exp η_v, ``(S, B or 1)``."""
        if self.h.device.type != "cpu":
            return super().logsumexp()
        h = self.h.reshape(-1, self.h.shape[-1])
        sums, tiles = Sums(h), self._tiles(h)
        for rows, words in tiles:
            sums.add(rows, tiles.of(rows, words))
        return sums.logs().reshape(self.h.shape[:2])

    def _tiles(self, h: Tensor) -> Tiles:
        kind = SparseTiles if h.device.type == "cpu" else Tiles
        return kind(h, self.weights, self.bias, BITS)
