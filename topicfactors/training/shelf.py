"""The folder of checkpoints: which of which training there are, in which order, and which go."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import torch

from topicfactors.errors import StorageError
from topicfactors.files import refuse_unwritable
from topicfactors.training.snapshots import read_facts

OURS = re.compile(
    r"\.?training-\d{3,}-epoch-\d{6,}-step-\d{9,}(-process-\d+)?\.(json|safetensors).*"
)
TOLD = 16  # last checkpoints of which a process tells the others
SUFFIXES = (".json", ".safetensors")  # in the order they go: without the JSON there is none


class Place(NamedTuple):
    """Where a checkpoint stands; in the order of time."""

    training: int  # from 1, of those that a fit makes
    epoch: int  # that comes, or is amid
    step: int  # made of it
    process: int | None = None  # where there are several

    @property
    def name(self) -> str:
        """Of its files, without a suffix."""
        beside = "" if self.process is None else f"-process-{self.process}"
        return f"training-{self.training:03d}-epoch-{self.epoch:06d}-step-{self.step:09d}{beside}"


def place_of(trainer: Any, training: int) -> Place:
    """Where a trainer stands."""
    state, world = trainer.state, trainer.world
    return Place(training, state.number, state.steps, world.rank if world.size > 1 else None)


class Shelf:
    """A folder of checkpoints.

    Parameters
    ----------
    folder
        It may hold other things, which are left alone.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def refuse(self) -> None:
        """Refuse a folder that cannot be written to.

        Raises
        ------
        StorageError
            With the cure.
        """
        refuse_unwritable(self.folder / "training")

    def path(self, place: Place) -> Path:
        """Its files, without a suffix."""
        return self.folder / place.name

    def places(self, training: int | None = None, process: int | None = None) -> list[Place]:
        """The checkpoints that are there, oldest first; those of one training and process."""
        there = (path.name for path in self.folder.glob("training-*.json"))
        found = [_place(name) for name in there if OURS.fullmatch(name)]
        if training is not None:
            found = [place for place in found if place[::3] == (training, process)]
        return sorted(found, key=lambda place: place[:3])

    def shared(self, trainer: Any, training: int) -> list[Place]:
        """Those of a training that each of its processes has, oldest first."""
        world = trainer.world
        places = self.places(training, place_of(trainer, training).process)
        if world.size == 1:
            return places
        last = places[-TOLD:]
        told = torch.zeros(world.size, TOLD, 2, dtype=torch.int64, device=trainer.step.device)
        for column, place in enumerate(last):
            told[world.rank, column] = torch.tensor(place[1:3])
        each = [{tuple(pair) for pair in row} for row in world.total(told).tolist()]
        return [place for place in last if all(place[1:3] in there for there in each)]

    def facts(self) -> dict[str, Any] | None:
        """What the last checkpoint that can be read was made of."""
        for place in reversed(self.places()):
            try:
                return read_facts(self.path(place))
            except StorageError:
                continue  # told when it is needed
        return None

    def keep(self, places: list[Place], last: int) -> None:
        """Delete all but the last few of some, oldest first."""
        for place in places[:-last]:
            self.delete(place)

    def delete(self, place: Place) -> None:
        """Delete one."""
        for suffix in SUFFIXES:
            (self.folder / f"{place.name}{suffix}").unlink(missing_ok=True)

    def clear(self) -> None:
        """Delete all, and what was left of one that was never whole."""
        if self.folder.is_dir():
            ours = [path for path in self.folder.iterdir() if OURS.fullmatch(path.name)]
            for path in sorted(ours, key=lambda path: path.suffix != SUFFIXES[0]):
                path.unlink(missing_ok=True)


def _place(name: str) -> Place:
    parts = name.partition(".")[0].split("-")
    process = int(parts[7]) if len(parts) > 6 else None
    return Place(int(parts[1]), int(parts[3]), int(parts[5]), process)
