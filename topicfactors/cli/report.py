"""``topicfactors report``: one HTML page of a run, to be looked at without a network."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any

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
    from topicfactors.cli.opening import columns_of
    from topicfactors.cli.readings import model_of
    from topicfactors.cli.reports import NAME
    from topicfactors.cli.runs import remembered
    from topicfactors.corpus.columns import Columns
    from topicfactors.estimators.base import resolve_device
    from topicfactors.files import refuse_existing, refuse_unwritable
    from topicfactors.storage import load

    pipeline = load(run)
    path = output or run / NAME
    refuse_existing(path, force or output is None)
    refuse_unwritable(path)
    source = documents or _remembered(run)
    known = columns_of(run)._replace(label=remembered(run).get("label_column"))
    model, vectorizer = model_of(pipeline), vectorizer_of(pipeline)
    if vectorizer is not None:
        vectorizer.set_params(n_jobs=threads or -1)
    model.set_params(n_jobs=threads)
    model.objective_.to(resolve_device(device))
    _write(
        path,
        run,
        pipeline,
        source,
        (Columns(text_column, id_column, label_column), known),
        over or [],
        own=documents is None,
        quiet=quiet,
    )
    note(f"written to {path}", quiet=quiet)


def _write(
    path: Path,
    run: Path,
    pipeline: Any,
    source: str,
    columns: tuple[Any, Any],
    over: list[str],
    *,
    own: bool,
    quiet: bool,
) -> None:
    from topicfactors.cli.covariates import told as columns_told
    from topicfactors.cli.inputs import Inputs
    from topicfactors.cli.readings import told
    from topicfactors.cli.reports import Reporter
    from topicfactors.cli.runs import Fingerprint
    from topicfactors.corpus.count_readers import CountedCorpus, is_counts
    from topicfactors.errors import InputError
    from topicfactors.estimators.observed import stacked
    from topicfactors.estimators.report_facts import score_of

    if over and is_counts(source):
        raise InputError(f"{source}: counts have no columns; leave out --over")
    reporter, fingerprint = Reporter(), Fingerprint()
    inputs = Inputs(run, pipeline, source, *columns, beside=over)
    inputs.watch = lambda texts: reporter.watch(fingerprint.watch(texts))
    ids, blocks = [], []
    for names, counts in inputs.blocks():
        ids += names
        blocks.append(inputs.model._observed(counts))
    if not blocks:
        raise InputError(f"{source}: no documents; expected at least one to report on")
    if is_counts(source) and own:
        fingerprint.add(inputs.counted().counts)
    if own and fingerprint.digest.hexdigest() != _stored(run, "corpus").get("sha256"):
        note(f"note: {source} is not what {run} was fitted to; it has changed since", quiet=quiet)
    every, notes = stacked(blocks), [*inputs.notes, *inputs.ledger.notes()]
    inputs.report(quiet)
    kept = columns_told(inputs.ledger, source, (*inputs.covariates, *over))
    reporter.write(
        path,
        pipeline,
        CountedCorpus(every, ids, inputs.labels, notes, kept),
        source,
        found=told(inputs.model, every),
        scores=[score_of("these documents", inputs.model.evaluate(every, bound="own"))],
    )


def _remembered(run: Path) -> str:
    """The corpus that a run was fitted to, where it can be read again."""
    from topicfactors.corpus.samples import SAMPLES
    from topicfactors.errors import InputError

    corpus = _stored(run, "options").get("corpus")
    if not isinstance(corpus, str) or corpus == "-":
        raise InputError(
            f"{run}: its corpus is not known, or was standard input; name the documents, as in "
            f"topicfactors report {run} DOCS"
        )
    if "://" not in corpus and corpus not in SAMPLES and not Path(corpus).exists():
        raise InputError(
            f"{run}: its corpus {corpus} is not there; name the documents, as in topicfactors "
            f"report {run} DOCS"
        )
    return corpus


def _stored(run: Path, table: str) -> dict[str, Any]:
    """A table of run.toml; nothing where it cannot be read."""
    try:
        found = tomllib.loads((run / "run.toml").read_text(encoding="utf-8"))[table]
    except (OSError, ValueError, KeyError):
        return {}
    return found if isinstance(found, dict) else {}
