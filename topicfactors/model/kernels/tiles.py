"""What every kernel does: a tile of logits by matrix products, and functions of its entries.

Names of one capital letter are sizes: R rows of h, V words, H columns; M rows or words that the
programs own, N those they loop over; a letter after B is that of a block. Constants besides:
PRECISION of the products (Triton's ``input_precision``) and ROUND, whether what a kernel
makes itself is rounded before a product.
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def block(
    matrix: tl.tensor, at: tl.tensor, columns: tl.tensor, M: tl.tensor, H: tl.constexpr
) -> tl.tensor:
    """Rows ``at`` and some columns of an ``(M, H)`` matrix, zero beyond its ends."""
    mask = (at < M)[:, None] & (columns < H)[None, :]
    return tl.load(matrix + at.to(tl.int64)[:, None] * H + columns[None, :], mask=mask, other=0.0)


@triton.jit
def inner(
    left: tl.tensor,
    right: tl.tensor,
    at: tl.tensor,
    other: tl.tensor,
    M: tl.tensor,
    N: tl.tensor,
    H: tl.constexpr,
    BM: tl.constexpr,
    BN: tl.constexpr,
    BH: tl.constexpr,
    PRECISION: tl.constexpr,
) -> tl.tensor:
    """Rows ``at`` of left (M, H) times rows ``other`` of right (N, H): ``(BM, BN)`` float32."""
    product = tl.zeros((BM, BN), tl.float32)
    for start in range(0, H, BH):
        columns = start + tl.arange(0, BH)
        one = block(left, at, columns, M, H)
        two = block(right, other, columns, N, H)
        product = tl.dot(one, tl.trans(two), product, input_precision=PRECISION)
    return product


@triton.jit
def tf32(values: tl.tensor) -> tl.tensor:
    """Float32 to the nearest of 11 bits; what is not a number stays so.

    The matrix units cut bits off instead, which moves every product the same way.
    """
    bits = (values.to(tl.int32, bitcast=True) + 0x1000) & -0x2000
    return tl.where(values == values, bits.to(tl.float32, bitcast=True), values)


@triton.jit
def rounded(values: tl.tensor, like: tl.tensor, ROUND: tl.constexpr) -> tl.tensor:
    """The values in the type of another operand; to the 11 bits of tf32 if ROUND."""
    return tf32(values) if ROUND else values.to(like.dtype)


@triton.jit
def softplus(x: tl.tensor) -> tl.tensor:
    """Log(1 + exp x), exact to float32 where exp x is tiny."""
    small = tl.exp(-tl.abs(x))
    series = small * (1 - small * (0.5 - small / 3))
    return tl.maximum(x, 0.0) + tl.where(small < 0.01, series, tl.log(1 + small))


@triton.jit
def sigmoid(x: tl.tensor) -> tl.tensor:
    """1 / (1 + exp −x), through the exponential that cannot overflow."""
    small = tl.exp(-tl.abs(x))
    return tl.where(x >= 0, 1.0, small) / (1 + small)


@triton.jit
def base_of(top: tl.tensor) -> tl.tensor:
    """What exponents are taken relative to: 0 where nothing has been seen but −∞."""
    return tl.where(top == -float("inf"), 0.0, top)
