"""What is done where memory runs out: a batch in parts, and documents that are visited once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor

from topicfactors.contracts import Batch, Memory
from topicfactors.errors import FitError

SIGNS = ("out of memory", "not enough memory", "can't allocate memory")
Found = TypeVar("Found")


def is_out_of_memory(error: BaseException) -> bool:
    """Does an error say that memory ran out, whichever allocator says so?

    >>> is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried …"))
    True
    """
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in SIGNS)


def tried(make: Callable[[], Found]) -> Found | None:
    """What ``make`` returns; None where memory ran out, of which nothing is held any more."""
    try:
        return make()
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
    if torch.cuda.is_available():  # only here: the error's traceback held the tensors
        torch.cuda.empty_cache()
    return None


def halved(documents: int, at_once: int | None) -> int:
    """How many documents go together after so many (``at_once``, or all) were too many.

    Raises
    ------
    FitError
        When it was one.
    """
    most = min(documents, at_once or documents)
    if most <= 1:
        raise FitError(
            "memory ran out with a single document; take fewer words (max_features) or factors, "
            "device='cpu', or a machine with more memory"
        )
    return (most + 1) // 2


class Part(NamedTuple):
    """Some documents of a batch."""

    batch: Batch
    share: float  # of the documents of the whole


def parts(batch: Batch, most: int | None) -> Iterator[Part]:
    """The batch in even parts of at most so many documents, in order."""
    total = len(batch.rows)
    if most is None or total <= most:
        yield Part(batch, 1.0)
        return
    places = torch.arange(total, device=batch.rows.device)
    for part in places.tensor_split(math.ceil(total / most)):
        yield Part(_select(batch, part), len(part) / total)


def _select(batch: Batch, places: Tensor) -> Batch:
    counts, labels, covariates, rows, memory, responses = batch
    return Batch(
        counts.select(places),
        None if labels is None else labels[places],
        None if covariates is None else covariates[places],
        rows[places],
        memory.part(places) if isinstance(memory, Visit) else memory,
        None if responses is None else responses[places],
    )


class Visit:
    """The memory of a batch during one step (a ``contracts.Memory``).

    Read once and written once, however often the step is tried and in however many parts.

    Parameters
    ----------
    memory
        Of the whole corpus.
    rows
        The documents of the batch, ``(B,)``.
    """

    def __init__(self, memory: Memory, rows: Tensor) -> None:
        self.memory, self.rows, self.fresh = memory, rows, memory.fresh
        self.found: Tensor | None = None
        self.left: Tensor | None = None

    def read(self, rows: Tensor) -> Tensor:
        """What is kept of the documents."""
        if self.found is None:
            self.found = self.memory.read(self.rows)
        return self.found.clone()

    def write(self, rows: Tensor, words: Tensor) -> None:
        """Note what is to be kept of them."""
        self.left = words.detach()

    def keep(self) -> None:
        """Keep what was noted."""
        if self.left is not None:
            self.memory.write(self.rows, self.left)

    def part(self, places: Tensor) -> _PartOfVisit:
        """The same of the documents at some places of the batch."""
        return _PartOfVisit(self, places)

    def state_dict(self) -> dict[str, Any]:
        """That of the corpus."""
        return self.memory.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Into that of the corpus."""
        self.memory.load_state_dict(state)


class _PartOfVisit:
    """What a part of a batch sees of its memory."""

    def __init__(self, visit: Visit, places: Tensor) -> None:
        self.visit, self.places, self.fresh = visit, places, visit.fresh

    def read(self, rows: Tensor) -> Tensor:
        return self.visit.read(self.visit.rows)[self.places]

    def write(self, rows: Tensor, words: Tensor) -> None:
        if self.visit.left is None:
            self.visit.left = self.visit.read(self.visit.rows).to(words.dtype)
        self.visit.left[self.places] = words.detach()

    def state_dict(self) -> dict[str, Any]:
        return self.visit.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.visit.load_state_dict(state)
