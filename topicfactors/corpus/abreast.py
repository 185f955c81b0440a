"""Work that processes do while this one reads on; what comes of it arrives in its order."""

from __future__ import annotations

import functools
import gc
import itertools
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

Result = TypeVar("Result")
InOrder = Callable[[Callable[..., Any], Iterable[tuple[Any, ...]], int], Iterator[Any]]
"""What does tasks as :func:`in_order` does."""

WORKER = "LokyProcess"  # what joblib calls its processes
AHEAD = 8  # tasks a process, in each of two windows


def in_order(
    work: Callable[..., Result], tasks: Iterable[tuple[Any, ...]], n_jobs: int
) -> Iterator[Result]:
    """What a function makes of each task, in their order, holding two windows of tasks at a time.

    While processes work on one window, the next is read. What goes wrong when tasks are read is
    raised after what came before has been passed on.

    Parameters
    ----------
    work
        A function of a module.
    tasks
        Its arguments; read once, by this process.
    n_jobs
        Processes; 1 works in this one, task by task.
    """
    if n_jobs == 1:
        for task in tasks:
            yield work(*task)
        return
    from joblib import Parallel, delayed

    queue, mishap = iter(tasks), None

    def window() -> list[tuple[Any, ...]]:
        nonlocal mishap
        read: list[tuple[Any, ...]] = []
        try:
            read.extend(itertools.islice(queue, AHEAD * n_jobs))
        except Exception as error:  # told when its turn comes
            mishap = error
        return read

    with Parallel(n_jobs=n_jobs) as parallel, ThreadPoolExecutor(1) as thread:

        def begun(read: list[tuple[Any, ...]]) -> Future[list[Result]]:
            return thread.submit(parallel, [delayed(_settled)(work, task) for task in read])

        running, read = begun(window()), window()
        while read:
            done = running.result()
            running, read = begun(read), window()
            yield from done
        yield from running.result()
    if mishap is not None:
        raise mishap


def _settled(work: Callable[..., Result], task: tuple[Any, ...]) -> Result:
    """What a function makes of a task, in a worker."""
    _leave_with_parent()
    made = work(*task)
    _freeze()
    return made


@functools.cache
def _leave_with_parent() -> None:
    """End a worker whose parent was killed; it may wait for ever to hand over what it has made."""
    if multiprocessing.current_process().name.startswith(WORKER):
        threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


@functools.cache
def _freeze() -> None:
    """Spare the collector what a first task has loaded: joblib has it look at all, every second."""
    gc.freeze()
