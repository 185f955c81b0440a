r"""The word logits of S samples of B documents, never held as an ``(S, B, V)`` array.

:math:`\eta = h W^\top + b`, with ``h (S, B or 1, H)``, ``W (V, H)`` and ``b (V,)``. Everything the
likelihoods need of it is a sparse product over the non-zeros or a reduction over V; the reductions
walk through tiles that stay in cache, and their backward computes a tile again instead of keeping
it: memory O(S·B·H + V·H + tile).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from topicfactors.contracts import CountBatch
from topicfactors.model.kernels import fused

TILE = 2**20  # floats; at V = 2,000 on two cores faster than 2^17 to 2^19
UNDERFLOW = 1e-25  # a sum of products below this has lost terms in float32
WIDEST = 2**13  # columns of a tile, so that a large vocabulary still leaves rows to a product


def _full_precision(method: Callable[..., Any]) -> Callable[..., Any]:
    """Autocast is for layers; reductions over the vocabulary keep the precision they are given."""

    @functools.wraps(method)
    def unaffected(ctx: Any, first: Tensor, *rest: Tensor) -> Any:
        with torch.autocast(first.device.type, enabled=False):
            return method(ctx, first, *rest)

    return unaffected


def _row_blocks(rows: int, words: int) -> Iterator[slice]:
    most = max(1, TILE // min(words, WIDEST))
    step = -(-rows // max(1, -(-rows // most)))  # blocks alike, so that none is of a few rows
    step = max(1, step)
    return (slice(start, start + step) for start in range(0, rows, step))


def _word_blocks(words: int) -> Iterator[slice]:
    return (slice(start, start + WIDEST) for start in range(0, words, WIDEST))


def _tile_logsumexp(h: Tensor, weights: Tensor, bias: Tensor) -> Tensor:
    top = h.new_full((h.shape[0], 1), -torch.inf)
    total = torch.zeros_like(top)
    for words in _word_blocks(weights.shape[0]):
        tile = torch.addmm(bias[words], h, weights[words].t())
        higher = torch.maximum(top, tile.amax(1, keepdim=True))
        total.mul_((top - higher).exp_()).add_(tile.sub_(higher).exp_().sum(1, keepdim=True))
        top = higher
    return (top + total.log_()).squeeze(1)


def _push_back(
    ctx: Any, slopes: Callable[[Tensor, slice], Tensor], shapes: tuple[Tensor, Tensor, Tensor]
) -> tuple[Tensor | None, ...]:
    """Derivatives in ``h``, the weights and the bias, from those in the logits, tile by tile.

    ``slopes`` turns a tile of logits of some rows into the derivatives there, in place.
    """
    h, weights, bias = shapes
    to_h = torch.zeros_like(h) if ctx.needs_input_grad[0] else None
    to_weights = torch.zeros_like(weights) if ctx.needs_input_grad[1] else None
    to_bias = torch.zeros_like(bias) if ctx.needs_input_grad[2] else None
    for rows in _row_blocks(h.shape[0], weights.shape[0]):
        for words in _word_blocks(weights.shape[0]):
            tile = slopes(torch.addmm(bias[words], h[rows], weights[words].t()), rows)
            if to_h is not None:
                to_h[rows].addmm_(tile, weights[words])
            if to_weights is not None:
                to_weights[words].addmm_(tile.t(), h[rows])
            if to_bias is not None:
                to_bias[words] += tile.sum(0)
    return to_h, to_weights, to_bias


def _tile_flips(h: Tensor, weights: Tensor, bias: Tensor, factor: Tensor, sums: Tensor) -> Tensor:
    """Add softmax(η) @ factor to ``sums``; η's log-sum-exp, ``(R, 1)``; one pass if V is small."""
    blocks = list(_word_blocks(weights.shape[0]))
    if len(blocks) > 1:
        norm = _tile_logsumexp(h, weights, bias)[:, None]
        for words in blocks:
            tile = torch.addmm(bias[words], h, weights[words].t())
            sums.addmm_(tile.sub_(norm).exp_(), factor[words])
        return norm
    tile = torch.addmm(bias, h, weights.t())
    top = tile.amax(1, keepdim=True)
    total = tile.sub_(top).exp_().sum(1, keepdim=True)
    sums.addmm_(tile, factor).div_(total)
    return top + total.log_()


class _LogSumExp(torch.autograd.Function):
    """``(R, H), (V, H), (V,) -> (R,)``; the derivative in the logits is their softmax."""

    @staticmethod
    @_full_precision
    def forward(ctx: Any, h: Tensor, weights: Tensor, bias: Tensor) -> Tensor:
        if kernels := fused(h, weights, bias):
            result = kernels.logsumexp(h, weights, bias)
        else:
            result = h.new_empty(h.shape[0])
            for rows in _row_blocks(h.shape[0], weights.shape[0]):
                result[rows] = _tile_logsumexp(h[rows], weights, bias)
        ctx.save_for_backward(h, weights, bias, result)
        return result

    @staticmethod
    @_full_precision
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        h, weights, bias, result = ctx.saved_tensors
        if kernels := fused(h, weights, bias):
            return kernels.push_back((h, weights, bias), gradient, ctx.needs_input_grad, result)

        def softmax(tile: Tensor, rows: slice) -> Tensor:
            return tile.sub_(result[rows, None]).exp_().mul_(gradient[rows, None])

        return _push_back(ctx, softmax, (h, weights, bias))


