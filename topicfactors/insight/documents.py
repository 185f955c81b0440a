"""Which documents stand for a factor."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SHORT = 20  # tokens at which half of a document's evidence a token is believed


def representative(
    counts: Any, probabilities: NDArray[np.floating], log_odds: NDArray[np.floating], n: int
) -> list[list[tuple[int, float]]]:
    """Rows of the ``n`` documents that show each factor best, with P(on | document).

    The score is P(on | document) times the evidence a token that the words bring for the factor,
    x·e/(tokens + 20): so neither does the longest document win, in which every posterior is sure,
    nor the shortest, of which one word is all. Documents in which the factor is off are not listed.

    Parameters
    ----------
    counts
        ``(N, V)`` CSR.
    probabilities
        P(on | document), ``(N, D)``.
    log_odds
        What a token of each word adds to the log-odds of each factor, ``(D, V)`` nats.
    n
        Documents listed a factor, at most.
    """
    lengths = np.asarray(counts.sum(axis=1)).ravel()
    density = np.asarray(counts @ log_odds.T) / (lengths + SHORT)[:, None]
    listed = []
    for factor in range(len(log_odds)):
        on = np.flatnonzero(probabilities[:, factor] > 0.5)
        scores = probabilities[on, factor] * density[on, factor]
        best = on[np.argsort(-scores, kind="stable")[:n]]
        listed.append([(int(row), float(probabilities[row, factor])) for row in best])
    return listed
