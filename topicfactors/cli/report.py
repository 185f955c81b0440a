"""``topicfactors report``: one HTML page of a run, to be looked at without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from topicfactors.cli.console import note
from topicfactors.cli.options import Device, Force, IdColumn, Quiet, Run, TextColumn, Threads


def report(
    run: Run,
    documents: Annotated[
        str | None,
        typer.Argument(
            metavar="DOCS", help="Folder, file, '-' or sample (default: the corpus of the run)."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File of the page (default: report.html in RUN)."),
    ] = None,
    over: Annotated[
        list[str] | None,
        typer.Option(
            help="A column to show how often factors are on over it; may be given several times."
        ),
    ] = None,
    text_column: TextColumn = None,
    id_column: IdColumn = None,
    label_column: Annotated[
        str | None, typer.Option(help="Column of the label (default: as in the fit).")
    ] = None,
    device: Device = "auto",
    threads: Threads = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Write what a run says of documents as one HTML page, which needs no network.

    Factors with their words, a map of them, documents with the words that speak for a factor,
    prevalence over labels and covariates. The page has excerpts of the texts in it. ``fit`` writes
    one of its corpus.

    Examples: topicfactors report run; topicfactors report run new/ -o new.html
    """
    from topicfactors.cli.inputs import vectorizer_of
    from topicfactors.cli.readings import model_of, told
    from topicfactors.cli.reports import NAME
    from topicfactors.cli.rereading import read_again
    from topicfactors.corpus.columns import Columns
    from topicfactors.estimators.base import resolve_device
    from topicfactors.estimators.report_facts import score_of
    from topicfactors.files import refuse_existing, refuse_unwritable
    from topicfactors.storage import load

    pipeline = load(run)
    path = output or run / NAME
    refuse_existing(path, force or output is None)
    refuse_unwritable(path)
    model, vectorizer = model_of(pipeline), vectorizer_of(pipeline)
    if vectorizer is not None:
        vectorizer.set_params(n_jobs=threads or -1)
    model.set_params(n_jobs=threads)
    model.objective_.to(resolve_device(device))
    columns = Columns(text_column, id_column, label_column)
    again = read_again(run, pipeline, documents, columns, beside=over or (), quiet=quiet)
    if documents is None and again.changed:
        note(f"note: {again.source} is not what {run} was fitted to; it has changed", quiet=quiet)
    counts = again.read.counts
    again.reporter.write(
        path,
        pipeline,
        again.read,
        again.source,
        found=told(model, counts),
        scores=[score_of("these documents", model.evaluate(counts, bound="own"))],
    )
    note(f"written to {path}", quiet=quiet)
