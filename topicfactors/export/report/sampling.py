"""Which documents the page holds, where there are too many for all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

CAP = 4000  # documents
SHARE = 0.5  # of them that are drawn factor by factor, so that rare ones have documents too
SEED = 0


def chosen_documents(
    found: NDArray[np.floating],
    standing: Sequence[Sequence[tuple[int, float]]],
    cap: int,
) -> NDArray[np.int64]:
    """Rows of the documents to show, ascending; all where they are no more than ``cap``.

    The representative ones are among them; half of the others are drawn from the documents in
    which each factor is on, the rest from all.

    Parameters
    ----------
    found
        Probabilities ``(N, D)``.
    standing
        Representative documents of each factor.
    cap
        How many.
    """
    documents, factors = found.shape
    if documents <= cap:
        return np.arange(documents)
    generator = np.random.default_rng(SEED)
    taken = np.zeros(documents, dtype=bool)
    for place in range(max(map(len, standing), default=0)):  # the best of each first
        for listed in standing:
            if place < len(listed) and taken.sum() < cap:
                taken[listed[place][0]] = True
    each = int(SHARE * (cap - taken.sum())) // max(1, factors)
    for factor in range(factors):
        _draw(taken, (found[:, factor] > 0.5) & ~taken, each, generator)
    _draw(taken, ~taken, cap - int(taken.sum()), generator)
    return np.flatnonzero(taken)


def _draw(
    taken: NDArray[np.bool_],
    among: NDArray[np.bool_],
    count: int,
    generator: np.random.Generator,
) -> None:
    rows = np.flatnonzero(among)
    taken[generator.choice(rows, min(count, len(rows)), replace=False)] = True
