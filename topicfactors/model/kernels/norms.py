"""Kernel: log Σ_v e^η_v or Σ_v log(1 + e^η_v) of every row, the product in registers."""

from __future__ import annotations

import triton
import triton.language as tl

from topicfactors.model.kernels.tiles import base_of, inner, softplus
from topicfactors.model.kernels.tuning import tuned


@tuned([(64, 128, 4, 3), (128, 128, 8, 3), (128, 64, 4, 3), (32, 128, 4, 3)])
@triton.jit(do_not_specialize=["shape"])
def norms(
    h: tl.tensor,
    weights: tl.tensor,
    bias: tl.tensor,
    result: tl.tensor,
    R: tl.tensor,
    V: tl.tensor,
    span: tl.tensor,
    shape: tl.tensor,
    H: tl.constexpr,
    SOFTPLUS: tl.constexpr,
    PRECISION: tl.constexpr,
    BH: tl.constexpr,
    BM: tl.constexpr,
    BN: tl.constexpr,
) -> None:
    """Of BM rows and one span of words, to ``result (spans, R)``; rows come first in the grid,
    so that programs that run together read the same weights.
    """
    rows = tl.program_id(0) * BM + tl.arange(0, BM)
    first = tl.program_id(1) * span
    top = tl.full((BM,), -float("inf"), tl.float32)
    total = tl.zeros((BM,), tl.float32)
    for start in range(first, tl.minimum(first + span, V), BN):
        words = start + tl.arange(0, BN)
        eta = inner(h, weights, rows, words, R, V, H, BM, BN, BH, PRECISION)
        eta += tl.load(bias + words, mask=words < V, other=-float("inf"))[None, :]
        if SOFTPLUS:
            total += tl.sum(softplus(eta), 1)
        else:
            higher = tl.maximum(top, tl.max(eta, 1))
            base = base_of(higher)
            total = total * tl.exp(top - base) + tl.sum(tl.exp(eta - base[:, None]), 1)
            top = higher
    if not SOFTPLUS:
        total = top + tl.log(total)
    tl.store(result + tl.program_id(1).to(tl.int64) * R + rows, total, mask=rows < R)
