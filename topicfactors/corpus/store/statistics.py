"""Totals and document frequencies of the words of a store."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from topicfactors.corpus.store.arrays import checksum, damaged, mapped, write_arrays
from topicfactors.corpus.store.manifest import Manifest

NAME = re.compile(r"statistics-\d+\.safetensors")


class Statistics:
    """Added up while shards are written.

    Parameters
    ----------
    words
        Columns V.

    Attributes
    ----------
    totals
        How often each word comes, float64 ``(V,)``.
    documents
        How many documents have it, int64 ``(V,)``.
    """

    def __init__(self, words: int) -> None:
        self.totals = np.zeros(words, dtype=np.float64)
        self.documents = np.zeros(words, dtype=np.int64)

    @staticmethod
    def is_name(name: str) -> bool:
        """Is it the name of such a file? A store that grows gets another."""
        return NAME.fullmatch(name) is not None

    @classmethod
    def of(cls, folder: Path, manifest: Manifest) -> Statistics:
        """Those of a store.

        Raises
        ------
        StorageError
            When they are not what was written.
        """
        found = cls(0)
        name, digest = next(
            ((file.name, file.sha256) for file in manifest.files if cls.is_name(file.name)),
            ("statistics", ""),
        )
        path = folder / name
        arrays = mapped(path)
        if checksum(path) != digest or set(arrays) != {"totals", "documents"}:
            raise damaged(path)
        found.totals = arrays["totals"].astype(np.float64)
        found.documents = arrays["documents"].astype(np.int64)
        if not len(found.totals) == len(found.documents) == manifest.words:
            raise damaged(path)
        return found

    def add(self, counts: Any) -> None:
        """Count CSR counts ``(n, V)`` in."""
        width = len(self.totals)
        self.totals += np.bincount(counts.indices, weights=counts.data, minlength=width)
        self.documents += np.bincount(counts.indices, minlength=width)

    def include(self, others: Statistics) -> None:
        """Count in what others have counted."""
        self.totals += others.totals
        self.documents += others.documents

    def write(self, folder: Path, shards: int) -> str:
        """Write those of so many shards into the folder of a store; the name of the file."""
        name = f"statistics-{shards:06d}.safetensors"
        write_arrays(folder / name, {"totals": self.totals, "documents": self.documents})
        return name
