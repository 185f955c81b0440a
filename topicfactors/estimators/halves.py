"""Documents in two halves, of which one is seen and the other is to be predicted."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse

from topicfactors.corpus.counts import Counts
from topicfactors.errors import InputError
from topicfactors.inference.noise import document_keys, token_keys

COMPLETION = "bound='completion'"
CURES = {COMPLETION: "use another bound"}
SPLIT = {COMPLETION: "split them yourself and use completion_perplexity"}


def check_halves(seen: Any, unseen: Any) -> None:
    """Refuse parts of documents that are not of the same ones, or of which nothing is unseen.

    Raises
    ------
    InputError
        Which says so.
    """
    if seen.shape[0] != unseen.shape[0]:
        raise InputError(
            f"X_seen and X_unseen must have the same documents, got {seen.shape[0]} and "
            f"{unseen.shape[0]} rows"
        )
    if unseen.sum() == 0:
        raise InputError("X_unseen has no tokens; expected counts above 0 to predict")


def halves(counts: Any, what: str = COMPLETION) -> tuple[Any, Any]:
    """Every document's tokens in two halves, seen and unseen, always the same ones.

    Each token gets a hash of the document it is in, its word and its number among the word's
    tokens; those with the lower hashes are seen, and the odd one. So the split depends on the
    document alone. A document of one token has nothing unseen. ``what`` is asked for by the user,
    and named where it is refused.

    Raises
    ------
    InputError
        When counts are not whole, or no document has two tokens.

    Examples
    --------
    >>> seen, unseen = halves(scipy.sparse.csr_matrix([[3.0, 2.0, 0.0, 4.0]]))
    >>> int(seen.sum()), int(unseen.sum()), (seen + unseen).toarray().tolist()
    (5, 4, [[3.0, 2.0, 0.0, 4.0]])
    """
    matrix = scipy.sparse.csr_matrix(counts, copy=True)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    check_whole(matrix, what)
    known = Counts.from_scipy(matrix)
    each = matrix.data.astype(np.int64)
    places = np.repeat(np.arange(matrix.nnz), each)  # the non-zero of every token
    hashes = token_keys(document_keys(known), known, each).numpy()
    rows = known.documents.numpy()[places]
    order = np.lexsort((hashes, rows))
    lengths = np.bincount(rows, minlength=matrix.shape[0])
    rank = np.arange(len(order)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    later = order[rank >= np.repeat((lengths + 1) // 2, lengths)]
    if len(later) == 0:
        raise InputError(
            f"{what} hides half of a document's tokens, and none of the {matrix.shape[0]} "
            f"documents has two; {CURES.get(what, 'leave it out')}"
        )
    unseen = matrix.copy()
    unseen.data = np.bincount(places[later], minlength=matrix.nnz).astype(matrix.dtype)
    seen = matrix.copy()
    seen.data = matrix.data - unseen.data
    return _without_zeros(seen), _without_zeros(unseen)


def _without_zeros(matrix: Any) -> Any:
    matrix.eliminate_zeros()
    return matrix


def check_whole(matrix: Any, what: str) -> None:
    """Refuse counts of which there is no half.

    Raises
    ------
    InputError
        Which says where.
    """
    broken = np.flatnonzero(matrix.data != np.floor(matrix.data))
    if len(broken):
        first = int(broken[0])
        row = int(np.searchsorted(matrix.indptr, first, side="right")) - 1
        raise InputError(
            f"{what} hides half of a document's tokens, so that counts must be whole numbers, got "
            f"{matrix.data[first]:g} in row {row}; {SPLIT.get(what, 'round them')}"
        )
