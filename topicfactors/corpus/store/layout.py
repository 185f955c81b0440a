"""The counts of a shard as they lie on disk."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

WORDS = (np.uint16, np.int32)
VALUES = (np.uint8, np.uint16, np.uint32, np.float32)


class Layout(NamedTuple):
    """Rows of counts, mapped: CSR in the smallest types that hold them."""

    offsets: NDArray[np.int64]  # (n + 1,)
    words: NDArray[Any]  # (nnz,)
    values: NDArray[Any]  # (nnz,)

    def sound(self, documents: int, nnz: int, words: int) -> bool:
        """Are these the counts of so many documents, words and entries, in order?"""
        offsets, types = self.offsets, (self.words.dtype, self.values.dtype)
        if offsets.dtype != np.int64 or types[0] not in WORDS or types[1] not in VALUES:
            return False
        if len(offsets) != documents + 1 or not len(self.words) == len(self.values) == nnz:
            return False
        if offsets[0] != 0 or offsets[-1] != nnz or (np.diff(offsets) < 0).any():
            return False
        if nnz == 0:
            return True
        places = self.words.astype(np.int64)
        rising = np.diff(places) > 0
        begins = offsets[1:-1]
        rising[begins[(begins > 0) & (begins < nnz)] - 1] = True
        counted = bool((self.values > 0).all() and np.isfinite(self.values).all())
        return bool(rising.all() and places.min() >= 0 and places.max() < words and counted)


def spread(begins: NDArray[Any], lengths: NDArray[Any]) -> NDArray[np.int64]:
    """The places of runs that begin somewhere and have some length, one after the other.

    >>> spread(np.array([5, 0]), np.array([2, 3])).tolist()
    [5, 6, 0, 1, 2]
    """
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    places: NDArray[np.int64] = np.repeat(begins - (ends - lengths), lengths) + np.arange(total)
    return places
