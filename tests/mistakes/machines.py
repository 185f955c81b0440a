"""Mistakes about several machines and processes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tests.mistakes.happening import Mistake


def _counted(place: Path) -> None:
    """A preparation: a store of two shards."""
    from topicfactors.corpus.store import prepare

    prepare(place / "counts.mtx", place / "store", shard_documents=10)


def _without_ray(patch: Any) -> None:
    patch.setitem(sys.modules, "ray", None)


def _told_by_torchrun(**told: str) -> Any:
    def patch(patching: Any) -> None:
        for name, value in told.items():
            patching.setenv(name, value)

    return patch


TORCHRUN = {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "localhost", "MASTER_PORT": "1"}
SECTION = "More than one machine"
MACHINES = [
    Mistake(SECTION, "An engine there is not", "topicfactors fit notes --engine rey", "'ray'"),
    Mistake(
        SECTION, "Workers of no engine", "topicfactors fit notes --workers 2", "of --engine ray"
    ),
    Mistake(
        SECTION,
        "Workers of no number",
        "topicfactors fit store --engine ray",
        "--workers N",
        prepare=_counted,
    ),
    Mistake(
        SECTION,
        "Workers that share a folder of texts",
        "topicfactors fit notes --engine ray --workers 2",
        "prepare notes STORE",
    ),
    Mistake(
        SECTION,
        "Ray that is not installed",
        "topicfactors fit store --engine ray --workers 2 -k 2",
        "[distributed]",
        prepare=_counted,
        patch=_without_ray,
    ),
    Mistake(
        SECTION,
        "Words counted where Ray is not installed",
        "topicfactors prepare notes store --engine ray",
        "[distributed]",
        patch=_without_ray,
    ),
    Mistake(
        SECTION,
        "Processes of torchrun that share a folder of texts",
        "topicfactors fit notes",
        "share the shards of a store",
        patch=_told_by_torchrun(**TORCHRUN),
    ),
    Mistake(
        SECTION,
        "Ray in processes of torchrun",
        "topicfactors fit store --engine ray --workers 2",
        "2 processes already",
        patch=_told_by_torchrun(**TORCHRUN),
    ),
    Mistake(
        SECTION,
        "A process that is not told who the others are",
        "topicfactors fit store",
        "MASTER_ADDR and MASTER_PORT",
        prepare=_counted,
        patch=_told_by_torchrun(RANK="0", WORLD_SIZE="2"),
    ),
]
