"""Ray: the machines of a cluster, or processes of this one, and tasks that they do."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from topicfactors.errors import ConfigurationError

Result = TypeVar("Result")

ADDRESS = "RAY_ADDRESS"  # where a cluster is, in the environment
AHEAD = 8  # tasks a processor that are begun before the first of them is asked for
SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is told to anyone
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_worker_niceness": "0",  # they would wait for whatever else runs here
}


def ray_itself() -> Any:
    """The library.

    Raises
    ------
    ConfigurationError
        When it is not installed.
    """
    try:
        import ray
    except ImportError as error:
        raise ConfigurationError(
            'the engine ray needs Ray, which is not installed: pip install "topicfactors'
            '[distributed]"; or leave the engine out'
        ) from error
    return ray


@contextlib.contextmanager
def connected(processes: int | None = None) -> Iterator[Any]:
    """Ray while it lasts: the cluster at RAY_ADDRESS, or one that is started here and ended after.

    Parameters
    ----------
    processes
        How many there must be room for, where it is started here; None for one a core.

    Raises
    ------
    ConfigurationError
        When Ray is not installed, or cannot be reached or started.
    """
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    ray = ray_itself()
    address = os.environ.get(ADDRESS)
    settings: dict[str, Any] = {"address": address}
    if not address:
        room = max(processes or 1, len(os.sched_getaffinity(0)))
        settings = {"address": "local", "num_cpus": room, "include_dashboard": False}
    heard = _signals()
    try:
        ray.init(log_to_driver=False, logging_level=logging.CRITICAL, **settings)
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        where = f"at {ADDRESS}={address} cannot be reached" if address else "cannot be started here"
        raise ConfigurationError(
            f"Ray {where}: {reason}; see that a cluster runs there, or unset {ADDRESS} to start "
            "one on this machine"
        ) from error
    for number, handler in heard.items():
        signal.signal(number, handler)  # Ray has put its own there
    try:
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):  # it prints
            yield ray
    finally:
        ray.shutdown()


def _signals() -> dict[int, Any]:
    """What SIGINT and SIGTERM do, where that can be said."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    found = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    return {number: handler for number, handler in found.items() if handler is not None}


def in_order(
    work: Callable[..., Result], tasks: Iterable[tuple[Any, ...]], processes: int
) -> Iterator[Result]:
    """What a function makes of each task on Ray's machines, in the order of the tasks.

    As ``corpus.abreast.in_order`` does it on this one. A task whose process dies is done again.

    Parameters
    ----------
    work
        A function of a module.
    tasks
        Its arguments; read once, by this process. Files among them are on shared storage.
    processes
        How many tasks are done at a time; 1 works in this process, task by task.
    """
    if processes == 1:
        for task in tasks:
            yield work(*task)
        return
    ray = ray_itself()
    remote = ray.remote(work).options(num_cpus=1, max_retries=3)
    queue, begun, mishap = iter(tasks), deque[Any](), None
    while True:
        while mishap is None and len(begun) < AHEAD * processes:
            try:
                begun.append(remote.remote(*next(queue)))
            except StopIteration:
                break
            except Exception as error:  # told when its turn comes
                mishap = error
        if not begun:
            break
        yield _got(ray, begun.popleft())
    if mishap is not None:
        raise mishap


def processors(ray: Any) -> int:
    """How many tasks the cluster can do at a time."""
    return max(1, int(ray.cluster_resources().get("CPU", 1)))


def _got(ray: Any, reference: Any) -> Any:
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        raise (error.cause if isinstance(error.cause, Exception) else error) from None
