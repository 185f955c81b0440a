"""``--engine``: who does the work of ``fit`` and ``prepare``."""

from __future__ import annotations

import contextlib
import functools
import os
import socket
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from topicfactors.errors import InputError, StorageError, unknown_name

if TYPE_CHECKING:
    from topicfactors.cli.resuming import Asked
    from topicfactors.engines.relay import Member

LOCAL, RAY = "local", "ray"
ENGINES = (LOCAL, RAY)
MACHINES = "More than one machine"

EngineName = Annotated[
    str,
    typer.Option(
        "--engine",
        help="local (this process, or those that torchrun has started), or ray: processes of the "
        "cluster at RAY_ADDRESS, else of this machine; files are on storage that all share.",
        rich_help_panel=MACHINES,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Processes of --engine ray that train together on a store.",
        rich_help_panel=MACHINES,
    ),
]


class Told(NamedTuple):
    """What ``fit`` was told, as it is sent to other machines."""

    options: dict[str, Any]
    typed: Collection[str]
    quiet: bool
    as_json: bool
    report: bool
    asked: Asked


def refuse_engine(engine: str, workers: int | None = None) -> None:
    """Refuse an engine that there is not, and workers that it does not have.

    Raises
    ------
    ConfigurationError
        When there is no such engine.
    InputError
        When it goes not together with something else.
    """
    from topicfactors.training.distributed import launched

    if engine not in ENGINES:
        raise unknown_name("--engine", engine, ENGINES)
    if engine == LOCAL and workers is not None:
        raise InputError(
            "--workers are of --engine ray; add it, leave them out, or start several processes "
            f"with torchrun --no-python --nproc-per-node={workers} topicfactors fit STORE"
        )
    if engine == RAY and launched().size > 1:
        raise InputError(
            f"torchrun has started {launched().size} processes already; leave --engine ray out, or "
            "start it without torchrun"
        )


def fit_with_ray(told: Told, output: Path | None, workers: int | None) -> None:
    """``fit`` in several processes, each of which does what one of ``torchrun`` does.

    Raises
    ------
    InputError
        When the corpus is no store, or nobody said how many processes.
    """
    from topicfactors.cli.fitting import Fit
    from topicfactors.engines.ray import ray_itself
    from topicfactors.engines.training import train

    corpus, threads = told.options["corpus"], told.options["threads"]
    if workers is None:
        raise InputError("--engine ray: in how many processes? say --workers N")
    fit = Fit(told.options, told.typed, True, False)
    folder, _ = fit.check(output, told.asked)
    if fit.shown is None or not fit.shown.streamed:
        raise InputError(
            f"{corpus}: workers share the shards of a store, for a model of factors; make one with "
            f"topicfactors prepare {corpus} STORE, or leave --engine ray out"
        )
    ray_itself()
    work = functools.partial(_fitting, told, folder, os.getcwd())
    status = train(work, workers, folder.parent, cores=threads or 1, device=told.options["device"])
    if status:
        raise typer.Exit(status)


def _fitting(told: Told, folder: Path, place: str, member: Member) -> int:
    """What one of the processes does; its exit status."""
    from topicfactors.cli.console import describe, exit_status, note
    from topicfactors.cli.fitting import Fit

    try:
        with contextlib.chdir(place):
            fit = Fit(told.options, told.typed, told.quiet, told.as_json, told.report)
            if member.first:
                member.listen(fit.stop)
            if member.restarted:
                note("a process was lost; all of them begin again", quiet=fit.quiet)
            fit.run(folder, told.asked._replace(resume=told.asked.resume or member.restarted))
    except FileNotFoundError as error:
        if error.filename != place:
            raise
        raise StorageError(
            f"{place} is not on {socket.gethostname()}: start the fit in a folder of storage that "
            "all machines of the cluster share, with the store and the run in it"
        ) from error
    except typer.Exit as leaving:
        return leaving.exit_code
    except KeyboardInterrupt as interruption:
        note(f"topicfactors: {describe(interruption)}", quiet=not member.first)
        return exit_status(interruption)
    return 0


@contextlib.contextmanager
def abreast(engine: str, processes: int | None) -> Iterator[tuple[Callable[..., Any], int | None]]:
    """How tasks are done while it lasts, and how many at a time."""
    from topicfactors.corpus import abreast as here

    if engine == LOCAL:
        yield here.in_order, processes
        return
    from topicfactors.engines import ray

    with ray.connected(processes) as cluster:
        yield ray.in_order, processes or ray.processors(cluster)
