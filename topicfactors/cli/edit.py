"""``topicfactors edit``: factors of a run merged, dropped and named, as a new run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from topicfactors.cli.options import (
    Device,
    Force,
    IdColumn,
    Json,
    Quiet,
    Run,
    TextColumn,
    Threads,
)

NewRun = Annotated[
    Path | None, typer.Option("--output", "-o", help="Folder of the new run; RUN stays as it is.")
]


def edit(
    run: Run,
    documents: Annotated[
        str | None,
        typer.Argument(
            metavar="DOCS",
            help="Documents that the tables are to be of (default: the corpus of the fit); not "
            "read for names alone.",
        ),
    ] = None,
    output: NewRun = None,
    drop: Annotated[
        list[str] | None,
        typer.Option(help="Number or name of a factor to drop, or several: 3,7; repeatable."),
    ] = None,
    merge: Annotated[
        list[str] | None,
        typer.Option(help="Factors to make one of, by number or name: 1,4; repeatable."),
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option(help="A name for a factor: 3='steam engines'; repeatable."),
    ] = None,
    names: Annotated[
        Path | None,
        typer.Option(help='Names in a file: .json {"3": "steam"}, or .csv with rows 3,steam.'),
    ] = None,
    text_column: TextColumn = None,
    id_column: IdColumn = None,
    device: Device = "auto",
    threads: Threads = None,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Merge, drop and name the factors (or components) of a run, and write a new run.

    All numbers and names are those of RUN. A merged factor is on where any of its group was, and is
    called by the name of any of them. Every table of the new run is of the edited model: posteriors
    and scores are computed anew from the documents. run.toml says what was done.

    Examples: topicfactors edit run -o better --drop 3 --merge 1,4 --name 1="steam engines";
    topicfactors edit run -o named --names names.csv
    """
    from topicfactors.cli.editing import Wishes, edited_run

    wishes = Wishes(drop or [], merge or [], name or [], names)
    columns = (text_column, id_column)
    edited_run(run, documents, output, wishes, columns, (device, threads), force, json, quiet)
