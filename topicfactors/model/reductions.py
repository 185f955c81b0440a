r"""Reductions of logits over the vocabulary, in tiles that stay in cache.

Of :math:`\eta = h W^\top + b` with ``h (R, H)``, ``W (V, H)`` and ``b (V,)``. A derivative computes
a tile again, unless all of them were few enough to be kept: memory O(R·H + V·H + tile + kept).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from topicfactors.model.kernels import fused

TILE = 2**19  # floats
WIDEST = 2**11  # columns of a tile, whatever its rows, so that these do not depend on one another
KEPT = 2**22  # floats that a reduction keeps for its derivative, instead of computing them again
ON_A_GPU = 32  # times as many rows of a tile: each costs half a dozen kernels
BITS = math.log2(math.e)  # of a nat; powers of two take a quarter of the time of those of e


def full_precision(method: Callable[..., Any]) -> Callable[..., Any]:
    """Autocast is for layers; reductions over the vocabulary keep the precision they are given."""

    @functools.wraps(method)
    def unaffected(ctx: Any, first: Tensor, *rest: Any) -> Any:
        with torch.autocast(first.device.type, enabled=False):
            return method(ctx, first, *rest)

    return unaffected


def derivative(method: Callable[..., Any]) -> Callable[..., Any]:
    """A backward pass in full precision, which refuses to be differentiated itself."""
    once: Callable[..., Any] = once_differentiable(full_precision(method))
    return once


def _blocks(size: int, most: int) -> list[slice]:
    """Blocks alike, so that none is of a few rows."""
    step = max(1, -(-size // max(1, -(-size // most))))
    return [slice(start, start + step) for start in range(0, size, step)]


class Tiles:
    """η, times ``unit``, in tiles of a few columns and many rows: the loadings are read once."""

    def __init__(self, h: Tensor, weights: Tensor, bias: Tensor, unit: float = 1.0) -> None:
        self.h, self.weights, self.bias = h * unit, weights, bias * unit
        larger = ON_A_GPU if h.is_cuda else 1
        self.words = _blocks(weights.shape[0], WIDEST)
        widest = max(1, min(weights.shape[0], WIDEST))
        self.rows = _blocks(h.shape[0], max(1, TILE * larger // widest))

    def __iter__(self) -> Iterator[tuple[slice, slice]]:
        return ((rows, words) for words in self.words for rows in self.rows)

    def of(self, rows: slice, words: slice) -> Tensor:
        """Logits of some rows and words, ``(rows, words)``."""
        return torch.addmm(self.bias[words], self.h[rows], self.weights[words].t())

    def push_back(
        self, ctx: Any, slopes: Callable[[Tensor, slice], Tensor], h: Tensor, gradient: Tensor
    ) -> tuple[Tensor | None, ...]:
        """Derivatives in ``h``, the weights and the bias, from those in the logits, tile by tile.

        ``slopes`` turns a tile of some rows into the derivatives there, in place; those are to be
        multiplied by the row's ``gradient``, which is not done to the tile but to what is small.
        """
        weights = self.weights
        to_h = torch.zeros_like(h) if ctx.needs_input_grad[0] else None
        to_weights = torch.zeros_like(weights) if ctx.needs_input_grad[1] else None
        to_bias = torch.zeros_like(self.bias) if ctx.needs_input_grad[2] else None
        scaled = h * gradient[:, None]
        for rows, words in self:
            tile = slopes(self.of(rows, words), rows)
            if to_h is not None:
                to_h[rows].addmm_(tile, weights[words])
            if to_weights is not None:
                to_weights[words].addmm_(tile.t(), scaled[rows])
            if to_bias is not None:
                to_bias[words].addmv_(tile.t(), gradient[rows])
        return None if to_h is None else to_h.mul_(gradient[:, None]), to_weights, to_bias


class Sums:
    """Σ 2^η, row by row, relative to the largest so far, of logits in bits."""

    def __init__(self, h: Tensor) -> None:
        self.top = h.new_full((h.shape[0], 1), -torch.inf)
        self.total = torch.zeros_like(self.top)

    def add(self, rows: slice, tile: Tensor) -> tuple[Tensor, Tensor]:
        """Take a tile in; its powers, in its place, and by how much those before it shrink."""
        top = self.top[rows]
        higher = torch.maximum(top, tile.amax(1, keepdim=True))
        shrunk = (top - higher).div_(BITS).exp_()  # few; alike wherever in the block a row is
        self.total[rows].mul_(shrunk).add_(tile.sub_(higher).exp2_().sum(1, keepdim=True))
        top.copy_(higher)
        return tile, shrunk

    def logs(self) -> Tensor:
        """Log Σ exp(η), ``(R,)`` nats."""
        return ((self.top + self.total.log2()) / BITS).squeeze(1)


def plain_logsumexp(h: Tensor, weights: Tensor, bias: Tensor) -> Tensor:
    """``(R, H), (V, H), (V,) -> (R,)``, without a derivative."""
    sums, tiles = Sums(h), Tiles(h, weights, bias, BITS)
    for rows, words in tiles:
        sums.add(rows, tiles.of(rows, words))
    return sums.logs()


def _pushed(ctx: Any, tile: Tensor, gradient: Tensor) -> tuple[Tensor | None, ...]:
    """The same from the derivatives of all logits ``(R, V)``, each row's to be scaled."""
    h, weights = ctx.saved_tensors[:2]
    to_h = (tile @ weights).mul_(gradient[:, None]) if ctx.needs_input_grad[0] else None
    to_weights = tile.t() @ (h * gradient[:, None]) if ctx.needs_input_grad[1] else None
    return to_h, to_weights, tile.t() @ gradient if ctx.needs_input_grad[2] else None


