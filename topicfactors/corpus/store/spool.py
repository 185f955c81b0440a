"""Counted shards whose vocabulary is still open: each has a list of its own words."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from topicfactors.corpus.blocks import CountedBlock
from topicfactors.corpus.matrix import CountsMatrix
from topicfactors.corpus.store.arrays import damaged, mapped, smallest, write_arrays
from topicfactors.corpus.store.shards import write_counts
from topicfactors.corpus.store.statistics import Statistics
from topicfactors.files import whole_file
from topicfactors.wordlists import read_words


class Spooled(NamedTuple):
    """Counts of a shard by its own words."""

    lengths: NDArray[np.int32]  # (n,) words of each document
    words: NDArray[np.int32]  # (nnz,) position in spellings
    values: NDArray[Any]  # (nnz,)
    spellings: list[str]


class ShardBuilder:
    """Puts blocks together into a shard."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}
        self._parts: list[tuple[NDArray[Any], ...]] = []

    def add(self, block: CountedBlock) -> None:
        """Add the counts of some documents."""
        known = self._known
        numbers = [known.setdefault(word, len(known)) for word in block.spellings]
        places = np.array(numbers, dtype=np.int32)
        lengths = np.bincount(block.documents, minlength=block.size).astype(np.int32)
        self._parts.append((lengths, places[block.words], smallest(block.counts)))

    def finish(self) -> Spooled:
        """The shard."""
        lengths, words, values = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        return Spooled(lengths, words, values, list(self._known))


def names(folder: Path, number: int) -> tuple[Path, Path]:
    """Where the counts and the words of a spooled shard are."""
    return folder / f"{number:06d}.safetensors", folder / f"{number:06d}.json"


def write_spooled(folder: Path, number: int, shard: Spooled) -> None:
    """Write a shard; its words last."""
    counts, words = names(folder, number)
    parts = shard._asdict()
    spellings = parts.pop("spellings")
    write_arrays(counts, parts)
    with whole_file(words) as temporary:
        temporary.write_text(json.dumps(spellings), encoding="utf-8")


def read_spooled(folder: Path, number: int, documents: int | None = None) -> Spooled:
    """A shard that :func:`write_spooled` wrote, of so many documents.

    Raises
    ------
    StorageError
        When it is not what was written.
    """
    counts, words = names(folder, number)
    arrays = mapped(counts)
    try:
        spellings = json.loads(words.read_text(encoding="utf-8"))
        "\n".join(spellings).encode()  # texts without halves of surrogate pairs
        shard = Spooled(arrays["lengths"], arrays["words"], arrays["values"], list(spellings))
    except (OSError, ValueError, TypeError, LookupError, RecursionError) as error:
        raise damaged(words) from error
    if not _is_sound(shard, documents):
        raise damaged(counts)
    return shard


def _is_sound(shard: Spooled, documents: int | None) -> bool:
    """Are these counts of so many documents and of the words beside them?"""
    lengths, words, values, spellings = shard
    if not lengths.dtype == words.dtype == np.int32 or len(set(spellings)) != len(spellings):
        return False
    if (lengths < 0).any() or not lengths.sum(dtype=np.int64) == len(words) == len(values):
        return False
    if documents is not None and len(lengths) != documents:
        return False
    inside = words.min(initial=0) >= 0 and words.max(initial=-1) < len(spellings)
    return bool(inside and (values > 0).all() and np.isfinite(values).all())


@functools.lru_cache(maxsize=1)
def _vocabulary(path: Path, modified: int) -> dict[str, int]:
    return {word: column for column, word in enumerate(read_words(path) or [])}


class Moved(NamedTuple):
    """What became of a spooled shard."""

    nnz: int
    tokens: float
    unknown: float  # tokens of words outside the vocabulary
    statistics: Statistics


def move(folder: Path, number: int, vocabulary: Path, target: Path) -> Moved:
    """Write a spooled shard by the columns of a vocabulary; runs in a worker."""
    shard = read_spooled(folder, number)
    known = _vocabulary(vocabulary, vocabulary.stat().st_mtime_ns)
    places = np.array([known.get(word, -1) for word in shard.spellings], dtype=np.int32)
    columns = places[shard.words] if len(places) else np.empty(0, np.int32)
    keep = columns >= 0
    documents = np.repeat(np.arange(len(shard.lengths)), shard.lengths)[keep]
    each = np.bincount(documents, minlength=len(shard.lengths))
    offsets = np.concatenate([[0], np.cumsum(each)])
    parts = (shard.values[keep], columns[keep], offsets)
    counts = CountsMatrix(parts, shape=(len(each), len(known)))
    counts.sort_indices()
    write_counts(target, counts)  # whatever is there may be by other words
    statistics = Statistics(len(known))
    statistics.add(counts)
    tokens = float(counts.data.sum(dtype=np.float64))
    every = float(shard.values.sum(dtype=np.float64))
    return Moved(int(counts.nnz), tokens, every - tokens, statistics)