class _SoftplusSum(torch.autograd.Function):
    """``(R, H), (V, H), (V,) -> (R,)``: Σ_v log(1 + e^η_v); its derivative is the sigmoid."""

    @staticmethod
    @_full_precision
    def forward(ctx: Any, h: Tensor, weights: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(h, weights, bias)
        if kernels := fused(h, weights, bias):
            return kernels.softplus_sum(h, weights, bias)
        result = h.new_zeros(h.shape[0])
        for rows in _row_blocks(h.shape[0], weights.shape[0]):
            for words in _word_blocks(weights.shape[0]):
                tile = torch.addmm(bias[words], h[rows], weights[words].t())
                result[rows] += nn.functional.softplus(tile).sum(1)
        return result

    @staticmethod
    @_full_precision
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        if kernels := fused(*ctx.saved_tensors):
            return kernels.push_back(ctx.saved_tensors, gradient, ctx.needs_input_grad)

        def sigmoid(tile: Tensor, rows: slice) -> Tensor:
            return tile.sigmoid_().mul_(gradient[rows, None])

        return _push_back(ctx, sigmoid, ctx.saved_tensors)


class Logits(NamedTuple):
    """The implicit array η of S samples, B documents (or 1: the same for all) and V words."""

    h: Tensor  # (S, B or 1, H)
    weights: Tensor  # (V, H)
    bias: Tensor  # (V,)

    def dot(self, counts: CountBatch) -> Tensor:
        """Σ_v x_v η_v, ``(S, B)``: two sparse products, no reduction over V."""
        projected = counts @ torch.cat([self.weights, self.bias[:, None]], 1)  # (B, H + 1)
        slopes, constant = projected[:, :-1], projected[:, -1]
        if self.h.shape[1] == 1 < len(counts):
            return self.h[:, 0] @ slopes.t() + constant
        return (self.h * slopes).sum(-1) + constant

    def logsumexp(self) -> Tensor:
        """Log Σ_v exp η_v, ``(S, B or 1)``."""
        flat = self.h.reshape(-1, self.h.shape[-1])
        result: Tensor = _LogSumExp.apply(flat, self.weights, self.bias)  # type: ignore[no-untyped-call]
        return result.reshape(self.h.shape[:2])

    def softplus_sum(self) -> Tensor:
        """Σ_v log(1 + exp η_v), ``(S, B or 1)``."""
        flat = self.h.reshape(-1, self.h.shape[-1])
        result: Tensor = _SoftplusSum.apply(flat, self.weights, self.bias)  # type: ignore[no-untyped-call]
        return result.reshape(self.h.shape[:2])

    def at(self, counts: CountBatch) -> Tensor:
        """η at every non-zero of the counts, ``(S, nnz)``, one sample at a time."""
        words = counts.indices.long()
        rows, constant = self.weights[words], self.bias[words]
        if self.h.shape[1] == 1 < len(counts):
            return self.h[:, 0] @ rows.t() + constant
        return torch.stack([(h[counts.documents] * rows).sum(-1) + constant for h in self.h])

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
        signed = torch.cat([columns, -columns], 1)  # (V, 2D)
        top = signed.amax(0)
        factor = (signed - top).exp_()
        if kernels := fused(h, self.weights, self.bias):
            sums, norm = kernels.flip_sums((h, self.weights, self.bias), factor)
        else:
            sums = h.new_zeros(h.shape[0], factor.shape[1])
            norm = torch.empty_like(h[:, :1])
            for rows in _row_blocks(h.shape[0], self.weights.shape[0]):
                norm[rows] = _tile_flips(h[rows], self.weights, self.bias, factor, sums[rows])
        up, down = sums.chunk(2, 1)
        on = h[:, : columns.shape[1]] > 0.5
        weak = torch.where(on, down, up) < UNDERFLOW
        up, down = (sums.log_() + top).chunk(2, 1)
        chosen = torch.where(on, down, up)
        if bool(weak.any()):
            self._mend(chosen, weak, on, norm)
        shape = self.h.shape[:2]
        return chosen.reshape(*shape, -1), norm.reshape(shape)

    @torch.no_grad()
    def softplus_tangents(self, factors: int | None = None) -> tuple[Tensor, Tensor]:
        """Σ_v log(1 + exp η_v) after each flip, to second order ``(S, B or 1, D)``, and before.

        There is no product that has it exactly; the tangent says which flips to look at.
        """
        h = self.h.reshape(-1, self.h.shape[-1])
        columns = self.weights[:, :factors]
        if kernels := fused(h, self.weights, self.bias):
            first, second, before = kernels.tangents((h, self.weights, self.bias), columns.shape[1])
            return self._after_tangents(h, first, second, before)
        first = h.new_zeros(h.shape[0], columns.shape[1])
        second, before = torch.zeros_like(first), h.new_zeros(h.shape[0])
        for rows in _row_blocks(h.shape[0], self.weights.shape[0]):
            for words in _word_blocks(self.weights.shape[0]):
                tile = torch.addmm(self.bias[words], h[rows], self.weights[words].t())
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
                again = _tile_logsumexp(h[rows], self.weights, moved)
                terms[rows, column] = again - norm[rows, 0]
