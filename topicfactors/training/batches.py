"""Documents in batches, gathered on the device from counts that live there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from topicfactors.contracts import Batch, Memory
from topicfactors.corpus.counts import Counts


class Documents(NamedTuple):
    """Counts of N documents, and what else is known of each."""

    counts: Counts
    labels: Tensor | None = None  # (N,) integers, -1 where unseen
    covariates: Tensor | None = None  # (N, C)
    responses: Tensor | None = None  # (N,) numbers, NaN where unseen

    @property
    def device(self) -> torch.device:
        """Where they live."""
        return self.counts.values.device

    @property
    def total(self) -> int:
        """How many documents there are."""
        return len(self.counts)

    def passes(self, size: int, seed: int, memory: Memory | None = None) -> Batches:
        """Shuffled passes over them."""
        return Batches(self, size, seed, memory)

    def first(self, count: int) -> Documents:
        """At most so many of them, from the first on."""
        return self.select(torch.arange(min(self.total, count), device=self.device))

    def select(self, rows: Tensor) -> Documents:
        """The documents ``rows (R,)``."""
        labels, covariates, responses = (None if part is None else part[rows] for part in self[1:])
        return Documents(self.counts.select(rows), labels, covariates, responses)

    def batch(self, rows: Tensor, memory: Memory | None = None) -> Batch:
        """Some of them as the model sees them."""
        counts, labels, covariates, responses = self.select(rows)
        return Batch(counts, labels, covariates, rows, memory, responses)


class Batches:
    """Shuffled batches of device-resident documents; a last batch smaller than half is merged.

    Parameters
    ----------
    documents
        All documents.
    size
        Documents a batch.
    seed
        Of the shuffling; the same seed gives the same batches.
    memory
        What is kept of these documents between visits.
    """

    def __init__(
        self, documents: Documents, size: int, seed: int, memory: Memory | None = None
    ) -> None:
        self.documents, self.size, self.memory = documents, size, memory
        self.generator = torch.Generator().manual_seed(seed)

    def __len__(self) -> int:
        return max(1, round(self.documents.total / self.size))

    def __iter__(self) -> Iterator[Batch]:
        return self.after(0)

    def after(self, steps: int) -> Iterator[Batch]:
        """The next pass, without its first ``steps`` batches."""
        for rows in self._order().tensor_split(len(self))[steps:]:
            yield self.documents.batch(rows, self.memory)

    def skip(self) -> None:
        """Leave the next pass out."""
        self._order()

    def _order(self) -> Tensor:
        order = torch.randperm(self.documents.total, generator=self.generator)
        return order.to(self.documents.device)


def in_order(documents: Documents, size: int, memory: Memory | None = None) -> Iterator[Batch]:
    """Batches in the order of the corpus, for scores and posteriors."""
    rows = torch.arange(documents.total, device=documents.device)
    for part in torch.split(rows, size):
        yield documents.batch(part, memory)
