"""What training asks of the documents it passes over, whether they are in memory or streamed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

import torch

from topicfactors.contracts import Batch, Memory

if TYPE_CHECKING:
    from topicfactors.training.batches import Documents


class Passes(Protocol):
    """Shuffled passes over the documents; the n-th pass of a seed is always the same."""

    def __len__(self) -> int:
        """Steps of a pass."""

    def after(self, steps: int) -> Iterator[Batch]:
        """The next pass, without its first ``steps`` batches."""

    def skip(self) -> None:
        """Leave the next pass out."""


class Source(Protocol):
    """Documents of a training; their rows are positions in it, from 0 to ``total`` − 1."""

    @property
    def total(self) -> int:
        """How many documents there are."""

    @property
    def device(self) -> torch.device:
        """Where batches arrive."""

    def passes(self, size: int, seed: int, memory: Memory | None = None) -> Passes:
        """Passes in batches of about ``size`` documents, with the memory of what was found."""

    def first(self, count: int) -> Documents:
        """At most so many documents, rows 0 and on, in memory."""
