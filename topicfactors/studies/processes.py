"""Jobs of a comparison, each in a process of its own, one after the other or some at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from topicfactors.peers.shelf import Shelf

MODULE = "topicfactors.peers.contest"
THREADS = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"),
    *("NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"),
)


class Processes:
    """Jobs run on one corpus.

    Parameters
    ----------
    shelf
        The corpus.
    threads
        Of each process.
    at_once
        Processes.
    """

    def __init__(self, shelf: Shelf, threads: int, at_once: int) -> None:
        self.shelf, self.threads, self.at_once = shelf, threads, at_once
        self.running: list[subprocess.Popen[bytes]] = []
        self.ended = False

    def results(self, jobs: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, dict[str, Any]]]:
        """The number of each job and what came of it, as soon as it is there.

        What still runs is ended when nobody wants the rest.
        """
        with tempfile.TemporaryDirectory(prefix="topicfactors-") as name:
            folder = Path(name)
            self.shelf.write(folder)
            with ThreadPoolExecutor(self.at_once) as pool:
                numbers = {
                    pool.submit(self._result, folder, number, job): number
                    for number, job in enumerate(jobs)
                }
                try:
                    for future in as_completed(numbers):
                        yield numbers[future], future.result()
                finally:
                    self.ended = True
                    pool.shutdown(wait=False, cancel_futures=True)
                    for process in list(self.running):
                        process.kill()

    def _result(self, folder: Path, number: int, job: Mapping[str, Any]) -> dict[str, Any]:
        """Run one job; what went wrong is its remark."""
        asked, told = folder / f"job-{number}.json", folder / f"result-{number}.json"
        asked.write_text(json.dumps(dict(job)), encoding="utf-8")
        command = [sys.executable, "-P", "-W", "ignore", "-m", MODULE]
        with (folder / f"said-{number}.txt").open("w+b") as said:
            process = subprocess.Popen(  # noqa: S603 - our own module
                [*command, str(folder), str(asked), str(told)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                env=environment(self.threads),
            )
            self.running.append(process)
            if self.ended:
                process.kill()
            status = process.wait()
            self.running.remove(process)
            said.seek(0)
            lines = said.read().decode("utf-8", "replace").split("\n")
        if told.exists():
            found: dict[str, Any] = json.loads(told.read_text(encoding="utf-8"))
            return found
        return {"remark": reason(status, lines)}


def environment(threads: int) -> dict[str, str]:
    """That of a job: the modules that are found here are found there, and so many threads."""
    path = os.pathsep.join(dict.fromkeys(place or os.getcwd() for place in sys.path))
    return dict(os.environ) | {"PYTHONPATH": path} | dict.fromkeys(THREADS, str(threads))


def reason(status: int, lines: Sequence[str]) -> str:
    """Why a process left no result, from its exit status and what it said last.

    >>> reason(-11, [])
    'ended by SIGSEGV'
    >>> reason(-9, [])
    'ended by SIGKILL, perhaps for want of memory'
    """
    if status < 0:
        name = signal.Signals(-status).name
        return f"ended by {name}" + (", perhaps for want of memory" if name == "SIGKILL" else "")
    said = next((line.strip() for line in reversed(lines) if line.strip()), "nothing was said")
    return f"ended with status {status}: {said}"
