"""Kernels: what flips of one column need, sums over the words that softmax or sigmoid weigh."""

from __future__ import annotations

import triton
import triton.language as tl

from topicfactors.model.kernels.tiles import base_of, block, inner, rounded, sigmoid, softplus
from topicfactors.model.kernels.tuning import tuned

_BLOCKS = [(64, 64, 4, 2), (64, 64, 8, 3), (128, 64, 8, 2), (64, 32, 4, 3)]


@tuned(_BLOCKS)
@triton.jit(do_not_specialize=["shape"])
def flips(
    h: tl.tensor,
    weights: tl.tensor,
    bias: tl.tensor,
    factor: tl.tensor,
    result: tl.tensor,
    norm: tl.tensor,
    R: tl.tensor,
    V: tl.tensor,
    span: tl.tensor,
    shape: tl.tensor,
    H: tl.constexpr,
    F: tl.constexpr,
    PRECISION: tl.constexpr,
    ROUND: tl.constexpr,
    BH: tl.constexpr,
    BO: tl.constexpr,
    BM: tl.constexpr,
    BN: tl.constexpr,
) -> None:
    """softmax(η) @ ``factor (V, F)`` within one span of words: ``result (spans, R, F)``, and the
    log-sum-exp of the span, ``norm (spans, R)``. One pass: sums are rescaled when the top rises.
    """
    rows = tl.program_id(0) * BM + tl.arange(0, BM)
    part = tl.program_id(1).to(tl.int64)
    columns = tl.program_id(2) * BO + tl.arange(0, BO)
    top = tl.full((BM,), -float("inf"), tl.float32)
    total = tl.zeros((BM,), tl.float32)
    sums = tl.zeros((BM, BO), tl.float32)
    first = tl.program_id(1) * span
    for start in range(first, tl.minimum(first + span, V), BN):
        words = start + tl.arange(0, BN)
        eta = inner(h, weights, rows, words, R, V, H, BM, BN, BH, PRECISION)
        eta += tl.load(bias + words, mask=words < V, other=-float("inf"))[None, :]
        higher = tl.maximum(top, tl.max(eta, 1))
        base = base_of(higher)
        fade = tl.exp(top - base)
        each = tl.exp(eta - base[:, None])
        total = total * fade + tl.sum(each, 1)
        right = block(factor, words, columns, V, F)
        left = rounded(each, right, ROUND)
        sums = tl.dot(left, right, sums * fade[:, None], input_precision=PRECISION)
        top = higher
    place = result + (part * R + rows.to(tl.int64)[:, None]) * F + columns[None, :]
    mask = (rows < R)[:, None] & (columns < F)[None, :]
    tl.store(place, sums / total[:, None], mask=mask)
    if tl.program_id(2) == 0:
        tl.store(norm + part * R + rows, top + tl.log(total), mask=rows < R)


@tuned(_BLOCKS)
@triton.jit(do_not_specialize=["shape"])
def tangents(
    h: tl.tensor,
    weights: tl.tensor,
    bias: tl.tensor,
    slope: tl.tensor,
    curve: tl.tensor,
    norm: tl.tensor,
    R: tl.tensor,
    V: tl.tensor,
    span: tl.tensor,
    shape: tl.tensor,
    H: tl.constexpr,
    F: tl.constexpr,
    PRECISION: tl.constexpr,
    ROUND: tl.constexpr,
    BH: tl.constexpr,
    BO: tl.constexpr,
    BM: tl.constexpr,
    BN: tl.constexpr,
) -> None:
    """Σ_v σ(η_v) W_vd and Σ_v σ(1 − σ) W²_vd of the first F columns, ``(spans, R, F)``, and
    Σ_v log(1 + e^η_v), ``norm (spans, R)``, of one span of words.
    """
    rows = tl.program_id(0) * BM + tl.arange(0, BM)
    part = tl.program_id(1).to(tl.int64)
    columns = tl.program_id(2) * BO + tl.arange(0, BO)
    one = tl.zeros((BM, BO), tl.float32)
    two = tl.zeros((BM, BO), tl.float32)
    total = tl.zeros((BM,), tl.float32)
    first = tl.program_id(1) * span
    for start in range(first, tl.minimum(first + span, V), BN):
        words = start + tl.arange(0, BN)
        eta = inner(h, weights, rows, words, R, V, H, BM, BN, BH, PRECISION)
        eta += tl.load(bias + words, mask=words < V, other=-float("inf"))[None, :]
        total += tl.sum(softplus(eta), 1)
        there = sigmoid(eta)
        right = block(weights, words, columns, V, H)
        one = tl.dot(rounded(there, right, ROUND), right, one, input_precision=PRECISION)
        square = rounded(right.to(tl.float32) * right.to(tl.float32), right, ROUND)
        bend = rounded(there * (1 - there), right, ROUND)
        two = tl.dot(bend, square, two, input_precision=PRECISION)
    place = (part * R + rows.to(tl.int64)[:, None]) * F + columns[None, :]
    mask = (rows < R)[:, None] & (columns < F)[None, :]
    tl.store(slope + place, one, mask=mask)
    tl.store(curve + place, two, mask=mask)
    if tl.program_id(2) == 0:
        tl.store(norm + part * R + rows, total, mask=rows < R)
