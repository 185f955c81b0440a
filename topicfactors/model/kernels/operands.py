"""Matrices as the products of the kernels take them: rounded to nearest, rows aligned."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor, nn

from topicfactors.model.kernels import interpreted
from topicfactors.model.kernels.tiles import tf32

ALIGNED = 16  # bytes that a GPU reads at once: where rows begin
WIDEST = 256  # columns of a block
AREA = 2**12  # numbers of a block


@triton.jit
def copy_rounded(
    matrix: tl.tensor,
    result: tl.tensor,
    M: tl.tensor,
    H: tl.constexpr,
    down: tl.tensor,
    across: tl.tensor,
    P: tl.constexpr,
    BM: tl.constexpr,
    BP: tl.constexpr,
) -> None:
    """An (M, H) matrix of any strides to a dense ``result (M, P)`` in tf32, zero beyond H."""
    rows = (tl.program_id(0) * BM + tl.arange(0, BM)).to(tl.int64)[:, None]
    columns = (tl.program_id(1) * BP + tl.arange(0, BP))[None, :]
    place = matrix + rows * down + columns * across
    values = tl.load(place, mask=(rows < M) & (columns < H), other=0.0)
    tl.store(result + rows * P + columns, tf32(values), mask=(rows < M) & (columns < P))


def there(tensor: Tensor) -> AbstractContextManager[Any]:
    """Where a tensor is; kernels are launched on the current GPU, wherever their tensors are."""
    return torch.cuda.device(tensor.device) if tensor.is_cuda else nullcontext()


def operand(matrix: Tensor, products: str) -> Tensor:
    """A matrix ``(M, H)``, with columns of zeros where its rows would not be aligned."""
    matrix = matrix.detach()
    (rows, columns), unit = matrix.shape, ALIGNED // (2 if products == "bf16" else 4)
    width = -(-columns // unit) * unit
    if products == "tf32":
        result = matrix.new_empty(rows, width)
        block = min(WIDEST, triton.next_power_of_2(width))
        high = AREA // block
        with there(matrix):
            copy_rounded[(triton.cdiv(rows, high), triton.cdiv(width, block))](
                *(matrix, result, rows, columns, *matrix.stride(), width, high, block)
            )
        return result
    if width > columns:
        matrix = nn.functional.pad(matrix, (0, width - columns))
    if products == "tf32x3":
        return matrix.contiguous()
    matrix = matrix.bfloat16().contiguous()
    return matrix.float() if interpreted() else matrix  # it multiplies no bfloat16
