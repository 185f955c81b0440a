"""The documents of a run read again, for what is made of it after its fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from topicfactors.cli.covariates import told
from topicfactors.cli.inputs import Inputs
from topicfactors.cli.opening import columns_of
from topicfactors.cli.reports import Reporter
from topicfactors.cli.runs import Fingerprint, remembered
from topicfactors.corpus.columns import Columns
from topicfactors.corpus.count_readers import CountedCorpus, is_counts
from topicfactors.corpus.samples import SAMPLES
from topicfactors.errors import InputError
from topicfactors.estimators.observed import stacked


class Again(NamedTuple):
    """Documents as the model of a run reads them."""

    source: str
    read: CountedCorpus  # its counts as ``_observed`` gives them, with the columns asked for
    fingerprint: Fingerprint
    reporter: Reporter
    changed: bool  # are they others than those of the fit?


def source_of(run: Path, documents: str | None) -> str:
    """The documents that are named, else the corpus that the run was fitted to.

    Raises
    ------
    InputError
        When that is not known, or not there any more.
    """
    if documents is not None:
        return documents
    source = remembered(run).get("corpus")
    if not isinstance(source, str):
        raise InputError(f"{run}: does not say what it was fitted to; {_cure(run)}")
    if source == "-":
        raise InputError(f"{run}: its corpus was read from stdin; {_cure(run)}")
    if source not in SAMPLES and "://" not in source and not Path(source).exists():
        raise InputError(f"{run}: its corpus {source!r} is not there any more; {_cure(run)}")
    return source


def _cure(run: Path) -> str:
    return f"name the documents behind the run: {run} DOCS"


def read_again(
    run: Path,
    pipeline: Any,
    documents: str | None,
    columns: Columns,
    *,
    beside: Sequence[str] = (),
    quiet: bool,
) -> Again:
    """The documents that are named, else the corpus of the run, with columns ``beside`` the texts.

    Raises
    ------
    InputError
        When they are not there, cannot be read, have no such column, or there are none.
    """
    source = source_of(run, documents)
    if beside and is_counts(source):
        raise InputError(f"{source}: counts have no columns; leave out --over")
    as_fitted = columns_of(run)._replace(label=remembered(run).get("label_column"))
    inputs = Inputs(run, pipeline, source, columns, as_fitted, beside=beside)
    fingerprint, reporter = Fingerprint(), Reporter()
    read = _counts if inputs.documents is None else _texts
    found = read(inputs, fingerprint, reporter)
    inputs.report(quiet)
    if inputs.stored is None:
        known = told(inputs.ledger, source, (*inputs.covariates, *beside))
        found = found._replace(covariates=known)
    sha256 = fingerprint.store or fingerprint.digest.hexdigest()
    changed = sha256 != remembered(run, "corpus").get("sha256")
    return Again(source, found, fingerprint, reporter, changed)


def _counts(inputs: Inputs, fingerprint: Fingerprint, _: Reporter) -> CountedCorpus:
    whole = inputs.counted()
    inputs.read = len(whole.ids)
    if inputs.stored is None:
        fingerprint.add(whole.counts)
    else:
        fingerprint.store = inputs.stored.store.fingerprint
    known = {name: (whole.covariates or {})[name] for name in inputs.covariates}
    return whole._replace(counts=inputs.model._observed(whole.counts, known or None))


def _texts(inputs: Inputs, fingerprint: Fingerprint, reporter: Reporter) -> CountedCorpus:
    def watched(texts: Iterator[str]) -> Iterator[str]:
        return reporter.watch(fingerprint.watch(texts))

    inputs.watch = watched
    blocks = [block for _, block in inputs.blocks()]
    if not blocks:
        raise InputError(f"{inputs.source}: no documents; expected at least one")
    ledger = inputs.ledger
    return CountedCorpus(stacked(blocks), ledger.ids, inputs.labels, ledger.notes())
