"""Sets of states that were searched for once, where the same documents are asked for again."""

from __future__ import annotations

from typing import Any

import torch

from topicfactors.contracts import Batch

MOST = 2**28  # bytes that are kept; what is beyond is searched for again


class Recall:
    """Posteriors of blocks of documents, told apart by all that is known of them."""

    def __init__(self) -> None:
        self.kept: dict[int, tuple[Batch, Any]] = {}
        self.room = MOST

    def of(self, batch: Batch) -> Any:
        """The posterior of these documents, or None."""
        before, q = self.kept.get(int(batch.rows[0]) if len(batch.rows) else -1, (None, None))
        return q if before is not None and _same(before, batch) else None

    def keep(self, batch: Batch, q: Any) -> None:
        """Keep the posterior of a block, where there is room."""
        parts = (*q.sets, batch.counts.indices, batch.counts.values)
        needed = sum(part.numel() * part.element_size() for part in parts)
        if len(batch.rows) and needed <= self.room:
            self.room -= needed
            self.kept[int(batch.rows[0])] = (batch, type(q)(q.sets, q.factors))


def _same(one: Batch, other: Batch) -> bool:
    parts = [
        (one.counts.indices, other.counts.indices),
        (one.counts.offsets, other.counts.offsets),
        (one.counts.values, other.counts.values),
        (one.covariates, other.covariates),
        (one.responses, other.responses),
    ]
    return all(
        first is second or (first is not None and second is not None and torch.equal(first, second))
        for first, second in parts
    )
