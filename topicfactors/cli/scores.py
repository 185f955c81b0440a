"""What metrics.json and ``topicfactors evaluate`` say of a model on some documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from topicfactors.cli.classes import label_scores
from topicfactors.cli.inputs import Inputs
from topicfactors.cli.readings import called, evaluated, kind_of, told
from topicfactors.errors import InputError
from topicfactors.estimators.bounding import Measure
from topicfactors.estimators.choices import resolve
from topicfactors.estimators.observed import stacked
from topicfactors.estimators.scoring import Evaluation
from topicfactors.insight.topics import status
from topicfactors.model.likelihoods import LIKELIHOODS


def metrics_of(model: Any, counts: Any, coherence: NDArray[np.floating]) -> dict[str, Any]:
    """Scores on the training documents, the unigram beside them; held-out ones where there are."""
    training = plain(model.evaluate(counts, bound="own"))  # what a fit has the time for
    held_out = {bound: plain(found) for bound, found in model.held_out_.items()}
    return {
        "model": kind_of(model),
        "documents": counts.shape[0],
        "training": training,
        "held_out": held_out,
        "npmi": float(coherence.mean()),
        "diversity": model.diversity(),
        **activity(model),
        "epochs": model.n_iter_,
        "best_epoch": model.best_iter_,
        "stopped": model.stopped_,
    }


def plain(found: Evaluation) -> dict[str, Any]:
    """An evaluation as plain numbers."""
    numbers = {
        name: {key: float(value) for key, value in getattr(found, name)._asdict().items()}
        for name in ("perplexity", "unigram")
    }
    return {
        "bound": found.bound,
        "samples": found.samples,
        "temperatures": found.temperatures,
        "nats_per_document": found.log_prob,
        "standard_error": found.standard_error,
        **numbers,
    }


def scores_on(
    model: Any,
    inputs: Inputs,
    measures: Sequence[Measure],
    *,
    c_v: bool = False,
) -> dict[str, Any]:
    """Scores of a model on documents: each measure, coherence, diversity, active factors.

    Raises
    ------
    InputError
        When there are no documents, or none has a word of the vocabulary.
    """
    blocks = [block for _, block in inputs.blocks()]
    if not blocks:
        raise InputError(f"{inputs.source}: no documents; expected at least one to score")
    counts = stacked(blocks)
    if counts.sum() == 0:
        raise InputError(
            f"{inputs.source}: none of {counts.shape[0]:,} documents has a word of the model's "
            "vocabulary; are they in its language?"
        )
    bounds = [plain(evaluated(model, counts, measure)) for measure in measures]
    names = called(model)
    found = told(model, counts)[:, : len(names)]
    states = status(found.mean(0), found.var(0))
    return {
        "model": kind_of(model),
        "documents_read": counts.shape[0],
        "tokens": float(counts.sum()),
        "bounds": bounds,
        "npmi": float(model.coherence(counts).mean()),
        "c_v": _c_v(model, inputs) if c_v else None,
        "diversity": model.diversity(),
        "factors": found.shape[1],
        "likelihood": resolve("likelihood", model.likelihood, LIKELIHOODS).label,
        "active_factors": states.count("active"),
        "off_in_all": _with(names, states, "dead"),
        "on_in_all": _with(names, states, "always-on"),
        "on_per_document": float((found > 0.5).sum(1).mean()),
        **_of_labels(model, counts, inputs),
    }


def _of_labels(model: Any, counts: Any, inputs: Inputs) -> dict[str, Any]:
    """How well a classifier tells the labels of the documents, where they have some."""
    if kind_of(model) != "semisupervised":
        return {}
    return {"labels": label_scores(model, counts, inputs.labels or [])}


def _c_v(model: Any, inputs: Inputs) -> dict[str, Any]:
    """Mean C_V of the factors whose words all occur, and how many those are."""
    found = model.coherence(_tokens(inputs), measure="c_v")
    known = found[np.isfinite(found)]
    return {"mean": float(known.mean()) if len(known) else None, "factors": len(known)}


def activity(model: Any) -> dict[str, Any]:
    """Which factors vary between documents, by name where they have one."""
    states = model.status_
    return {
        "active_factors": states.count("active"),
        "dead_factors": _with(model.factor_names_, states, "dead"),
        "always_on_factors": _with(model.factor_names_, states, "always-on"),
    }


def _with(names: Sequence[int | str], states: Sequence[str], state: str) -> list[int | str]:
    """The factors in a state, by name where they have one."""
    return [name for name, found in zip(names, states, strict=True) if found == state]


def _tokens(inputs: Inputs) -> Iterator[list[str]]:
    """The words of the texts, which are read once more."""
    from topicfactors.corpus.readers import stream_documents

    if inputs.documents is None:
        raise InputError(f"{inputs.source}: counts have no order of words; leave out --c-v")
    if inputs.source == "-":
        raise InputError("--c-v reads the texts twice; write standard input to a file first")
    documents = stream_documents(inputs.source, inputs.columns)
    words: Iterator[list[str]] = inputs.vectorizer.tokenize(d.text for d in documents)
    return words
