"""A shard on disk: counts in one file, what else is known of its documents in another."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from topicfactors.corpus.documents import missing
from topicfactors.corpus.store.arrays import smallest, word_type, write_arrays
from topicfactors.corpus.store.manifest import Shard, kept
from topicfactors.corpus.text import without_surrogates
from topicfactors.files import whole_file


class Described(NamedTuple):
    """What is known of some documents beside their words."""

    ids: Sequence[str]
    labels: Sequence[str | None] | None = None
    columns: Mapping[str, Sequence[Any]] = {}


def shard_names(number: int) -> tuple[str, str]:
    """Where the counts and the documents of a shard are.

    >>> shard_names(7)
    ('shards/000007.safetensors', 'shards/000007.json')
    """
    return f"shards/{number:06d}.safetensors", f"shards/{number:06d}.json"


def write_counts(path: Path, counts: Any) -> None:
    """Write canonical CSR counts ``(n, V)`` in the smallest types that hold them."""
    arrays = {
        "offsets": counts.indptr.astype(np.int64),
        "words": counts.indices.astype(word_type(counts.shape[1])),
        "values": smallest(counts.data),
    }
    write_arrays(path, arrays)


def write_documents(path: Path, known: Described, **more: Any) -> None:
    """Write ids, labels and columns, and what else is to stand beside them."""
    labelled = known.labels is not None and any(label is not None for label in known.labels)
    described = {
        "ids": list(known.ids),
        "labels": list(known.labels) if labelled and known.labels is not None else None,
        "columns": {name: [cell(v) for v in values] for name, values in known.columns.items()},
        **more,
    }
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(described), encoding="utf-8")


def read_documents(path: Path, size: int | None = None) -> dict[str, Any]:
    """What :func:`write_documents` wrote, of so many documents.

    Raises
    ------
    ValueError
        When it cannot be read, or is something else.
    """
    try:
        text = path.read_text(encoding="utf-8")
        known = json.loads(text)
        size = len(known["ids"]) if size is None else size
        texts = [known["ids"], *([] if known["labels"] is None else [known["labels"]])]
        lists = [*texts, *known["columns"].values()]
        good = all(isinstance(each, list) and len(each) == size for each in lists)
        if "\\ud" in text.lower():  # no halves of surrogate pairs
            json.dumps(known, ensure_ascii=False).encode()
    except (OSError, RecursionError, TypeError, LookupError, AttributeError) as error:
        raise ValueError(f"{path} holds something else") from error
    named = good and all(isinstance(name, str) for name in known["ids"])
    if not named or not all(isinstance(label, str | None) for label in texts[-1]):
        raise ValueError(f"{path} holds something else")
    return dict(known)


def cell(value: Any) -> Any:
    """What a column holds, as JSON can; None where it holds nothing.

    >>> cell(np.float32(0.5)), cell(float("nan")), cell(b"a")
    (0.5, None, "b'a'")
    """
    if missing(value) is not None:
        return None
    if isinstance(value, np.generic):
        value = value.item()
    return value if isinstance(value, bool | int | float) else without_surrogates(str(value))


def shard_of(folder: Path, number: int, counts: Any) -> Shard:
    """A shard whose two files are written, as the manifest has it."""
    of_counts, of_documents = (kept(folder, name) for name in shard_names(number))
    tokens = float(counts.data.sum(dtype=np.float64))
    return Shard(of_counts, of_documents, counts.shape[0], int(counts.nnz), tokens)


def part(known: Described, begin: int, end: int) -> Described:
    """What is known of some documents in a row."""
    labels = None if known.labels is None else known.labels[begin:end]
    columns = {name: values[begin:end] for name, values in known.columns.items()}
    return Described(known.ids[begin:end], labels, columns)


def joined(parts: Sequence[Described]) -> Described:
    """What is known of the documents of some parts, one after the other."""
    ids = [name for part in parts for name in part.ids]
    labels: list[str | None] = []
    for part in parts:
        labels += [None] * len(part.ids) if part.labels is None else part.labels
    names = dict.fromkeys(name for part in parts for name in part.columns)
    columns: dict[str, list[Any]] = {name: [] for name in names}
    for part in parts:
        for name, values in columns.items():
            values += part.columns.get(name, [None] * len(part.ids))
    return Described(ids, labels, columns)
