"""What a caller gives for blocks of counts, as a store can hold it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import scipy.sparse

from topicfactors.corpus.documents import missing
from topicfactors.corpus.store.arrays import smallest
from topicfactors.corpus.store.shards import Described
from topicfactors.corpus.text import without_surrogates
from topicfactors.errors import InputError

NUMBERS = "buif"  # kinds of types


def as_words(names: Iterable[Any]) -> list[str]:
    """Distinct words for the columns.

    Raises
    ------
    InputError
        When one comes twice.
    """
    words = [without_surrogates(str(name)) for name in names]
    if len(set(words)) < len(words):
        again = Counter(words).most_common(1)[0][0]
        raise InputError(f"words: {again!r} comes twice; give every column a word of its own")
    return words


def as_counts(counts: Any, first: int) -> Any:
    """A block as canonical CSR ``(n, V)``; ``first`` is the number of its first row, for messages.

    Raises
    ------
    InputError
        When it holds something else than counts.
    """
    try:
        matrix = scipy.sparse.csr_matrix(counts, copy=True)
    except (TypeError, ValueError) as error:
        raise _no_counts(counts, first) from error
    if matrix.dtype.kind not in NUMBERS:
        raise _no_counts(counts, first)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    with np.errstate(over="ignore", invalid="ignore"):
        stored = smallest(matrix.data)
    wrong = ~((matrix.data > 0) & (stored > 0) & np.isfinite(stored))
    if wrong.any():
        at = int(wrong.argmax())
        row = int(np.searchsorted(matrix.indptr, at, side="right")) - 1 + first
        raise InputError(
            f"row {row}: {matrix.data[at]:g} is no count; counts are finite numbers of 0 or more, "
            "as float32 holds them"
        )
    return matrix


def described(size: int, ids: Any, labels: Any, columns: Mapping[Any, Any]) -> Described:
    """Ids, labels and columns of a block of so many documents.

    Raises
    ------
    InputError
        When there are more or fewer.
    """
    texts = [without_surrogates(str(name)) for name in _listed("ids", ids, size)]
    marked = None
    if labels is not None:
        marked = [
            None if missing(label) is not None else without_surrogates(str(label))
            for label in _listed("labels", labels, size)
        ]
    named = {without_surrogates(str(name)): values for name, values in columns.items()}
    return Described(texts, marked, {name: _listed(name, named[name], size) for name in named})


def _listed(what: str, values: Any, size: int) -> list[Any]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise InputError(
            f"{what}: must be a list, one for each document, got a {type(values).__name__}"
        )
    found = list(values)
    if len(found) != size:
        raise InputError(f"{what}: {len(found)} for {size} documents; give one for each")
    return found


def _no_counts(counts: Any, first: int) -> InputError:
    kind = getattr(counts, "dtype", type(counts).__name__)
    return InputError(
        f"from row {first}: must be counts (n, V), sparse or an array of numbers, got {kind}"
    )
