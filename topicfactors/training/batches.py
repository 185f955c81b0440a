"""Documents in batches, gathered on the device from counts that live there."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from topicfactors.contracts import Batch, Memory
from topicfactors.corpus.counts import Counts


class Batches:
    """Shuffled batches of device-resident counts; a last batch smaller than half is merged.

    Parameters
    ----------
    counts
        All documents.
    size
        Documents a batch.
    seed
        Of the shuffling; the same seed gives the same batches.
    memory
        What is kept of these documents between visits.
    """

    def __init__(self, counts: Counts, size: int, seed: int, memory: Memory | None = None) -> None:
        self.counts, self.size, self.memory = counts, size, memory
        self.generator = torch.Generator().manual_seed(seed)

    def __len__(self) -> int:
        return max(1, round(len(self.counts) / self.size))

    def __iter__(self) -> Iterator[Batch]:
        order = torch.randperm(len(self.counts), generator=self.generator)
        for rows in order.to(self.counts.values.device).tensor_split(len(self)):
            yield Batch(self.counts.select(rows), None, None, rows, self.memory)


def in_order(counts: Counts, size: int, memory: Memory | None = None) -> Iterator[Batch]:
    """Batches in the order of the corpus, for scores and posteriors."""
    rows = torch.arange(len(counts), device=counts.values.device)
    for part in torch.split(rows, size):
        yield Batch(counts.select(part), None, None, part, memory)
