"""``topicfactors transform``: posteriors of documents, streamed."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from typing import Annotated

import typer

from topicfactors.cli.console import note, notes_for_warnings
from topicfactors.cli.options import (
    Device,
    Documents,
    Force,
    IdColumn,
    Quiet,
    Refine,
    Run,
    Strict,
    TextColumn,
    Threads,
    number_or_auto,
)


def transform(
    run: Run,
    documents: Documents,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help=".csv, .jsonl, .json, .parquet or .md (default: stdout)."
        ),
    ] = None,
    refine: Refine = "auto",
    text_column: TextColumn = None,
    id_column: IdColumn = None,
    strict: Strict = False,
    device: Device = "auto",
    threads: Threads = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Write P(factor on | document) for every document, a row each, in their order.

    A run that was fitted with --response has the expected response in the last column.

    Example: topicfactors transform run new-documents/ -o posteriors.csv
    """
    from topicfactors.cli.opening import open_for
    from topicfactors.export.factors import posteriors_table
    from topicfactors.export.tables import check_suffix, export_table, write_csv
    from topicfactors.files import refuse_existing, refuse_source, refuse_unwritable

    if output is not None:
        check_suffix(output)
        refuse_existing(output, force)
        refuse_unwritable(output)
        refuse_source(output, Path(documents))
    inputs = open_for(
        run, documents, text_column, id_column, strict=strict, device=device, threads=threads
    )
    model = inputs.model
    rounds = number_or_auto(refine, int)
    model._rounds(rounds)  # refused before the documents are read
    with notes_for_warnings(quiet=True):
        blocks = inputs.blocks()
        begun = list(itertools.islice(blocks, 1))  # a mistake there leaves stdout empty
        found = (
            (ids, model._told(counts, refine=rounds))
            for ids, counts in itertools.chain(begun, blocks)
        )
        table = posteriors_table(found, model.factor_names_, responds=model._responds())
        if output is None:
            write_csv(table, sys.stdout)
        else:
            export_table(table, output)
    inputs.report(quiet)
    if output is not None:
        note(f"{inputs.read:,} documents written to {output}", quiet=quiet)
