"""A training in several processes that Ray starts, and starts again when one of them dies."""

from __future__ import annotations

import contextlib
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, TextIO

from topicfactors.engines.ray import connected
from topicfactors.engines.relay import PAUSE, Member, Relay, Voice
from topicfactors.errors import ConfigurationError, FitError, TopicFactorsError
from topicfactors.training.distributed import PATIENCE, PartedError

RETRIES = 3  # new beginnings of the processes, when one of them dies
Work = Callable[[Member], int]
"""What each process does; its exit status. It can be sent to another machine by name."""


def train(work: Work, processes: int, shared: Path, *, cores: int = 1, device: str = "auto") -> int:
    """Have a work done by several processes that ``torch.distributed`` has brought together.

    What the first of them prints is printed here. When one dies, all begin anew, at most three
    times; :attr:`Member.restarted` says so. Ctrl-C asks them to save and leave; a second one
    leaves.

    Parameters
    ----------
    work
        Told which process it is.
    processes
        How many.
    shared
        A folder that all machines can write to.
    cores
        Processors each process is given.
    device
        ``cuda``: each has a GPU; ``auto``: if the cluster has as many.

    Returns
    -------
    int
        The exit status of the first process.

    Raises
    ------
    ConfigurationError
        When Ray is not installed, cannot be started, or has not as many processors or GPUs.
    FitError
        When a process has died too often.
    """
    out = sys.stdout
    with connected(processes * cores) as ray:
        gpus = _gpus(ray, processes, cores, device)
        relay = ray.remote(num_cpus=0)(Relay).remote()
        with _aside(shared) as folder:
            trainer = _trainer(work, relay, processes, cores, gpus, folder)
            return _awaited(ray, relay, trainer, out)


def _gpus(ray: Any, processes: int, cores: int, device: str) -> bool:
    """Does each process get a GPU? Refuses more than there is, for which Ray would wait."""
    there = ray.cluster_resources()
    gpus = int(there.get("GPU", 0))
    wanted = device.startswith("cuda") or (device == "auto" and gpus >= processes)
    if wanted and gpus < processes:
        raise ConfigurationError(
            f"{processes} workers need a GPU each, and Ray has {gpus}; use --device cpu, or fewer "
            "workers"
        )
    if int(there.get("CPU", 0)) < processes * cores:
        raise ConfigurationError(
            f"{processes} workers of {cores} threads need {processes * cores} processors, and Ray "
            f"has {int(there.get('CPU', 0))}; use fewer workers or --threads"
        )
    return wanted


@contextlib.contextmanager
def _aside(shared: Path) -> Iterator[Path]:
    """A folder for what Ray notes of a training, on the storage that the run is on."""
    shared.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".ray-", dir=shared, ignore_cleanup_errors=True) as at:
        yield Path(at).resolve()


def _trainer(work: Work, relay: Any, processes: int, cores: int, gpus: bool, folder: Path) -> Any:
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchConfig, TorchTrainer

    each = {"CPU": cores, **({"GPU": 1} if gpus else {})}
    backend = "nccl" if gpus else "gloo"
    return TorchTrainer(
        _member,
        train_loop_config={"work": work, "relay": relay},
        torch_config=TorchConfig(backend, timeout_s=int(PATIENCE / timedelta(seconds=1))),
        scaling_config=ScalingConfig(
            num_workers=processes, use_gpu=gpus, resources_per_worker=each
        ),
        run_config=RunConfig(
            name="fit", storage_path=str(folder), failure_config=FailureConfig(max_failures=RETRIES)
        ),
    )


def _member(given: dict[str, Any]) -> None:
    """What each process does."""
    import ray.train

    relay, rank = given["relay"], ray.train.get_context().get_world_rank()
    before = ray.get(relay.begin.remote(rank))
    if ray.get(relay.outcome.remote())[1] is not None:
        return  # a mistake would only be made again
    member = Member(relay, rank == 0, before > 0, ray.get)
    with contextlib.ExitStack() as stack:
        if member.first:
            out, err = (stack.enter_context(Voice(relay, name)) for name in ("stdout", "stderr"))
            stack.enter_context(contextlib.redirect_stdout(out))
            stack.enter_context(contextlib.redirect_stderr(err))
        try:
            status = given["work"](member)
        except PartedError:
            raise
        except TopicFactorsError as mistake:
            ray.get(relay.fail.remote(mistake))
            raise
        if member.first:
            ray.get(relay.end.remote(status))


def _awaited(ray: Any, relay: Any, trainer: Any, out: TextIO) -> int:
    """Print what is told until the training is over; its exit status."""
    failures: list[BaseException] = []
    over = threading.Event()  # a join that is interrupted takes the thread for ended

    def run() -> None:
        try:
            trainer.fit()
        except BaseException as error:
            failures.append(error)
        finally:
            over.set()

    threading.Thread(target=run, name="topicfactors-ray", daemon=True).start()
    asked = False
    while True:
        try:
            ended = over.wait(PAUSE)
            _print(ray.get(relay.heard.remote()), out)
            if ended:
                break
        except KeyboardInterrupt as interruption:
            if asked:
                raise
            asked = True
            ray.get(relay.ask.remote(type(interruption).__name__))
    _print(ray.get(relay.heard.remote()), out)
    status, mistake = ray.get(relay.outcome.remote())
    if mistake is not None:
        raise mistake
    if status is None:
        raise FitError(_told(failures))
    return int(status)


def _print(said: list[tuple[str, str]], out: TextIO) -> None:
    for stream, text in said:
        where = out if stream == "stdout" else sys.stderr
        where.write(text)
        where.flush()


def _told(failures: list[BaseException]) -> str:
    """Why there is no result, in one line."""
    last = failures[-1] if failures else None
    workers = getattr(last, "worker_failures", None) or {}
    for rank, error in sorted(workers.items()):
        reason = " ".join(str(error).split())[-300:]
        return (
            f"the workers failed {RETRIES + 1} times, and are not started again; worker {rank}: "
            f"{reason}"
        )
    return f"Ray could not train: {' '.join(str(last).split())[-300:]}"


__all__ = ["RETRIES", "Member", "Work", "train"]
