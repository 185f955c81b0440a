"""Sizes: blocks that are tried once for a class of shapes, and how the work is cut up."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
import triton

from topicfactors.model.kernels import interpreted

SPAN = 128  # words or rows; every block of a loop divides it
OWN = 64  # rows or words that a program typically owns
ROUNDS = 2  # programs for each multiprocessor, so that none waits long for the last
INNER = 64  # columns of h and W in one step of a product
OUTER = 256  # columns of a result that one program holds
LEAST = 16  # of a matrix unit


def tuned(blocks: Sequence[tuple[int, int, int, int]]) -> Callable[[Any], Any]:
    """Let Triton choose among (BM, BN, warps, stages), once for each H and class of shapes.

    BM rows or words are a program's own, BN those of a step of its loop. Sizes that a GPU has no
    room for are passed over. The interpreter takes the first.
    """
    configs = [
        triton.Config({"BM": own, "BN": step}, num_warps=warps, num_stages=stages)
        for own, step, warps, stages in blocks[: 1 if interpreted() else None]
    ]
    decorate: Callable[[Any], Any] = triton.autotune(configs=configs, key=["H", "shape"])
    return decorate


class Cut(NamedTuple):
    """How the loop of a kernel is shared by programs."""

    parts: int
    span: int  # of the loop, for each part
    shape: int  # the class that block sizes are chosen for


def cut(own: int, loop: int, chunks: int, device: torch.device) -> Cut:
    """Cut a loop so that every multiprocessor has work, however few rows or words there are."""
    programs = triton.cdiv(own, OWN) * chunks
    wanted = triton.cdiv(ROUNDS * _multiprocessors(device), programs)
    parts = max(1, min(wanted, triton.cdiv(loop, SPAN)))
    span = triton.cdiv(triton.cdiv(loop, parts), SPAN) * SPAN
    return Cut(triton.cdiv(loop, span), span, own.bit_length() * 64 + loop.bit_length())


def inner_block(columns: int) -> int:
    """Columns of a step of the product: a power of two that a matrix unit takes."""
    return _power(columns, INNER)


def outer_block(columns: int) -> int:
    """Columns of the result that one program holds."""
    return _power(columns, OUTER)


def _power(columns: int, most: int) -> int:
    return max(LEAST, min(most, 1 << (columns - 1).bit_length()))


@functools.cache
def _multiprocessors(device: torch.device) -> int:
    if device.type != "cuda":
        return 2  # interpreted
    return torch.cuda.get_device_properties(device).multi_processor_count
