"""The table of documents that come from one component, or are of one class, each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from topicfactors.export.tables import Table

BEST = {"component": "component", "class": "predicted"}
"""Name of the column of the most probable one, for what competes."""


def assignments_table(
    blocks: Iterable[tuple[Sequence[str], NDArray[np.floating]]],
    called: Sequence[int | str],
    labels: Iterable[str | None] | None = None,
    *,
    noun: str,
    responds: bool = False,
) -> Table:
    """One row a document: its id, its label where there are labels, the best, probabilities.

    Parameters
    ----------
    blocks
        Ids, and the probabilities ``(n, K)`` of each; where it ``responds``, the expected response
        is the last number of each row.
    called
        The number or name of each of the K.
    labels
        Of all documents, in their order.
    noun
        ``"component"`` or ``"class"``: what they are, and how their columns begin.
    """
    named = any(isinstance(name, str) for name in called)
    bests = list(map(str, called)) if named else list(called)

    def rows() -> Iterator[list[tuple[Any, ...]]]:
        remaining = None if labels is None else iter(labels)
        for ids, found in blocks:
            best = [bests[place] for place in found[:, : len(called)].argmax(1)]
            known = zip(ids, best, found.tolist(), strict=True)
            if remaining is None:
                yield [(name, first, *row) for name, first, row in known]
            else:
                yield [(name, next(remaining), first, *row) for name, first, row in known]

    head = ("id",) if labels is None else ("id", "label")
    tail = ("response",) if responds else ()
    return Table((*head, BEST[noun], *(f"{noun}_{name}" for name in called), *tail), rows())
