"""Documents that stay on disk: shards streamed in lanes, shuffled, read ahead by a thread.

The shards of a store are dealt to a few lanes, once and for all. A pass goes through the shards of
every lane in a new order, and through the documents of each shard in a new order; a batch has a
share of every lane. A process of several takes some of the lanes, so that the documents of a step
are the same however many processes there are, and each reads its own shards alone. In memory are a
shard a lane and the batches that wait.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from topicfactors.contracts import Batch, Memory
from topicfactors.corpus.counts import Counts
from topicfactors.errors import ConfigurationError
from topicfactors.training.batches import Documents
from topicfactors.training.distributed import ALONE, World

LANES = 16  # at most, where there are no more processes than that
FEWEST = 4  # lanes at least, however large the shards
OPEN = 2**28  # bytes of the shards that are open at once, where that leaves lanes enough
ENTRY = 8  # bytes of a non-zero in memory
EVEN = 0.5  # of the mean, the least that a lane has of the documents
AHEAD = 4  # batches that wait to be trained on


class Shard(NamedTuple):
    """Where a shard's documents are."""

    number: int  # in the store
    documents: int
    start: int  # the row of its first document among those of this process


class StoredDocuments:
    """A ``training.sources.Source`` of documents that are read shard by shard.

    Parameters
    ----------
    read
        The documents of a shard, on the CPU, by the shard's number.
    sizes
        How many documents each shard has.
    device
        Where batches go.
    world
        The processes that share the lanes.
    largest
        Non-zeros of the largest shard: of larger ones fewer are open at once.
    fingerprint
        Of the documents, by which a checkpoint knows them.

    Raises
    ------
    ConfigurationError
        When there are more processes than lanes.
    """

    fingerprint: str | None = None  # of what is read, where it is known

    def __init__(
        self,
        read: Callable[[int], Documents],
        sizes: Sequence[int],
        device: torch.device,
        world: World = ALONE,
        largest: int = 0,
        fingerprint: str | None = None,
    ) -> None:
        self.read, self.device, self.fingerprint = read, device, fingerprint
        self.everywhere = int(sum(sizes))  # documents of all processes
        most = max(FEWEST, min(LANES, OPEN // max(1, ENTRY * largest)))
        dealt = lanes(sizes, max(most, world.size))
        if world.size > len(dealt):
            raise ConfigurationError(
                f"{world.size} processes cannot share {len(sizes)} shards of "
                f"{self.everywhere} documents: they make {len(dealt)} even parts; use at most "
                f"{len(dealt)} processes, or prepare the store with smaller shards"
            )
        self.lanes: list[list[Shard]] = []
        self.total = 0
        self.shortest = min(sum(sizes[number] for number in lane) for lane in dealt)
        for lane in dealt[world.rank :: world.size]:
            self.lanes.append([])
            for number in lane:
                self.lanes[-1].append(Shard(number, sizes[number], self.total))
                self.total += sizes[number]

    def passes(self, size: int, seed: int, memory: Memory | None = None) -> StoredPasses:
        """Shuffled passes; ``size`` documents a step, those of all processes together."""
        return StoredPasses(self, size, seed, memory)

    def first(self, count: int) -> Documents:
        """At most so many documents, rows 0 and on, in memory."""
        parts, wanted = [], count
        for shard in (shard for lane in self.lanes for shard in lane):
            if wanted <= 0:
                break
            parts.append(self.read(shard.number).first(wanted))
            wanted -= parts[-1].total
        return moved(joined(parts), self.device)


class StoredPasses:
    """The passes of :class:`StoredDocuments`; the n-th is the same for the same seed."""

    def __init__(
        self, documents: StoredDocuments, size: int, seed: int, memory: Memory | None
    ) -> None:
        self.documents, self.seed, self.memory = documents, seed, memory
        steps = min(round(documents.everywhere / size), documents.shortest)
        self.steps = max(1, steps)
        self.number = 0

    def __len__(self) -> int:
        return self.steps

    def skip(self) -> None:
        """Leave the next pass out."""
        self.number += 1

    def after(self, steps: int) -> Iterator[Batch]:
        """The next pass, without its first ``steps`` batches."""
        self.skip()
        return ahead(self._batches(self.number, steps), AHEAD)

    def _batches(self, number: int, steps: int) -> Iterator[Batch]:
        streams = [
            _Lane(lane, self.documents.read, (self.seed, number), self.steps)
            for lane in self.documents.lanes
        ]
        for step in range(steps, self.steps):
            rows, parts = zip(*(stream.take(step) for stream in streams), strict=True)
            together = moved(
                joined([part for lane in parts for part in lane]), self.documents.device
            )
            counts, labels, covariates, responses = together
            places = torch.from_numpy(np.concatenate(rows)).to(self.documents.device)
            yield Batch(counts, labels, covariates, places, self.memory, responses)


class _Lane:
    """The documents of one lane in the order of one pass."""

    def __init__(
        self,
        shards: Sequence[Shard],
        read: Callable[[int], Documents],
        seed: tuple[int, ...],
        steps: int,
    ) -> None:
        self.read, self.seed = read, seed
        order = np.random.default_rng([*seed, shards[0].number]).permutation(len(shards))
        self.shards = [shards[place] for place in order]
        self.starts = np.cumsum([0, *(shard.documents for shard in self.shards)])
        self.marks = self.starts[-1] * np.arange(steps + 1) // steps
        self.open: tuple[int, Documents, NDArray[np.int64]] | None = None

    def take(self, step: int) -> tuple[NDArray[np.int64], list[Documents]]:
        """The documents of a step, and their rows."""
        begin, end = int(self.marks[step]), int(self.marks[step + 1])
        rows, parts = [np.zeros(0, np.int64)], []
        while begin < end:
            place = int(np.searchsorted(self.starts, begin, "right")) - 1
            documents, order = self._opened(place)
            until = min(end, int(self.starts[place + 1]))
            chosen = order[begin - self.starts[place] : until - self.starts[place]]
            rows.append(self.shards[place].start + chosen)
            parts.append(documents.select(torch.from_numpy(chosen)))
            begin = until
        return np.concatenate(rows), parts

    def _opened(self, place: int) -> tuple[Documents, NDArray[np.int64]]:
        if self.open is None or self.open[0] != place:
            self.open = None  # the shard before goes before the next one comes
            shard = self.shards[place]
            draw = np.random.default_rng([*self.seed, shard.number, 1])
            self.open = place, self.read(shard.number), draw.permutation(shard.documents)
        return self.open[1], self.open[2]


def lanes(sizes: Sequence[int], most: int) -> list[list[int]]:
    """Numbers of the shards of each lane: as many lanes as are even, at most so many.

    >>> lanes([100, 100, 30], 16)
    [[0, 2], [1]]
    """
    large_first = sorted((n for n in range(len(sizes)) if sizes[n]), key=lambda n: (-sizes[n], n))
    for count in range(min(most, len(large_first)), 1, -1):
        loads, dealt = [0] * count, [[] for _ in range(count)]  # type: ignore[var-annotated]
        for number in large_first:
            least = loads.index(min(loads))
            loads[least] += sizes[number]
            dealt[least].append(number)
        if min(loads) >= EVEN * sum(loads) / count:
            return [sorted(lane) for lane in dealt]
    return [sorted(large_first)]


def joined(parts: Sequence[Documents]) -> Documents:
    """Documents one after the other."""
    if len(parts) == 1:
        return parts[0]
    each = [part.counts for part in parts]
    lengths = torch.cat([counts.offsets.diff() for counts in each])
    offsets = torch.zeros(len(lengths) + 1, dtype=torch.int32)
    torch.cumsum(lengths, 0, out=offsets[1:])
    counts = Counts(
        torch.cat([counts.indices for counts in each]),
        offsets,
        torch.cat([counts.values for counts in each]),
        each[0].words,
    )

    def known(name: str) -> Tensor | None:
        found = [getattr(part, name) for part in parts]
        return None if found[0] is None else torch.cat(found)

    return Documents(counts, known("labels"), known("covariates"), known("responses"))


def moved(documents: Documents, device: torch.device) -> Documents:
    """The same documents on a device; a copy to a GPU goes on while others are trained on."""
    if device.type == "cpu":
        return documents
    counts = documents.counts

    def there(part: Tensor | None) -> Tensor | None:
        if part is None:
            return None
        pinned = part.pin_memory() if device.type == "cuda" else part
        return pinned.to(device, non_blocking=True)

    parts = (there(counts.indices), there(counts.offsets), there(counts.values))
    return Documents(Counts(*parts, counts.words), *map(there, documents[1:]))  # type: ignore[arg-type]


def ahead(batches: Iterator[Batch], depth: int) -> Iterator[Batch]:
    """The same batches, made by a thread that is at most ``depth`` of them ahead."""
    waiting: queue.Queue[Batch | BaseException | None] = queue.Queue(depth)
    over = threading.Event()

    def put(what: Batch | BaseException | None) -> bool:
        while not over.is_set():
            try:
                waiting.put(what, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        try:
            for batch in batches:
                if not put(batch):
                    return
            put(None)
        except BaseException as error:  # the one who waits for batches is told
            put(error)

    thread = threading.Thread(target=work, name="topicfactors-reader", daemon=True)
    thread.start()
    try:
        while (found := waiting.get()) is not None:
            if isinstance(found, BaseException):
                raise found
            yield found
    finally:
        over.set()
        thread.join()
