r"""The word logits of S samples of B documents, never held as an ``(S, B, V)`` array.

:math:`\eta = h W^\top + b`, with ``h (S, B or 1, H)``, ``W (V, H)`` and ``b (V,)``. Everything the
likelihoods need of it is a sparse product over the non-zeros or a reduction over V
(:mod:`topicfactors.model.reductions`): memory O(S·B·H + V·H + tile).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from topicfactors.contracts import CountBatch
from topicfactors.model import reductions
from topicfactors.model.kernels import fused
from topicfactors.model.reductions import BITS, Sums, Tiles, derivative, full_precision

UNDERFLOW = 1e-25  # a sum of products below this has lost terms in float32


class _AtNonZeros(torch.autograd.Function):
    """``(S, B, H), (V, H) -> (S, nnz)``: W h at the non-zeros; the derivatives are two products."""

    @staticmethod
    @full_precision
    def forward(ctx: Any, h: Tensor, weights: Tensor, counts: Any) -> Tensor:
        ctx.save_for_backward(h, weights)
        ctx.counts = counts
        rows, documents = weights.index_select(0, counts.indices), counts.documents
        each = [h_of_one.index_select(0, documents).mul_(rows).sum(1) for h_of_one in h]
        return torch.stack(each)

    @staticmethod
    @derivative
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        h, weights = ctx.saved_tensors
        each = [ctx.counts.with_values(slopes) for slopes in gradient]
        to_h = to_weights = None
        if ctx.needs_input_grad[0]:
            to_h = torch.stack([counts @ weights for counts in each])
        if ctx.needs_input_grad[1]:
            parts = zip(each, h, strict=True)
            to_weights = sum(counts.transposed_product(part) for counts, part in parts)
        return to_h, to_weights, None


class Logits(NamedTuple):
    """The implicit array η of S samples, B documents (or 1: the same for all) and V words."""

    h: Tensor  # (S, B or 1, H)
    weights: Tensor  # (V, H)
    bias: Tensor  # (V,)

    def dot(self, counts: CountBatch) -> Tensor:
        """Σ_v x_v η_v, ``(S, B)``: two sparse products, no reduction over V."""
        slopes, constant = counts @ self.weights, (counts @ self.bias[:, None]).squeeze(1)
        if self.h.shape[1] == 1 < len(counts):
            return self.h[:, 0] @ slopes.t() + constant
        return (self.h * slopes).sum(-1) + constant

    def logsumexp(self) -> Tensor:
        """Log Σ_v exp η_v, ``(S, B or 1)``."""
        return self._reduced(reductions.logsumexp)

    def softplus_sum(self) -> Tensor:
        """Σ_v log(1 + exp η_v), ``(S, B or 1)``."""
        return self._reduced(reductions.softplus_sum)

    def _reduced(self, reduction: Any) -> Tensor:
        flat = self.h.reshape(-1, self.h.shape[-1])
        result: Tensor = reduction(flat, self.weights, self.bias)
        return result.reshape(self.h.shape[:2])

    def at(self, counts: CountBatch) -> Tensor:
        """η at every non-zero of the counts, ``(S, nnz)``, one sample at a time."""
        constant = self.bias.index_select(0, counts.indices)
        if self.h.shape[1] == 1 < len(counts):
            return self.h[:, 0] @ self.weights.index_select(0, counts.indices).t() + constant
        found: Tensor = _AtNonZeros.apply(self.h, self.weights, counts)  # type: ignore[no-untyped-call]
        return found + constant

    @torch.no_grad()
    def flip_terms(self, factors: int | None = None) -> tuple[Tensor, Tensor]:
        r"""Log Σ_v p_v e^{±W_vd} with p = softmax(η), ``(S, B or 1, D)``, and η's log-sum-exp.

        The sign is + where h is off (≤ ½), − where it is on: by how much the log-sum-exp moves
        when that one column flips. ``factors`` keeps the first columns only. The second of the
        pair is ``(S, B or 1)``.

        Two products with exp(±W), relative to the largest weight of a column; where those
        underflow (weights tens of nats apart), the sum is taken again in the log domain.
        """
        h = self.h.reshape(-1, self.h.shape[-1])
        columns = self.weights[:, :factors]
        low, high = columns.aminmax(dim=0) if len(columns) else (self.bias, self.bias)
        top = torch.cat([high, -low])
        if kernels := fused(h, self.weights, self.bias):
            factor = torch.cat([columns, -columns], 1).sub_(top).exp_()
            sums, norm = kernels.flip_sums((h, self.weights, self.bias), factor)
        else:
            sums, norm = self._flip_sums(h, columns, top)
        up, down = sums.chunk(2, 1)
        on = h[:, : columns.shape[1]] > 0.5
        weak = torch.where(on, down, up) < UNDERFLOW
        up, down = (sums.log_() + top).chunk(2, 1)
        chosen = torch.where(on, down, up)
        if bool(weak.any()):
            self._mend(chosen, weak, on, norm)
        shape = self.h.shape[:2]
        return chosen.reshape(*shape, -1), norm.reshape(shape)

    def _flip_sums(self, h: Tensor, columns: Tensor, top: Tensor) -> tuple[Tensor, Tensor]:
        """Σ_v p_v exp(±W − top), ``(R, 2D)``, and η's log-sum-exp ``(R, 1)``."""
        sums, found = h.new_zeros(h.shape[0], len(top)), Sums(h)
        tiles = self._tiles(h)
        for words in tiles.words:
            block = columns[words]
            factor = torch.cat([block, -block], 1).sub_(top).exp_()  # (words, 2D)
            for rows in tiles.rows:
                tile, shrunk = found.add(rows, tiles.of(rows, words))
                sums[rows].mul_(shrunk).addmm_(tile, factor)
        return sums.div_(found.total), found.logs()[:, None]

    def _tiles(self, h: Tensor) -> Tiles:
        return Tiles(h, self.weights, self.bias, BITS)

    @torch.no_grad()
    def softplus_tangents(self, factors: int | None = None) -> tuple[Tensor, Tensor]:
        """Σ_v log(1 + exp η_v) after each flip, to second order ``(S, B or 1, D)``, and before.

        There is no product that has it exactly; the tangent says which flips to look at.
        """
        h = self.h.reshape(-1, self.h.shape[-1])
        columns = self.weights[:, :factors]
        if kernels := fused(h, self.weights, self.bias):
            found = kernels.tangents((h, self.weights, self.bias), columns.shape[1])
            return self._after_tangents(h, *found)
        first = h.new_zeros(h.shape[0], columns.shape[1])
        second, before = torch.zeros_like(first), h.new_zeros(h.shape[0])
        tiles = Tiles(h, self.weights, self.bias)
        for rows, words in tiles:
            tile = tiles.of(rows, words)
            before[rows] += nn.functional.softplus(tile).sum(1)
            tile.sigmoid_()
            first[rows].addmm_(tile, columns[words])
            second[rows].addmm_(tile.mul_(1 - tile), columns[words].square())
        return self._after_tangents(h, first, second, before)

    def _after_tangents(
        self, h: Tensor, first: Tensor, second: Tensor, before: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Sums after each flip from their first and second derivatives ``(R, D)``."""
        sign = 1 - 2 * (h[:, : first.shape[1]] > 0.5).to(h.dtype)
        after = before[:, None] + sign * first + second / 2
        shape = self.h.shape[:2]
        return after.reshape(*shape, -1), before.reshape(shape)

    def _mend(self, terms: Tensor, weak: Tensor, on: Tensor, norm: Tensor) -> None:
        """Take the flip terms that underflowed again, one column and sign at a time."""
        h = self.h.reshape(-1, self.h.shape[-1])
        for column in weak.any(0).nonzero()[:, 0].tolist():
            for state, sign in ((on, -1), (~on, 1)):
                rows = weak[:, column] & state[:, column]
                moved = self.bias + sign * self.weights[:, column]
                again = reductions.plain_logsumexp(h[rows], self.weights, moved)
                terms[rows, column] = again - norm[rows, 0]
