"""``topicfactors export``: the tables of a run in other formats, lengths and rankings."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from topicfactors.cli.console import note
from topicfactors.cli.options import Force, Quiet, Ranking, Run, Words

MARK = "factors.json"  # by which an export is known


def export(
    run: Run,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make.")],
    words: Words = 10,
    ranking: Ranking = "coherent",
    style: Annotated[
        str, typer.Option("--format", help="Of the tables: csv, json, jsonl, parquet or md.")
    ] = "csv",
    posteriors: Annotated[
        bool, typer.Option(help="Whether to write the documents' posteriors as well.")
    ] = True,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Export the factors, their words and the documents' posteriors of a run.

    Writes factors, top_words and posteriors in the format, factors.json and the model card; of a
    classifier classes too.

    Example: topicfactors export run tables -n 25 --format parquet
    """
    from topicfactors.cli.readings import listed_of, model_of
    from topicfactors.cli.runs import posteriors_in, rows_in, write_factors
    from topicfactors.errors import unknown_name
    from topicfactors.export.factors import PLURALS
    from topicfactors.export.tables import EXPORTERS, export_table
    from topicfactors.files import refuse_existing, refuse_source, whole_folder
    from topicfactors.storage import load

    if f".{style}" not in EXPORTERS:
        raise unknown_name("--format", style, [suffix[1:] for suffix in EXPORTERS])
    refuse_source(folder, run)
    refuse_existing(folder, force, MARK)
    model = model_of(load(run))
    rows = rows_in(run, model, ranking, words)
    table = posteriors_in(run) if posteriors else None
    with whole_folder(folder, overwrite=force, mark=MARK) as temporary:
        write_factors(temporary, model, rows, ranking=ranking, words=words, suffix=f".{style}")
        if table is not None:
            export_table(table, temporary / f"posteriors.{style}")
        if (run / "model_card.md").is_file():
            shutil.copyfile(run / "model_card.md", temporary / "model_card.md")
    what = PLURALS[listed_of(model)]
    note(f"written to {folder}: {len(rows)} {what}, {words} words each", quiet=quiet)
    if table is None and posteriors:
        note(f"note: {run} has no posteriors.csv, so none were exported", quiet=quiet)
