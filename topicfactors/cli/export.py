"""``topicfactors export``: the tables of a run in other formats, lengths and rankings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from topicfactors.cli.console import note
from topicfactors.cli.options import Force, Quiet, Run, Words


def export(
    run: Run,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make.")],
    words: Words = 10,
    ranking: Annotated[
        str, typer.Option(help="exclusive, evidence, weight, probability or lift.")
    ] = "exclusive",
    posteriors: Annotated[
        str, typer.Option(help="Format of the posteriors: csv, jsonl, json, parquet or none.")
    ] = "csv",
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Export factors.csv, factors.json, top_words.csv and the posteriors of a run.

    Example: topicfactors export run tables -n 25 --posteriors parquet
    """
    from topicfactors.cli.runs import model_of, open_run, posteriors_in, rows_of, stored_coherence
    from topicfactors.cli.runs import write_factors as write
    from topicfactors.export.tables import check_suffix, export_table
    from topicfactors.files import refuse_existing, refuse_source, whole_folder

    if posteriors != "none":
        check_suffix(f"posteriors.{posteriors}")
    refuse_source(folder, run)
    refuse_existing(folder, force, mark="factors.csv")
    model = model_of(open_run(run))
    as_fitted = (words, ranking) == (10, "exclusive")
    stored = stored_coherence(run, len(model.status_)) if as_fitted else None
    rows = rows_of(model, ranking=ranking, words=words, coherence=stored)
    table = posteriors_in(run) if posteriors != "none" else None
    with whole_folder(folder, overwrite=force, mark="factors.csv") as temporary:
        write(temporary, model, rows, ranking=ranking, words=words)
        if table is not None:
            export_table(table, temporary / f"posteriors.{posteriors}")
    note(f"written to {folder}: {len(rows)} factors, {words} words each", quiet=quiet)
    if table is None and posteriors != "none":
        note(f"note: {run} has no posteriors.csv, so none were exported", quiet=quiet)