class _LogSumExp(torch.autograd.Function):
    """``(R, H), (V, H), (V,) -> (R,)``; the derivative in the logits is their softmax."""

    @staticmethod
    @full_precision
    def forward(ctx: Any, h: Tensor, weights: Tensor, bias: Tensor, keep: bool) -> Tensor:
        ctx.keep = keep
        if not keep:
            kernels = fused(h, weights, bias)
            result = (kernels.logsumexp if kernels else plain_logsumexp)(h, weights, bias)
            ctx.save_for_backward(h, weights, bias, result)
            return result
        kept, sums = h.new_empty(h.shape[0], weights.shape[0]), Sums(h)
        scaled, moved = h * BITS, bias * BITS
        for rows in _blocks(h.shape[0], max(1, TILE // weights.shape[0])):
            torch.addmm(moved, scaled[rows], weights.t(), out=kept[rows])
            sums.add(rows, kept[rows])
        ctx.save_for_backward(h, weights, kept, sums.total.squeeze(1))
        return sums.logs()

    @staticmethod
    @derivative
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        if ctx.keep:
            kept, total = ctx.saved_tensors[2:]
            return *_pushed(ctx, kept, gradient / total), None
        h, weights, bias, result = ctx.saved_tensors
        if kernels := fused(h, weights, bias):
            parts, wanted = (h, weights, bias), ctx.needs_input_grad
            return *kernels.push_back(parts, gradient, wanted, result), None

        def softmax(tile: Tensor, rows: slice) -> Tensor:
            return tile.sub_(norm[rows]).exp2_()

        tiles, norm = Tiles(h, weights, bias, BITS), result[:, None] * BITS
        return *tiles.push_back(ctx, softmax, h, gradient), None


class _SoftplusSum(torch.autograd.Function):
    """``(R, H), (V, H), (V,) -> (R,)``: Σ_v log(1 + e^η_v); its derivative is the sigmoid."""

    @staticmethod
    @full_precision
    def forward(ctx: Any, h: Tensor, weights: Tensor, bias: Tensor, keep: bool) -> Tensor:
        ctx.keep = keep
        if kernels := fused(h, weights, bias):
            ctx.save_for_backward(h, weights, bias)
            return kernels.softplus_sum(h, weights, bias)
        result, tiles = h.new_zeros(h.shape[0]), Tiles(h, weights, bias)
        kept = h.new_empty(h.shape[0], weights.shape[0]) if keep else bias
        for rows, words in tiles:
            tile = tiles.of(rows, words)
            result[rows] += nn.functional.softplus(tile).sum(1)
            if keep:
                torch.sigmoid(tile, out=kept[rows, words])
        ctx.save_for_backward(h, weights, kept)
        return result

    @staticmethod
    @derivative
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        h, weights, kept = ctx.saved_tensors
        if ctx.keep:
            return *_pushed(ctx, kept, gradient), None
        if kernels := fused(h, weights, kept):
            return *kernels.push_back((h, weights, kept), gradient, ctx.needs_input_grad), None
        tiles = Tiles(h, weights, kept)
        return *tiles.push_back(ctx, lambda tile, _: tile.sigmoid_(), h, gradient), None


def _kept(h: Tensor, weights: Tensor, bias: Tensor) -> bool:
    """Is there a derivative to come, and what it needs small enough to be kept?"""
    if fused(h, weights, bias):
        return False  # a kernel computes it again faster than it could read it
    taught = torch.is_grad_enabled() and any(part.requires_grad for part in (h, weights, bias))
    return taught and len(h) * len(weights) <= KEPT


def logsumexp(h: Tensor, weights: Tensor, bias: Tensor) -> Tensor:
    """Log Σ_v exp η_v, ``(R, H), (V, H), (V,) -> (R,)`` nats."""
    keep = _kept(h, weights, bias)
    result: Tensor = _LogSumExp.apply(h, weights, bias, keep)  # type: ignore[no-untyped-call]
    return result


def softplus_sum(h: Tensor, weights: Tensor, bias: Tensor) -> Tensor:
    """Σ_v log(1 + exp η_v), ``(R, H), (V, H), (V,) -> (R,)`` nats."""
    keep = _kept(h, weights, bias)
    result: Tensor = _SoftplusSum.apply(h, weights, bias, keep)  # type: ignore[no-untyped-call]
    return result
