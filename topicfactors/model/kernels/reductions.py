"""The reductions of ``Logits`` by the kernels: operands made ready, partial sums put together."""

from __future__ import annotations

from typing import Any

import torch
import triton
from torch import Tensor

from topicfactors.model.kernels.flips import flips, tangents
from topicfactors.model.kernels.norms import norms
from topicfactors.model.kernels.operands import operand, there
from topicfactors.model.kernels.slopes import slopes
from topicfactors.model.kernels.tuning import Cut, cut, inner_block, outer_block

Shapes = tuple[Tensor, Tensor, Tensor]  # h (R, H), weights (V, H), bias (V,)


class Fused:
    """The reductions on a GPU; derivatives and sums agree with the plain path as the products do.

    Parameters
    ----------
    products
        ``"tf32"``, ``"bf16"`` or ``"tf32x3"``, of operands rounded to nearest; sums are float32.
    """

    def __init__(self, products: str) -> None:
        self.products = products
        self.precision = "tf32x3" if products == "tf32x3" else "tf32"

    def logsumexp(self, h: Tensor, weights: Tensor, bias: Tensor) -> Tensor:
        """Log Σ_v exp η_v, ``(R,)``."""
        parts = self._norms((h, weights, bias), softplus=False)
        return parts[0] if len(parts) == 1 else parts.logsumexp(0)

    def softplus_sum(self, h: Tensor, weights: Tensor, bias: Tensor) -> Tensor:
        """Σ_v log(1 + exp η_v), ``(R,)``."""
        return self._norms((h, weights, bias), softplus=True).sum(0)

    def push_back(
        self,
        shapes: Shapes,
        gradient: Tensor,
        needed: tuple[bool, ...],
        norm: Tensor | None = None,
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """Derivatives in h, weights and bias of Σ_r gradient_r × the reduction of row r.

        ``norm (R,)`` is the log-sum-exp; without it the reduction is that of softplus.
        """
        h, weights, bias = self._operands(shapes)
        given = (bias, norm, gradient.contiguous())
        columns = shapes[0].shape[1]
        to_h = to_weights = to_bias = None
        if needed[0]:
            to_h = self._slopes(h, weights, given, words=False)[0][:, :columns]
        if needed[1] or needed[2]:
            to_weights, to_bias = self._slopes(weights, h, given, words=True)
            to_weights = to_weights[:, :columns]
        return to_h, to_weights if needed[1] else None, to_bias if needed[2] else None

    def flip_sums(self, shapes: Shapes, factor: Tensor) -> tuple[Tensor, Tensor]:
        """softmax(η) @ ``factor (V, F)``, ``(R, F)``, and η's log-sum-exp, ``(R, 1)``."""
        h, weights, bias = self._operands(shapes)
        wanted, factor = factor.shape[1], operand(factor, self.products)
        (rows, columns), found = h.shape, factor.shape[1]
        block = outer_block(found)
        chunks = triton.cdiv(found, block)
        share = cut(rows, len(weights), chunks, h.device)
        sums, norm = bias.new_empty(share.parts, rows, found), bias.new_empty(share.parts, rows)
        _launch(
            *(flips, share, (rows, len(weights), chunks)),
            *(h, weights, bias, factor, sums, norm),
            **self._constants(columns, block),
            F=found,
        )
        whole = norm.logsumexp(0)
        shares = (norm - whole).exp()
        return (shares[..., None] * sums[..., :wanted]).sum(0), whole[:, None]

    def tangents(self, shapes: Shapes, factors: int) -> tuple[Tensor, Tensor, Tensor]:
        """Σ_v σ W and Σ_v σ(1 − σ) W² of the first factors, ``(R, D)``; Σ_v softplus, ``(R,)``."""
        h, weights, bias = self._operands(shapes)
        rows, columns = h.shape
        block = outer_block(min(factors, 128))  # there are two results
        chunks = triton.cdiv(factors, block)
        share = cut(rows, len(weights), chunks, h.device)
        first = bias.new_empty(share.parts, rows, factors)
        second, norm = torch.empty_like(first), bias.new_empty(share.parts, rows)
        _launch(
            *(tangents, share, (rows, len(weights), chunks)),
            *(h, weights, bias, first, second, norm),
            **self._constants(columns, block),
            F=factors,
        )
        return first.sum(0), second.sum(0), norm.sum(0)

    def _norms(self, shapes: Shapes, *, softplus: bool) -> Tensor:
        """One reduction of every row, over each part of the vocabulary, ``(parts, R)``."""
        h, weights, bias = self._operands(shapes)
        rows, columns = h.shape
        share = cut(rows, len(weights), 1, h.device)
        result = bias.new_empty(share.parts, rows)
        _launch(
            *(norms, share, (rows, len(weights), 1)),
            *(h, weights, bias, result),
            SOFTPLUS=softplus,
            **self._constants(columns),
        )
        return result

    def _slopes(
        self,
        mine: Tensor,
        theirs: Tensor,
        given: tuple[Tensor, Tensor | None, Tensor],
        *,
        words: bool,
    ) -> tuple[Tensor, Tensor]:
        """Derivatives in a matrix ``(M, H)``, and the slopes' sums ``(M,)`` where it has words."""
        bias, norm, gradient = given
        own, columns = mine.shape
        block = outer_block(columns)
        chunks = triton.cdiv(columns, block)
        share = cut(own, len(theirs), chunks, mine.device)
        result, sums = bias.new_empty(share.parts, own, columns), bias.new_empty(share.parts, own)
        _launch(
            *(slopes, share, (own, len(theirs), chunks)),
            *(mine, theirs, bias, gradient if norm is None else norm, gradient, result, sums),
            **self._constants(columns, block),
            WORDS=words,
            SOFTPLUS=norm is None,
        )
        if share.parts == 1:
            return result[0], sums[0]
        return result.sum(0), sums.sum(0) if words else sums[0]

    def _constants(self, columns: int, outer: int | None = None) -> dict[str, Any]:
        constants: dict[str, Any] = {
            "H": columns,
            "PRECISION": self.precision,
            "BH": inner_block(columns),
            "enable_fp_fusion": True,
        }
        if outer is not None:
            constants |= {"BO": outer, "ROUND": self.products == "tf32"}
        return constants

    def _operands(self, shapes: Shapes) -> Shapes:
        h, weights, bias = shapes
        kind = self.products
        return operand(h, kind), operand(weights, kind), bias.detach().contiguous()


def _launch(
    kernel: Any, share: Cut, sizes: tuple[int, int, int], *tensors: Tensor, **constants: Any
) -> None:
    """Run a kernel for (own, looped over, chunks of columns) sizes, on the tensors' device.

    What programs own comes first in the grid: those that run together read the same of the rest.
    """
    own, loop, chunks = sizes
    with there(tensors[0]):
        kernel[lambda meta: (triton.cdiv(own, meta["BM"]), share.parts, chunks)](
            *tensors, own, loop, share.span, share.shape, **constants
        )
