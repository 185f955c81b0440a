"""The corpus of a comparison as files, from which the process of each model reads it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

COUNTS = ("counts", "held_out", "seen", "unseen")


class Shelf(NamedTuple):
    """Training documents, and those held out, whole and in halves."""

    counts: Any  # (N, V) CSR
    held_out: Any  # (M, V)
    seen: Any  # (M, V) one half of their tokens
    unseen: Any  # the other
    words: Sequence[str]
    order: Sequence[NDArray[np.int64]] | None  # columns of each training document's tokens
    texts: Sequence[str] | None  # of training documents
    held_out_texts: Sequence[str] | None

    def write(self, folder: Path) -> None:
        """Put it into a folder."""
        for name in COUNTS:
            scipy.sparse.save_npz(folder / f"{name}.npz", getattr(self, name), compressed=False)
        if self.order is not None:
            lengths = np.array([len(columns) for columns in self.order])
            np.savez(folder / "order.npz", columns=np.concatenate(self.order), lengths=lengths)
        known = {name: getattr(self, name) for name in ("words", "texts", "held_out_texts")}
        text = json.dumps({key: value and list(value) for key, value in known.items()})
        (folder / "words.json").write_text(text, encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Shelf:
        """Take it from there."""
        counts = {name: scipy.sparse.load_npz(folder / f"{name}.npz").tocsr() for name in COUNTS}
        order, path = None, folder / "order.npz"
        if path.exists():
            with np.load(path, allow_pickle=False) as kept:
                order = np.split(kept["columns"], np.cumsum(kept["lengths"])[:-1])
        known = json.loads((folder / "words.json").read_text(encoding="utf-8"))
        return cls(**counts, **known, order=order)
