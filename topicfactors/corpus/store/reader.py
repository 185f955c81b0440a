"""A corpus that was counted into a folder, read a shard at a time."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from topicfactors.corpus.matrix import CountsMatrix
from topicfactors.corpus.store.arrays import checksum, damaged, mapped
from topicfactors.corpus.store.layout import Layout, spread
from topicfactors.corpus.store.manifest import (
    PHRASES,
    VOCABULARY,
    Kept,
    Manifest,
    every_file,
    read_manifest,
)
from topicfactors.corpus.store.shards import read_documents
from topicfactors.corpus.store.statistics import Statistics
from topicfactors.corpus.store.tokenising import restored
from topicfactors.errors import InputError, StorageError
from topicfactors.wordlists import read_words

if TYPE_CHECKING:
    from topicfactors.corpus.vectorizer import DocumentVectorizer


class CountsStore:
    """Counts ``(N, V)`` on disk, with the ids, labels and columns of their documents.

    Counts are mapped into memory and read shard by shard, so that a corpus may be larger than the
    memory. Whatever is read first is checked against its checksum. The files may not change while
    a store is open, but documents may be added to it: that makes new files, and a store that was
    opened before does not see them.

    Parameters
    ----------
    folder
        What ``topicfactors prepare`` or :func:`topicfactors.corpus.store.prepare` has written.

    Attributes
    ----------
    folder
        Where it is.
    shape
        Documents and words, ``(N, V)``.
    nnz, tokens
        Pairs of a document and a word that come, and the sum of the counts.
    largest
        Such pairs in the largest shard.
    sizes, starts
        Documents of each shard, and the row of its first.
    labelled
        Whether some document has a label.
    column_names
        Of what else is known of each document.
    notes
        What a user should know of how the documents were read and counted.
    fingerprint
        SHA-256 of all that is in it, in hexadecimal.

    Raises
    ------
    StorageError
        When there is no store in the folder, or one that is unfinished, incomplete, damaged or of
        another version.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._manifest: Manifest = read_manifest(self.folder)
        self._statistics = Statistics.of(self.folder, self._manifest)  # goes when documents come
        self._checked: set[str] = set()
        shards = self._manifest.shards
        self.sizes = [shard.size for shard in shards]
        self.starts = np.cumsum([0, *self.sizes])[:-1].tolist()
        self.shape = (sum(self.sizes), self._manifest.words)
        self.nnz = sum(shard.nnz for shard in shards)
        self.largest = max((shard.nnz for shard in shards), default=0)
        self.tokens = float(sum(shard.tokens for shard in shards))
        self.labelled, self.column_names = self._manifest.labelled, self._manifest.columns
        self.notes = list(self._manifest.notes)
        self.fingerprint = self._manifest.fingerprint

    @classmethod
    def open(cls, folder: str | Path) -> CountsStore:
        """The store in a folder; see the class."""
        return CountsStore(folder)

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        documents, words = self.shape
        return f"<CountsStore of {documents:,} documents and {words:,} words in {self.folder}>"

    @property
    def size(self) -> int:
        """Bytes on disk, but for the manifest."""
        return sum(one.size for one in every_file(self._manifest))

    @functools.cached_property
    def feature_names(self) -> NDArray[np.object_] | None:
        """The word of each column ``(V,)``; None where the counts had no names."""
        if not self._has(VOCABULARY):
            return None
        words = read_words(self._good(VOCABULARY)) or []
        if len(set(words)) != self.shape[1] or len(words) != self.shape[1]:
            raise damaged(self.folder / VOCABULARY)
        return np.array(words, dtype=object)

    @property
    def word_totals(self) -> NDArray[np.float64]:
        """How often each word comes ``(V,)``."""
        return self._statistics.totals

    @property
    def document_frequency(self) -> NDArray[np.int64]:
        """Documents that have each word ``(V,)``."""
        return self._statistics.documents

    def vectorizer(self) -> DocumentVectorizer | None:
        """The fitted vectorizer that counted the texts; None where counts went in."""
        settings = self._manifest.vectorizer
        if settings is None:
            return None
        if self.feature_names is None:
            raise damaged(self.folder / VOCABULARY)
        if self._has(PHRASES):
            self._good(PHRASES)
        return restored(self.folder, settings, self.feature_names.tolist())

    def shard(self, number: int) -> CountsMatrix:
        """The counts of a shard, float32 ``(n, V)``."""
        found = self._mapped(number)
        return self._matrix(found.offsets, found.words, found.values, self.sizes[number])

    def ids(self, number: int) -> list[str]:
        """The ids of the documents of a shard."""
        ids: list[str] = self._documents(number)["ids"]
        return ids

    def labels(self, number: int) -> list[str | None] | None:
        """Their labels; None where no document of the store has one."""
        if not self.labelled:
            return None
        known: list[str | None] | None = self._documents(number)["labels"]
        return [None] * self.sizes[number] if known is None else known

    def columns(self, number: int) -> dict[str, list[Any]] | None:
        """What else is known of them, by column; None where the store has no columns."""
        if not self.column_names:
            return None
        known, absent = self._documents(number)["columns"], [None] * self.sizes[number]
        return {name: known.get(name, absent) for name in self.column_names}

    def rows(self, rows: ArrayLike) -> CountsMatrix:
        """The counts of some documents in the order asked for, float32 ``(B, V)``.

        Of each shard only those documents are read.

        Parameters
        ----------
        rows
            Positions in the store ``(B,)``, from 0.

        Raises
        ------
        InputError
            When one is outside of the store.
        """
        wanted = np.asarray(rows, dtype=np.int64).ravel()
        if len(wanted) and not (wanted.min() >= 0 and wanted.max() < len(self)):
            raise InputError(
                f"rows must be from 0 to {len(self) - 1:,}, got {wanted.min():,} to "
                f"{wanted.max():,}"
            )
        homes = np.searchsorted(self.starts, wanted, side="right") - 1
        each = np.zeros(len(wanted), dtype=np.int64)
        parts: list[tuple[NDArray[np.int64], NDArray[Any], NDArray[Any]]] = []
        for home in np.unique(homes).tolist():
            found, places = self._mapped(home), np.flatnonzero(homes == home)
            local = wanted[places] - self.starts[home]
            begins, lengths = found.offsets[local], found.offsets[local + 1] - found.offsets[local]
            each[places] = lengths
            entries = spread(begins, lengths)
            parts.append((places, found.words[entries], found.values[entries]))
        offsets = np.concatenate([[0], np.cumsum(each)])
        words = np.empty(offsets[-1], dtype=np.int32)
        values = np.empty(offsets[-1], dtype=np.float32)
        for places, its_words, its_values in parts:
            target = spread(offsets[places], each[places])
            words[target], values[target] = its_words, its_values
        return self._matrix(offsets, words, values, len(wanted))

    def verify(self) -> None:
        """Read every file once and compare it with its checksum.

        Raises
        ------
        StorageError
            At the first that is not what was written.
        """
        self._checked.clear()
        for number in range(len(self.sizes)):
            self._mapped(number)
            self._documents(number)
        for kept in self._manifest.files:
            if not Statistics.is_name(kept.name):
                self._good(kept.name)

    def blocks(self) -> Iterator[tuple[list[str], CountsMatrix]]:
        """Ids and counts, float32 ``(n, V)``, of a shard after the other."""
        for number in range(len(self.sizes)):
            yield self.ids(number), self.shard(number)

    def _matrix(
        self, offsets: NDArray[Any], words: NDArray[Any], values: NDArray[Any], documents: int
    ) -> CountsMatrix:
        places = np.int32 if len(words) <= np.iinfo(np.int32).max else np.int64
        parts = (values.astype(np.float32), words.astype(places), offsets.astype(places))
        shape = (documents, self.shape[1])
        return CountsMatrix(parts, shape=shape, feature_names=self.feature_names)

    def _has(self, name: str) -> bool:
        return any(kept.name == name for kept in self._manifest.files)

    def _good(self, name: str) -> Path:
        """A file beside the shards, compared with its checksum once."""
        kept = next((one for one in self._manifest.files if one.name == name), None)
        if kept is None:
            raise StorageError(f"{self.folder}: has no {name}; prepare the store again")
        return self._compared(kept)

    def _compared(self, kept: Kept) -> Path:
        path = self.folder / kept.name
        if kept.name not in self._checked:
            if checksum(path) != kept.sha256:
                raise damaged(path)
            self._checked.add(kept.name)
        return path

    def _mapped(self, number: int) -> Layout:
        """A shard as it lies on disk; what is in it was looked at when it was first read."""
        shard = self._manifest.shards[number]
        new = shard.counts.name not in self._checked
        path = self._compared(shard.counts)
        arrays = mapped(path)
        if not set(Layout._fields) <= set(arrays):
            raise damaged(path)
        found = Layout(*(arrays[name] for name in Layout._fields))
        if new and not found.sound(shard.size, shard.nnz, self.shape[1]):
            raise damaged(path)
        return found

    def _documents(self, number: int) -> dict[str, Any]:
        shard = self._manifest.shards[number]
        path = self._compared(shard.documents)
        try:
            return read_documents(path, shard.size)
        except ValueError as error:
            raise damaged(path) from error
