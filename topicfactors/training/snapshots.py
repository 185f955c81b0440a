"""Checkpoints as files: what was kept in JSON, its tensors beside it in safetensors.

Nothing is pickled. The tensors are written first and the JSON last, each whole or not at all, so
that a checkpoint is there when its JSON is.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from topicfactors.errors import ConfigurationError, StorageError
from topicfactors.files import whole_file

FORMAT = 1
DAMAGE = (AttributeError, LookupError, RuntimeError, TypeError, ValueError)
FACTS = ("options", "configuration", "circumstances")
BLOCK = 2**24  # bytes that are written, or read, at once
MAPPED = 2**29  # bytes; a larger tensor stays in its file until it is asked for
KINDS = {
    torch.float64: "F64",
    torch.int64: "I64",
    torch.float32: "F32",
    torch.int32: "I32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}  # largest first: no tensor then begins between two of its numbers


class Snapshot(NamedTuple):
    """What a checkpoint holds."""

    state: Any  # of the training
    facts: dict[str, Any]  # of what was trained


def write_snapshot(path: Path, state: Any, facts: dict[str, Any]) -> None:
    """Write a state beside its facts: ``path`` with ``.safetensors``, then with ``.json``.

    Raises
    ------
    StorageError
        When they cannot be written.
    """
    tensors: dict[str, Tensor] = {}
    described = _described(state, tensors)
    with whole_file(path.with_suffix(".safetensors"), durable=True) as temporary:
        checksum = _write_tensors(temporary, tensors)
    text = json.dumps(
        {"format": FORMAT, "facts": facts, "crc32": checksum, "state": described}, allow_nan=False
    )
    with whole_file(path.with_suffix(".json"), durable=True) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_facts(path: Path) -> dict[str, Any]:
    """The facts alone.

    Raises
    ------
    StorageError
        When the JSON is missing, torn, or none of ours.
    """
    facts: dict[str, Any] = _read_json(path)["facts"]
    return facts


def read_snapshot(path: Path) -> Snapshot:
    """What :func:`write_snapshot` wrote.

    Raises
    ------
    StorageError
        When a file is missing, torn, or none of ours.
    """
    found = _read_json(path)
    file = path.with_suffix(".safetensors")
    try:
        if _checksum(file) != found["crc32"]:
            raise StorageError(f"{file}: damaged (its checksum is another)")
        with safe_open(str(file), framework="pt") as tensors:
            names = list(tensors.keys())
            state = _restored(found["state"], {name: _got(tensors, name) for name in names})
    except (OSError, SafetensorError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise StorageError(f"{file}: cannot be read: {_line(error)}") from error
    return Snapshot(state, found["facts"])


def used(path: Path, use: Callable[[Snapshot], None]) -> str:
    """What is wrong with a checkpoint that was to be used; empty where it was."""
    try:
        use(read_snapshot(path))
    except ConfigurationError:
        raise
    except StorageError as error:
        return str(error)
    except DAMAGE as error:
        return f"{path}: damaged: {_line(error)}"
    return ""


def _read_json(path: Path) -> dict[str, Any]:
    file = path.with_suffix(".json")
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise StorageError(f"{file}: cannot be read: {_line(error)}") from error
    if not isinstance(found, dict) or not _are_facts(found.get("facts")):
        raise StorageError(f"{file}: no checkpoint of topicfactors")
    if found.get("format") != FORMAT:
        raise StorageError(
            f"{file}: of format {found.get('format')!r}; this version reads {FORMAT}"
        )
    return found


def _are_facts(facts: Any) -> bool:
    return isinstance(facts, dict) and all(isinstance(facts.get(name), dict) for name in FACTS)


def _described(value: Any, tensors: dict[str, Tensor]) -> Any:
    """A state as JSON can hold it; its tensors go aside."""
    if isinstance(value, Tensor):
        name = str(len(tensors))
        tensors[name] = value.detach()
        return {"tensor": name}
    if isinstance(value, dict):
        return {"dict": [[key, _described(item, tensors)] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        return [_described(item, tensors) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"a state holds tensors, numbers and texts, not a {type(value).__name__}")


def _restored(value: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, list):
        return [_restored(item, tensors) for item in value]
    if not isinstance(value, dict):
        return value
    ((kind, held),) = value.items()
    if kind == "tensor":
        return tensors[held]
    if kind == "float":
        return float(held)
    if kind != "dict":
        raise ValueError(f"{kind!r} is no kind of value")
    return {key: _restored(item, tensors) for key, item in held}


def _write_tensors(path: Path, tensors: dict[str, Tensor]) -> int:
    """A safetensors file, written by pieces: a store of all documents may be larger than memory."""
    order = sorted(tensors, key=lambda name: list(KINDS).index(tensors[name].dtype))
    header, end = {}, 0
    for name in order:
        tensor = tensors[name]
        begin, end = end, end + tensor.numel() * tensor.element_size()
        header[name] = {
            "dtype": KINDS[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [begin, end],
        }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        checksum = _put(file, len(text).to_bytes(8, "little") + text, 0)
        for name in order:
            for piece in _pieces(tensors[name]):
                checksum = _put(file, piece, checksum)
    return checksum


def _put(file: BinaryIO, piece: Any, checksum: int) -> int:
    file.write(piece)
    return zlib.crc32(piece, checksum)


def _pieces(tensor: Tensor) -> Iterator[memoryview]:
    size = max(1, BLOCK // tensor.element_size())
    for piece in torch.split(tensor.reshape(-1), size):
        yield piece.contiguous().cpu().view(torch.uint8).numpy().data


def _checksum(path: Path) -> int:
    checksum = 0
    with path.open("rb") as file:
        while piece := file.read(BLOCK):
            checksum = zlib.crc32(piece, checksum)
    return checksum


def _got(tensors: Any, name: str) -> Tensor:
    tensor: Tensor = tensors.get_tensor(name)
    small = tensor.numel() * tensor.element_size() <= MAPPED
    return tensor.clone() if small else tensor


def _line(error: BaseException) -> str:
    return getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__
