"""write_report: a fitted model and some documents as one HTML page."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sklearn.pipeline import Pipeline

from topicfactors.corpus.covariates import columns_in
from topicfactors.corpus.documents import Corpus, check_texts, clean_text
from topicfactors.corpus.vectorizer import DocumentVectorizer
from topicfactors.errors import CorpusWarning, InputError
from topicfactors.estimators.contrasting import ContrastingMixin
from topicfactors.estimators.factor_model import BinaryFactorModel
from topicfactors.estimators.report_facts import score_of
from topicfactors.estimators.report_material import material_of
from topicfactors.export.report.excerpts import Excerpts
from topicfactors.export.report.page import write_page


def write_report(
    pipeline: Any,
    texts: Any,
    path: str | Path,
    *,
    ids: Sequence[Any] | None = None,
    labels: Sequence[Any] | None = None,
    covariates: Any = None,
    title: str | None = None,
) -> Path:
    """Write a page of what a model says of some documents; it opens in a browser, offline.

    The page has excerpts of the texts in it, at most 4,000 characters of each.

    Parameters
    ----------
    pipeline
        A fitted pipeline of DocumentVectorizer and a model, or a model alone.
    texts
        The documents: a list of str or a :class:`Corpus` for a pipeline, counts ``(N, V)`` for a
        model alone. A Corpus brings ids, labels and covariates of its own.
    path
        Of the page, as ``report.html``.
    ids, labels
        Of the documents, N of each; the rows' numbers, and none.
    covariates
        A table with a row a document. Those that the model was fitted with are needed; the page
        shows how often factors are on over every column.
    title
        What the page is called.

    Returns
    -------
    Path
        Where it is.

    Raises
    ------
    InputError
        When there are no documents, or not one id, label and row for each.
    StorageError
        When the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.pipeline import make_pipeline
    >>> from topicfactors import BinaryFactorModel, DocumentVectorizer, write_report
    >>> texts = ["steam engine piston", "comet star orbit", "steam piston", "star comet"] * 5
    >>> pipe = make_pipeline(DocumentVectorizer(), BinaryFactorModel(2, random_state=0)).fit(texts)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_report(pipe, texts, f"{folder}/report.html").name
    'report.html'
    """
    if isinstance(texts, Corpus):
        ids = texts.ids if ids is None else ids
        labels = texts.labels if labels is None else labels
        covariates = (texts.covariates or None) if covariates is None else covariates
    model, excerpts = _model_of(pipeline), None
    counts: Any = texts
    if isinstance(pipeline, Pipeline):
        excerpts = Excerpts()
        counts = _counted(pipeline, texts, excerpts)
    seen = model._observed(counts, None if model.design_ is None else covariates)
    columns = {} if covariates is None else dict(columns_in(covariates))
    _refuse_others(seen.shape[0], {"ids": ids, "labels": labels, **columns})
    material = material_of(
        pipeline,
        seen,
        list(map(str, range(seen.shape[0]) if ids is None else ids)),
        labels=None if labels is None else [None if one is None else str(one) for one in labels],
        columns=columns,
        excerpts=excerpts,
        title=title,
        scores=[score_of("these documents", model.evaluate(seen, bound="own"))],
    )
    write_page(material, Path(path))
    return Path(path)


def _model_of(pipeline: Any) -> Any:
    whole = isinstance(pipeline, Pipeline) and isinstance(pipeline[0], DocumentVectorizer)
    model = pipeline[-1] if whole else pipeline
    if not isinstance(model, BinaryFactorModel | ContrastingMixin):
        raise InputError(
            "write_report reads a pipeline of DocumentVectorizer and a fitted BinaryFactorModel, "
            "MixtureModel or SemiSupervisedClassifier, or such a model alone, got a "
            f"{type(pipeline).__name__}"
        )
    return model


def _counted(pipeline: Any, texts: Any, excerpts: Excerpts) -> Any:
    """Counts of texts that are also kept; what is no text is an empty document."""
    if isinstance(texts, str | bytes):
        raise InputError("texts must be an iterable of texts, got one text; put it in a list")
    check_texts(texts)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CorpusWarning)  # empty ones are told on the page
        counts = pipeline[:-1].transform(excerpts.watch(clean_text(text)[0] for text in texts))
    if counts.shape[0] == 0:
        raise InputError("there are no documents to report on; expected at least one")
    return counts


def _refuse_others(documents: int, beside: Mapping[str, Any]) -> None:
    for what, given in beside.items():
        if given is not None and len(given) != documents:
            raise InputError(
                f"{what}: must be one for each of {documents} documents, got {len(given)}"
            )
