"""``topicfactors transform``: posteriors of documents, streamed."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from topicfactors.cli.console import note, notes_for_warnings
from topicfactors.cli.options import (
    Force,
    IdColumn,
    Quiet,
    Run,
    TextColumn,
    Threads,
    number_or_auto,
)

BLOCK = 5000  # documents held at once


def transform(
    run: Run,
    documents: Annotated[
        str, typer.Argument(metavar="DOCS", help="Folder, file, '-' or sample, as for fit.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help=".csv, .jsonl, .json or .parquet (default: stdout)."),
    ] = None,
    refine: Annotated[
        str,
        typer.Option(help="Rounds of search a document; 0: the encoder's guess, fastest; or auto."),
    ] = "auto",
    text_column: TextColumn = None,
    id_column: IdColumn = None,
    threads: Threads = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Write P(factor on | document) for every document, a row each, in their order.

    Example: topicfactors transform run new-documents/ -o posteriors.csv
    """
    from topicfactors.cli.runs import model_of, open_run
    from topicfactors.corpus.documents import Ledger
    from topicfactors.corpus.readers import Columns, stream_documents
    from topicfactors.export.factors import posteriors_table
    from topicfactors.export.tables import check_suffix, export_table, write_csv
    from topicfactors.files import refuse_existing, refuse_source

    if output is not None:
        check_suffix(output)
        refuse_existing(output, force)
        refuse_source(output, Path(documents))
    pipeline = open_run(run)
    model = model_of(pipeline)
    _require_text(run, pipeline)
    pipeline[0].set_params(n_jobs=threads or -1)
    model.set_params(n_jobs=threads)
    rounds = number_or_auto(refine, int)
    model._rounds(rounds)  # refused before the documents are read
    ledger = Ledger()
    stream = stream_documents(documents, Columns(text_column, id_column))
    with notes_for_warnings(quiet=True):
        table = posteriors_table(
            _blocks(pipeline, ledger, stream, rounds), model.objective_.joint.sizes[1]
        )
        if output is None:
            write_csv(table, sys.stdout)
        else:
            export_table(table, output)
    for line in ledger.notes():
        note(f"note: {line}", quiet=quiet)
    if output is not None:
        note(f"{len(ledger.ids):,} documents written to {output}", quiet=quiet)


def _blocks(
    pipeline: Any, ledger: Any, documents: Any, refine: int | str
) -> Iterator[tuple[list[str], Any]]:
    texts = ledger.record(documents)
    while block := list(itertools.islice(texts, BLOCK)):
        counts = pipeline[:-1].transform(block)
        yield ledger.ids[-len(block) :], pipeline[-1].transform(counts, refine=refine)


def _require_text(run: Path, pipeline: Any) -> None:
    from sklearn.pipeline import Pipeline

    from topicfactors.corpus.vectorizer import DocumentVectorizer
    from topicfactors.errors import InputError

    if not isinstance(pipeline, Pipeline) or not isinstance(pipeline[0], DocumentVectorizer):
        raise InputError(
            f"{run}: holds a model without a vectorizer, which cannot read texts; "
            "save a pipeline of DocumentVectorizer and the model"
        )
