"""Bags of words as gensim has them: documents that are lists of (word id, count) pairs."""

from __future__ import annotations

import numbers
from array import array
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import scipy.sparse

from topicfactors.corpus.entries import counts_of
from topicfactors.corpus.matrix import CountsMatrix
from topicfactors.corpus.vocabularies import words_of
from topicfactors.errors import InputError

MOST = 2**31 - 1  # words: places are int32
GENSIM = ("gensim.corpora.", "gensim.interfaces", "gensim.matutils")  # where its corpora are


def is_bag_stream(X: object) -> bool:
    """Is it documents that are lists of (int, number) tuples, to be iterated more than once?

    Corpora of gensim are, and lists such as ``[dictionary.doc2bow(text) for text in texts]``.
    Generators are not, as looking into them would use them up; nor are arrays, sparse matrices,
    data frames and rows of plain numbers.

    >>> is_bag_stream([[], [(0, 1), (7, 2)]]), is_bag_stream([(0, 1), (7, 2)])
    (True, False)
    """
    if type(X).__module__.startswith(GENSIM):
        return isinstance(X, Iterable) and not isinstance(X, Mapping)
    if isinstance(X, str | bytes | Mapping | Iterator) or not isinstance(X, Iterable):
        return False
    if any(hasattr(X, name) for name in ("shape", "columns", "column_names")):
        return False
    documents = 0
    for document in X:
        if not isinstance(document, list | tuple):
            return False
        if document:
            return all(map(_is_pair, document))
        if not isinstance(document, list):
            return False
        documents += 1
    return documents > 0


def from_bags(
    stream: Iterable[Any], words: int | None = None, id2word: Mapping[Any, Any] | None = None
) -> CountsMatrix:
    """Counts of bags of words; an empty document stays a row.

    Parameters
    ----------
    stream
        N documents, each an iterable of (word id, count) pairs; of one id, the counts are summed.
    words
        Number of columns V. None takes that of ``id2word``, or of the corpus, or ends at the
        highest id.
    id2word
        A gensim Dictionary, or a dict of ids to words.

    Returns
    -------
    CountsMatrix
        ``(N, V)``: int32 where every count is whole, else float32.

    Raises
    ------
    InputError
        When a document is no list of pairs, an id is outside the vocabulary, or a count is
        negative or not finite; rows are counted from 0.

    Examples
    --------
    >>> counts = from_bags([[(1, 2)], []], id2word={0: "steam", 1: "engine"})
    >>> counts.toarray().tolist(), counts.feature_names.tolist()
    ([[0, 2], [0, 0]], ['steam', 'engine'])
    """
    names = None if id2word is None else words_of(id2word)
    if names is not None and words not in (None, len(names)):
        raise InputError(f"id2word has {len(names):,} words, where {words:,} are expected")
    columns, values, lengths = _collect(stream)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    width = len(names) if names is not None else words
    if width is None:
        width = max(_declared(stream), int(columns.max(initial=-1)) + 1)
    if not 0 <= width <= MOST:
        raise InputError(
            f"{type(stream).__name__}: {width:,} words; at most {MOST:,} are counted, so that ids "
            "are below that: map them to smaller ones (gensim: dictionary.compactify())"
        )
    outside = (columns < 0) | (columns >= width)
    if outside.any():
        at = int(outside.argmax())
        raise InputError(
            f"{type(stream).__name__}: row {rows[at]}: word id {columns[at]} is outside the "
            f"vocabulary of {width:,} words (0 to {width - 1:,}); count with its own dictionary"
        )
    entries = scipy.sparse.coo_matrix((values, (rows, columns)), shape=(len(lengths), width))
    return counts_of(entries, type(stream).__name__, names)


def _collect(stream: Iterable[Any]) -> tuple[Any, Any, list[int]]:
    """Ids and counts of all pairs, and the number of pairs of each document."""
    columns, values, lengths = array("q"), array("d"), []
    for row, document in enumerate(stream):
        before = len(columns)
        try:
            for column, value in document:
                columns.append(column)
                values.append(value)
        except (TypeError, ValueError, OverflowError) as error:
            raise InputError(
                f"{type(stream).__name__}: row {row}: must be a list of (word id, count) pairs, as "
                f"doc2bow gives them: {error}"
            ) from error
        lengths.append(len(columns) - before)
    return np.array(columns, np.int64), np.array(values, np.float64), lengths


def _is_pair(pair: object) -> bool:
    return (
        isinstance(pair, tuple)
        and len(pair) == 2
        and isinstance(pair[0], numbers.Integral)
        and isinstance(pair[1], numbers.Real)
    )


def _declared(stream: object) -> int:
    """Number of words that a corpus says it has, as gensim's MmCorpus does; else 0."""
    words = getattr(stream, "num_terms", None)
    return int(words) if isinstance(words, numbers.Integral) else 0
