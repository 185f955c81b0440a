"""What is asked of a folder before it becomes a model: it may come from anywhere."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from topicfactors.errors import StorageError
from topicfactors.estimators.design import DEGREE, Column
from topicfactors.estimators.specs import KINDS, ROLES

ROOM = 1 << 26  # bytes that the parts of a model may take beyond a multiple of their file
TIMES = 8
MADE = ("empty", "zeros", "ones", "full", "rand", "randn", "eye", "arange")  # begin so


class Bounded(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Within it, tensors that are made may take a multiple of the bytes of a file, no more.

    What config.json declares is thus not believed before there is as much to fill it.

    Parameters
    ----------
    size
        Bytes of the file.

    Raises
    ------
    ValueError
        From within, when more is asked for.
    """

    def __init__(self, size: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.left = ROOM + TIMES * size

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func.overloadpacket.__name__.removeprefix("new_").startswith(MADE):
            self._take(4 * math.prod(_size(args)))
        return func(*args, **(kwargs or {}))

    def _take(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise ValueError("config.json describes a larger model than weights.safetensors holds")


def _size(args: tuple[Any, ...]) -> list[int]:
    """What a function that makes tensors was asked for: a shape, or a number or two."""
    shapes = [list(part) for part in args if isinstance(part, list | tuple | torch.Size)]
    return shapes[0] if shapes else [part for part in args if isinstance(part, int)] or [1]


def check_inside(folder: Path, name: str) -> None:
    """Refuse a file that is a link out of the folder.

    Raises
    ------
    StorageError
        With the cure.
    """
    if not (folder / name).resolve().is_relative_to(folder.resolve()):
        raise StorageError(
            f"{folder / name}: leads out of the folder of the model; take a copy of it (cp -rL)"
        )


def check_arrays(
    arrays: Mapping[str, torch.Tensor], shapes: Mapping[str, tuple[int, ...]] = MappingProxyType({})
) -> None:
    """Refuse arrays that have not the shape that is theirs, or hold what is no finite number.

    Raises
    ------
    ValueError
        With the name of the first.
    """
    for name, array in arrays.items():
        if tuple(array.shape) != shapes.get(name, array.shape):
            raise ValueError(f"{name} has the shape {tuple(array.shape)}, expected {shapes[name]}")
        if not bool(torch.isfinite(array).all()):
            raise ValueError(f"{name} holds numbers that are not finite")


def check_columns(order: torch.Tensor, rows: int, words: int) -> None:
    """Refuse an order of words that are not there.

    Raises
    ------
    ValueError
        When it is one.
    """
    whole = order.dtype == torch.int64 and order.ndim == 2 and len(order) == rows
    if not whole or order.numel() > rows * words:
        raise ValueError(f"word_order_ is no table of columns for {rows} rows")
    if order.numel() and not (order.min() >= 0 and order.max() < words):
        raise ValueError(f"word_order_ names columns outside of the {words} words")


def check_places(what: str, places: Mapping[str, int], rows: int) -> None:
    """Refuse names of what is not there.

    Raises
    ------
    ValueError
        With the first.
    """
    for name, place in places.items():
        if not 0 <= place < rows:
            raise ValueError(f"{what} {name!r} is number {place} of {rows}")


def check_column(column: Column) -> None:
    """Refuse a column of covariates that cannot be coded.

    Raises
    ------
    ValueError
        When it is one.
    """
    widths = {"category": len(column.levels), "spline": len(column.knots) + DEGREE - 1}
    rising = all(np.diff([*column.knots]) > 0)
    numbers = [column.scale, *column.means, *column.knots]
    if column.kind not in KINDS or column.role not in ROLES or not np.isfinite(numbers).all():
        raise ValueError(f"the covariate {column.name!r} is of no kind")
    if column.scale <= 0 or not rising or len(set(column.levels)) != len(column.levels):
        raise ValueError(f"the covariate {column.name!r} has no levels or knots in order")
    if len(column.means) != widths.get(column.kind, 1):
        raise ValueError(f"the covariate {column.name!r} has {len(column.means)} means")
