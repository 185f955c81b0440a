"""Entries of a documents × words matrix: checked, summed and typed; never dense."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse

from topicfactors.corpus.matrix import CountsMatrix
from topicfactors.errors import InputError

LARGEST_WHOLE = np.iinfo(np.int32).max
LARGEST = np.finfo(np.float32).max


def counts_of(
    entries: Any, source: str, words: Sequence[str] | None, ids: Sequence[str] | None = None
) -> CountsMatrix:
    """Counts of the entries of a matrix.

    Parameters
    ----------
    entries
        SciPy COO matrix ``(N, V)``; entries of one place are summed.
    source
        What messages name.
    words, ids
        V words and N ids, for messages and ``feature_names``.

    Returns
    -------
    CountsMatrix
        ``(N, V)``: int32 where every count is whole, else float32.

    Raises
    ------
    InputError
        At the first count that is negative, NaN or infinite.

    Examples
    --------
    >>> entries = scipy.sparse.coo_matrix(([1.0, 2.0], ([0, 0], [1, 1])), shape=(1, 2))
    >>> counts_of(entries, "entries", None).toarray().tolist()
    [[0, 3]]
    """
    values = entries.data.astype(np.float64)
    wrong = ~((values >= 0) & (values <= LARGEST))  # NaN is neither
    if wrong.any():
        at = int(wrong.argmax())
        row, column = int(entries.row[at]), int(entries.col[at])
        name = f" (id {' '.join(ids[row].split())})" if ids is not None else ""
        word = f" (word {words[column]!r})" if words is not None else ""
        raise InputError(
            f"{source}: row {row}{name}, column {column}{word}: {values[at]:g} is no count; "
            "counts are finite numbers of 0 or more"
        )
    places = (entries.row, entries.col)
    csr = scipy.sparse.coo_matrix((values, places), shape=entries.shape).tocsr()
    whole = bool((csr.data == np.floor(csr.data)).all())
    fits = bool((csr.data <= LARGEST_WHOLE).all())
    counts = CountsMatrix(
        csr.astype(np.int32 if whole and fits else np.float32), feature_names=words
    )
    counts.eliminate_zeros()
    counts.sort_indices()
    return counts
