"""Kernel: derivatives of a reduction in h, or in the weights and the bias; logits made again.

One kernel for both sides. It owns some rows of one matrix and loops over the other: rows of h over
the words, or words over the rows of h. Each sum is made by one program in one order, without
atomic additions, so that the same shapes give the same derivatives bit for bit.
"""

from __future__ import annotations

import triton
import triton.language as tl

from topicfactors.model.kernels.tiles import block, inner, rounded, sigmoid
from topicfactors.model.kernels.tuning import tuned


@tuned([(64, 64, 4, 2), (64, 64, 8, 3), (128, 64, 8, 2), (64, 32, 4, 3)])
@triton.jit(do_not_specialize=["shape"])
def slopes(
    mine: tl.tensor,
    theirs: tl.tensor,
    bias: tl.tensor,
    norm: tl.tensor,
    gradient: tl.tensor,
    result: tl.tensor,
    sums: tl.tensor,
    M: tl.tensor,
    N: tl.tensor,
    span: tl.tensor,
    shape: tl.tensor,
    H: tl.constexpr,
    WORDS: tl.constexpr,
    SOFTPLUS: tl.constexpr,
    PRECISION: tl.constexpr,
    ROUND: tl.constexpr,
    BH: tl.constexpr,
    BO: tl.constexpr,
    BM: tl.constexpr,
    BN: tl.constexpr,
) -> None:
    """Slopes times ``theirs (N, H)``, over one span of N: ``result (spans, M, H)``.

    WORDS: mine (M, H) are weights, theirs rows of h, and ``sums (spans, M)`` gets the bias's part.
    """
    at = tl.program_id(0) * BM + tl.arange(0, BM)
    part = tl.program_id(1).to(tl.int64)
    columns = tl.program_id(2) * BO + tl.arange(0, BO)
    found = tl.zeros((BM, BO), tl.float32)
    total = tl.zeros((BM,), tl.float32)
    first = tl.program_id(1) * span
    for start in range(first, tl.minimum(first + span, N), BN):
        other = start + tl.arange(0, BN)
        eta = inner(mine, theirs, at, other, M, N, H, BM, BN, BH, PRECISION)
        words, words_end = (at, M) if WORDS else (other, N)
        rows, rows_end = (other, N) if WORDS else (at, M)
        shift = tl.load(bias + words, mask=words < words_end, other=-float("inf"))
        weight = tl.load(gradient + rows, mask=rows < rows_end, other=0.0)
        eta += shift[:, None] if WORDS else shift[None, :]
        if SOFTPLUS:
            slope = sigmoid(eta)
        else:
            level = tl.load(norm + rows, mask=rows < rows_end, other=float("inf"))
            slope = tl.exp(eta - (level[None, :] if WORDS else level[:, None]))
        slope *= weight[None, :] if WORDS else weight[:, None]
        right = block(theirs, other, columns, N, H)
        found = tl.dot(rounded(slope, right, ROUND), right, found, input_precision=PRECISION)
        if WORDS:
            total += tl.sum(slope, 1)
    place = result + (part * M + at.to(tl.int64)[:, None]) * H + columns[None, :]
    tl.store(place, found, mask=(at < M)[:, None] & (columns < H)[None, :])
    if WORDS and tl.program_id(2) == 0:
        tl.store(sums + part * M + at, total, mask=at < M)
