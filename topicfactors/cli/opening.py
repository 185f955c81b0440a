"""A run opened for documents: what transform and evaluate begin with."""

from __future__ import annotations

from pathlib import Path

from topicfactors.cli.inputs import Inputs
from topicfactors.cli.runs import model_of, open_run
from topicfactors.corpus.columns import Columns
from topicfactors.estimators.base import resolve_device


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
    pipeline = open_run(run)
    model = model_of(pipeline)
    inputs = Inputs(run, pipeline, documents, Columns(text_column, id_column), strict=strict)
    if inputs.vectorizer is not None:
        inputs.vectorizer.set_params(n_jobs=threads or -1)
    model.set_params(n_jobs=threads)
    model.objective_.to(resolve_device(device))
    return inputs
