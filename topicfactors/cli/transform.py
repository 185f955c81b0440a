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

    Of a mixture it is P(component | document), of a classifier P(class | document), and the best is
    told first. A run that was fitted with --response has the expected response in the last column.
    Where --refine asks for coordinate ascent, a line says by how much the bound rose.

    Example: topicfactors transform run new-documents/ -o posteriors.csv
    """
    from topicfactors.cli.gain import Gain
    from topicfactors.cli.opening import open_for
    from topicfactors.cli.readings import documents_table, noun_of, refuse_search, told
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
    refuse_search(model, rounds)  # before the documents are read; so are rounds that are none
    if rounds != "auto":
        model._rounds(rounds)
    gain = Gain(model, rounds, quiet)
    with notes_for_warnings(quiet=True):
        blocks = inputs.blocks()
        begun = list(itertools.islice(blocks, 1))  # a mistake there leaves stdout empty
        found = (
            (ids, told(model, gain.heard(counts), rounds))
            for ids, counts in itertools.chain(begun, blocks)
        )
        labels = inputs.labels if noun_of(model) == "class" else None
        table = documents_table(model, found, labels)
        if output is None:
            write_csv(table, sys.stdout)
        else:
            export_table(table, output)
    inputs.report(quiet)
    if output is not None:
        note(f"{inputs.read:,} documents written to {output}", quiet=quiet)
    gain.tell()
