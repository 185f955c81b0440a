"""One fit of one model of a comparison, in a process of its own.

    python -m topicfactors.peers.contest FOLDER JOB RESULT

Nothing heavy is loaded before the model is, so that the memory that it takes is its own.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from topicfactors.peers import PEERS
from topicfactors.peers.base import Given, Learnt
from topicfactors.peers.ours import Ours, fit
from topicfactors.peers.shelf import Shelf

ENOUGH, LEAST, MOST = 1.0, 2, 5  # seconds, and times, that a transform is repeated


def main(folder: Path, job: dict[str, Any]) -> dict[str, Any]:
    """What was measured of a job, or the reason why nothing was."""
    shelf = Shelf.read(folder)
    given = Given(
        shelf.counts,
        shelf.words,
        shelf.order,
        shelf.texts,
        shelf.held_out,
        shelf.held_out_texts,
        job["topics"],
        job["seed"],
        job["threads"],
        job["device"],
    )
    idle = peak_memory()
    try:
        return measured(learner(job), given, shelf, idle)
    except Exception as error:
        return {"remark": " ".join(f"{type(error).__name__}: {error}".split())}


def learner(job: dict[str, Any]) -> Callable[[Given], Learnt]:
    """What fits the model of a job, with what it imports loaded."""
    if job["peer"] is None:
        ours = Ours(job["kind"], job["params"])
        importlib.import_module("topicfactors.estimators.mixture")
        return lambda given: fit(given, ours)
    peer = PEERS[job["peer"]]
    for name in peer.modules:
        importlib.import_module(name)
    return peer.fit


def measured(
    learn: Callable[[Given], Learnt], given: Given, shelf: Shelf, idle: float
) -> dict[str, Any]:
    """Topics, times, memory and completion of a fit."""
    began = time.perf_counter()
    learnt = learn(given)
    seconds = time.perf_counter() - began
    speed = given.held_out.shape[0] / usual_seconds(learnt.transform, given.held_out)
    memory = peak_memory() - idle
    completed = learnt.completion
    return {
        "topics": [list(map(int, columns)) for columns in learnt.topics],
        "fit_seconds": seconds,
        "documents_per_second": speed,
        "memory_mib": memory,
        "completion": None if completed is None else float(completed(shelf.seen, shelf.unseen)),
    }


def usual_seconds(transform: Callable[[Any], Any], counts: Any) -> float:
    """Of the quickest call of some: the first may compile, others may wait for the machine."""
    taken: list[float] = []
    while len(taken) < LEAST or (len(taken) < MOST and sum(taken) < ENOUGH):
        began = time.perf_counter()
        transform(counts)
        taken.append(time.perf_counter() - began)
    return max(min(taken), 1e-9)


def peak_memory() -> float:
    """The most that this process has held, in MiB.

    Linux counts what a parent held into ru_maxrss, so that its own count is asked first.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1024**2 if sys.platform == "darwin" else most / 1024


if __name__ == "__main__":
    place, job_file, result_file = map(Path, sys.argv[1:])
    found = main(place, json.loads(job_file.read_text(encoding="utf-8")))
    result_file.write_text(json.dumps(found), encoding="utf-8")
