"""A run opened for documents: what transform and evaluate begin with."""

from __future__ import annotations

from pathlib import Path

from topicfactors.cli.inputs import Inputs
from topicfactors.cli.readings import model_of, noun_of
from topicfactors.cli.runs import remembered
from topicfactors.corpus.columns import Columns
from topicfactors.estimators.base import resolve_device
from topicfactors.storage import load


def open_for(
    run: Path,
    documents: str,
    text_column: str | None,
    id_column: str | None,
    *,
    strict: bool,
    device: str,
    threads: int | None,
) -> Inputs:
    """The documents as the model of the run reads them; ``model`` of it is on the device.

    Raises
    ------
    StorageError
        When there is no run.
    InputError
        When it cannot read such documents.
    ConfigurationError
        When there is no such device.
    """
    pipeline = load(run)
    columns, known = Columns(text_column, id_column), columns_of(run)
    if noun_of(model_of(pipeline)) == "class":
        known = known._replace(label=remembered(run).get("label_column"))
    inputs = Inputs(run, pipeline, documents, columns, known, strict=strict)
    if inputs.vectorizer is not None:
        inputs.vectorizer.set_params(n_jobs=threads or -1)
    inputs.model.set_params(n_jobs=threads)
    inputs.model.objective_.to(resolve_device(device))
    return inputs


def columns_of(run: Path) -> Columns:
    """The columns that a run was fitted with, for documents that come as its corpus did."""
    options = remembered(run)
    return Columns(options.get("text_column"), options.get("id_column"))
