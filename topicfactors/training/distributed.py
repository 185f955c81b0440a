"""One training in several processes: who this one is, and sums over all of them.

``torchrun`` starts the processes and says in their environment who they are; :func:`joined` lets
them find each other. Whoever else has set up ``torch.distributed`` (Ray does) is served too.
"""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import NamedTuple

import torch
from torch import Tensor

from topicfactors.errors import ConfigurationError

TOLD = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")  # by torchrun
PATIENCE = timedelta(minutes=30)  # for the slowest of the others


class World(NamedTuple):
    """The processes of a training; by default this one alone.

    >>> World().first, World(rank=1, size=2).first
    (True, False)
    """

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Is this the process that speaks and writes?"""
        return self.rank == 0

    def total(self, numbers: Tensor) -> Tensor:
        """The sum of every process's numbers, the same in all of them."""
        if self.size > 1:
            numbers = numbers.clone()
            torch.distributed.all_reduce(numbers)
        return numbers

    def wait(self) -> None:
        """Go on when all have come so far."""
        if self.size > 1:
            torch.distributed.barrier()


ALONE = World()


def current() -> World:
    """The processes that ``torch.distributed`` has brought together; this one alone if none."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return World(torch.distributed.get_rank(), torch.distributed.get_world_size())
    return ALONE


def present() -> World:
    """As others have brought this process together with more, else as ``torchrun`` told it."""
    found = current()
    return found if found.size > 1 else launched()


def launched(environment: Mapping[str, str] = os.environ) -> World:
    """Who this process is by what ``torchrun`` told it, before the others are found.

    Raises
    ------
    ConfigurationError
        When a part of what ``torchrun`` tells is missing, or is no number.

    Examples
    --------
    >>> launched({}), launched(dict(RANK="1", WORLD_SIZE="2", MASTER_ADDR="a", MASTER_PORT="1"))
    (World(rank=0, size=1), World(rank=1, size=2))
    """
    if "RANK" not in environment or "WORLD_SIZE" not in environment:
        return ALONE
    missing = [name for name in TOLD if name not in environment]
    try:
        world = World(int(environment["RANK"]), int(environment["WORLD_SIZE"]))
    except ValueError:
        missing = list(TOLD[:2])
        world = ALONE
    if world.size > 1 and missing:
        raise ConfigurationError(
            f"RANK and WORLD_SIZE say that this is one process of several, but "
            f"{' and '.join(missing)} are not told, or are no numbers; start them with torchrun, "
            "or unset RANK and WORLD_SIZE"
        )
    return world


def cores_here(environment: Mapping[str, str] = os.environ) -> int:
    """A share of the cores of this machine, for each process of the training that is on it."""
    told = environment.get("LOCAL_WORLD_SIZE", "1")
    beside = int(told) if told.isdecimal() else 1
    return max(1, (os.cpu_count() or 1) // max(1, beside))


@contextlib.contextmanager
def joined(device: torch.device) -> Iterator[World]:
    """The processes that ``torchrun`` started, found by each other (gloo, nccl on GPUs).

    Those that have found each other already stay together.

    Raises
    ------
    ConfigurationError
        When they cannot be found.
    """
    world = present()
    if world.size == 1 or torch.distributed.is_initialized():
        yield world
        return
    if device.type == "cuda":
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)))
    backend = "nccl" if device.type == "cuda" else "gloo"
    try:
        torch.distributed.init_process_group(backend, timeout=PATIENCE)
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ConfigurationError(
            f"process {world.rank} of {world.size} could not find the others: {reason}; see that "
            "all run, and that MASTER_ADDR and MASTER_PORT can be reached"
        ) from error
    try:
        yield world
        world.wait()  # who leaves first would take the meeting place with it
    finally:
        gc.collect()  # what is left of a training holds threads that must end before the process
        torch.distributed.destroy_process_group()
