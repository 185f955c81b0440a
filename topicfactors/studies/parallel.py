"""Fits side by side: in this process one after the other, or in several processes."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from topicfactors.errors import ConfigurationError, FitWarning
from topicfactors.values import is_whole


def processes(n_jobs: int | None) -> int:
    """How many processes are meant: None for this one, -1 for one a core.

    Raises
    ------
    ConfigurationError
        When it is no number of processes.
    """
    if n_jobs is None:
        return 1
    if not is_whole(n_jobs) or n_jobs == 0:
        raise ConfigurationError(
            f"n_jobs must be None, a number of processes, or -1 for one a core, got {n_jobs!r}"
        )
    from joblib import effective_n_jobs

    return int(effective_n_jobs(n_jobs))


def outcomes(
    work: Callable[..., Any], tasks: Iterable[tuple[Any, ...]], n_jobs: int | None
) -> Iterator[Any]:
    """What each task comes to, as soon as it is known: in order in one process, else in any.

    Processes and not threads, since the random numbers of torch belong to a whole process.
    """
    count = processes(n_jobs)
    if count == 1:
        for task in tasks:
            yield work(*task)
        return
    from joblib import Parallel, delayed

    # Counts that are mapped must be the worker's own to write to, as torch warns otherwise.
    parallel = Parallel(n_jobs=count, return_as="generator_unordered", mmap_mode="c")
    yield from parallel(delayed(work)(*task) for task in tasks)


@contextlib.contextmanager
def heard() -> Iterator[list[str]]:
    """What :class:`FitWarning` says inside, for a process whose warnings nobody would see."""
    messages: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", FitWarning)
        yield messages
    messages += dict.fromkeys(str(each.message) for each in caught)


def pass_on(messages: Iterable[str]) -> None:
    """Warn of what was heard, of each once."""
    for message in dict.fromkeys(messages):
        warnings.warn(message, FitWarning, stacklevel=3)
