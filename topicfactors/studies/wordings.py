"""Scores of lists of top words, whichever model listed them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from topicfactors.insight.metrics import c_v, npmi
from topicfactors.peers.base import spelt_out

Lists = list[list[int]]


class Wordings:
    """What top words are scored against.

    Parameters
    ----------
    counts
        Of the training documents, ``(N, V)``.
    words
        The word of each column.
    tokens
        The same documents as words in their order; None for the order of the columns.
    held_out
        Counts ``(M, V)`` of documents that no model has seen.
    """

    def __init__(
        self,
        counts: Any,
        words: Sequence[str],
        tokens: Sequence[Sequence[str]] | None,
        held_out: Any,
    ) -> None:
        self.counts, self.words, self.tokens, self.held_out = counts, words, tokens, held_out

    def scores(self, topics: Lists, asked: int, with_c_v: bool) -> dict[str, Any]:
        """NPMI, C_V, diversity and the words themselves, with a remark where something lacks."""
        listed = sum(map(len, topics))
        return {
            "npmi": mean(grouped(topics, lambda columns: npmi(self.counts, columns))),
            "npmi_held_out": mean(grouped(topics, lambda columns: npmi(self.held_out, columns))),
            "c_v": mean(grouped(topics, self._c_v)) if with_c_v else None,
            "diversity": len({word for topic in topics for word in topic}) / max(1, listed),
            "words": [[self.words[column] for column in topic] for topic in topics],
            "remark": None if len(topics) == asked else f"{len(topics)} topics",
        }

    def _c_v(self, columns: NDArray[np.int64]) -> NDArray[np.floating]:
        if self.tokens is None:
            self.tokens = [
                [self.words[int(column)] for column in row] for row in spelt_out(self.counts)
            ]
        return c_v(self.tokens, [[self.words[column] for column in row] for row in columns])


def grouped(
    topics: Lists, score: Callable[[NDArray[np.int64]], NDArray[np.floating]]
) -> NDArray[np.float64]:
    """The score of each topic, those with as many words taken together.

    >>> grouped([[1, 2], [3], [4, 5]], lambda columns: columns.sum(1))
    array([3., 3., 9.])
    """
    found = np.zeros(len(topics))
    for length in {len(topic) for topic in topics} - {0}:
        rows = [row for row, topic in enumerate(topics) if len(topic) == length]
        found[rows] = score(np.array([topics[row] for row in rows], np.int64))
    return found


def mean(scores: NDArray[np.float64]) -> float | None:
    """Over topics that have a score; None where none has.

    >>> mean(np.array([0.5, np.nan])), mean(np.array([]))
    (0.5, None)
    """
    known = scores[np.isfinite(scores)]
    return float(known.mean()) if len(known) else None
