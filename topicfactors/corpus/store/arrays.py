"""Arrays in a safetensors file: written whole, mapped when read, never larger than the file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from topicfactors.errors import StorageError
from topicfactors.files import whole_file

DTYPES = {
    "U8": np.uint8,
    "U16": np.uint16,
    "U32": np.uint32,
    "U64": np.uint64,
    "I32": np.int32,
    "I64": np.int64,
    "F32": np.float32,
    "F64": np.float64,
}
MOST_HEADER = 1_000_000  # bytes; those that are written have some hundred
PIECE = 1 << 22  # bytes hashed at a time


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays of one dimension, whole or not at all.

    Raises
    ------
    StorageError
        When there is no room, or no right to write.
    """
    from safetensors.numpy import save

    laid = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    with whole_file(path) as temporary:
        temporary.write_bytes(save(laid))


def mapped(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a file, mapped: nothing is read until it is looked at.

    Raises
    ------
    StorageError
        When the file is missing, or what it declares is not what it has.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header: dict[str, Any] = json.loads(file.read(min(length, MOST_HEADER)))
        everything = np.memmap(path, dtype=np.uint8, mode="r")[8 + length :]
        described = {name: _part(everything, **part) for name, part in header.items()}
    except FileNotFoundError as error:
        raise StorageError(f"{path}: is missing; prepare the store again") from error
    except (OSError, ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
        raise damaged(path) from error
    return described


def _part(
    everything: NDArray[np.uint8], dtype: str, shape: list[int], data_offsets: list[int]
) -> NDArray[Any]:
    """One array of those that follow the header."""
    (length,), (begin, end) = shape, data_offsets
    kind = np.dtype(DTYPES[dtype])
    if not 0 <= begin <= end <= len(everything) or end - begin != length * kind.itemsize:
        raise ValueError("an array outside of its file")
    return everything[begin:end].view(np.ndarray).view(kind)


def damaged(path: Path) -> StorageError:
    """The error for a file that is not what was written."""
    return StorageError(
        f"{path}: damaged, not what was written; prepare the store again, or take a copy of it"
    )


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal.

    Raises
    ------
    StorageError
        When it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                digest.update(piece)
    except OSError as error:
        raise StorageError(f"{path}: cannot be read: {error.strerror or error}") from error
    return digest.hexdigest()


def smallest(values: NDArray[Any]) -> NDArray[Any]:
    """Counts in the smallest type that holds them: whole ones unsigned, others as float32.

    >>> smallest(np.array([1.0, 300.0])).dtype, smallest(np.array([0.5])).dtype
    (dtype('uint16'), dtype('float32'))
    """
    largest = values.max(initial=0)
    if values.dtype.kind == "f" and not (values == np.floor(values)).all():
        return values.astype(np.float32)
    for kind in (np.uint8, np.uint16, np.uint32):
        if largest <= np.iinfo(kind).max:
            return values.astype(kind)
    return values.astype(np.float32)


def word_type(words: int) -> type[np.generic]:
    """The type of a word's column among so many."""
    return np.uint16 if words <= 1 << 16 else np.int32
