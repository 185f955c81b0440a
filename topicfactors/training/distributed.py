"""One training in several processes: who this one is, and sums over all of them.

``torchrun`` starts the processes and says in their environment who they are; :func:`joined` lets
them find each other. Whoever else has set up ``torch.distributed`` (Ray does) is served too.
"""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

import torch
from torch import Tensor

from topicfactors.errors import ConfigurationError, FitError

TOLD = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")  # by torchrun
PATIENCE = timedelta(minutes=30)  # for the slowest of the others


OF_EACH_START = "TORCH_DISABLE_SHARE_RDZV_TCP_STORE"  # pytorch/pytorch#135712
PARTED = (
    *("Connection reset", "Connection closed", "Broken pipe", "Socket closed"),
    *("Timed out waiting", "NCCL"),
)  # what torch says where another process is gone


class PartedError(FitError):
    """Another process of the training is gone: nothing that this one could mend."""


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

    def any(self, said: Sequence[bool], device: torch.device) -> list[bool]:
        """Which of some things any of the processes says."""
        if self.size == 1:
            return list(said)
        return (self.total(torch.tensor(said, dtype=torch.float32, device=device)) > 0).tolist()

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
        missing, world = list(TOLD[:2]), World(size=2)
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
    PartedError
        When one of them ends before the others.
    """
    world = present()
    if world.size == 1 or torch.distributed.is_initialized():
        with _together(world):
            yield world
            world.wait()
        return
    if device.type == "cuda":
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)))
    backend = "nccl" if device.type == "cuda" else "gloo"
    try:
        torch.distributed.init_process_group(backend, timeout=PATIENCE)
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ConfigurationError(
            f"process {world.rank} of {world.size} could not find the others: {reason}; {_cure()}"
        ) from error
    try:
        with _together(world):
            yield world
            world.wait()  # who leaves first would take the meeting place with it
    finally:
        gc.collect()  # what is left of a training holds threads that must end before the process
        torch.distributed.destroy_process_group()


def _cure() -> str:
    if os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") != "0":
        return (
            f"start torchrun with {OF_EACH_START}=1, so that restarts meet in places of their own"
        )
    return "see that all run, and that MASTER_ADDR and MASTER_PORT can be reached"


@contextlib.contextmanager
def _together(world: World) -> Iterator[None]:
    """Say in one line that another process is gone."""
    try:
        yield
    except RuntimeError as error:
        if world.size == 1 or not any(mark in str(error) for mark in PARTED):
            raise
        raise PartedError(
            f"process {world.rank} of {world.size} lost the others, of which one has ended; see "
            "what it said, and start all of them again with --resume"
        ) from error
