"""The reductions of ``Logits`` as fused GPU kernels: where they are chosen, and nothing of Triton.

A kernel makes a tile of the product ``h @ weights.T + bias`` and reduces it where it stands, so
that no array of logits is ever written. Triton is imported by ``reductions`` and what it imports,
when the first tensors come that the kernels can take.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from topicfactors.errors import unknown_name

if TYPE_CHECKING:
    from topicfactors.model.kernels.reductions import Fused

PRODUCTS = ("tf32", "bf16", "tf32x3")  # of matrices; all are summed in float32
CAPABILITY = (8, 0)  # the oldest GPUs with matrix units for tf32 and bf16
_chosen: list[str | None] = ["tf32"]


@contextlib.contextmanager
def using(products: str | None) -> Iterator[None]:
    """Within the block, take products of this kind on a GPU; None: the plain path everywhere.

    ``"tf32"`` rounds h, W and what is made of them to 11 bits, ``"bf16"`` to 8 bits, at half the
    memory; ``"tf32x3"`` is as exact as float32, for three products instead of one.

    Raises
    ------
    ConfigurationError
        Where the name is unknown.

    >>> with using("bf16"):
    ...     products()
    'bf16'
    """
    if products is not None and products not in PRODUCTS:
        raise unknown_name("products of the kernels", products, PRODUCTS)
    _chosen.append(products)
    try:
        yield
    finally:
        _chosen.pop()


def products() -> str | None:
    """The kind of products in force, or None: no kernels."""
    return _chosen[-1]


def interpreted() -> bool:
    """Do the kernels run on the CPU, through Triton's interpreter? For tests."""
    return os.environ.get("TRITON_INTERPRET") == "1"


def fused(h: Tensor, weights: Tensor, bias: Tensor) -> Fused | None:
    """The kernels for these logits, or None where the plain path is to be taken.

    They take float32 on a GPU that is new enough, where Triton is installed, and no empty shapes.
    """
    kind = _chosen[-1]
    if kind is None or not (h.is_cuda or interpreted()) or not _installed():
        return None
    parts = (h, weights, bias)
    alike = all(part.dtype == torch.float32 and part.device == h.device for part in parts)
    if not alike or not h.numel() or not weights.numel() or not _capable(h.device):
        return None
    from topicfactors.model.kernels.reductions import Fused

    return Fused(kind)


@functools.cache
def _installed() -> bool:
    return importlib.util.find_spec("triton") is not None


@functools.cache
def _capable(device: torch.device) -> bool:
    return device.type != "cuda" or torch.cuda.get_device_capability(device) >= CAPABILITY
