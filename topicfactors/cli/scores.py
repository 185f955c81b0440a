"""What metrics.json and ``topicfactors evaluate`` say of a model on some documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from topicfactors.cli.classes import label_scores
from topicfactors.cli.inputs import Inputs
from topicfactors.cli.readings import called, kind_of, measured, told
from topicfactors.errors import InputError
from topicfactors.estimators.bounding import Measure
from topicfactors.estimators.choices import resolve
from topicfactors.estimators.observed import stacked
from topicfactors.estimators.scoring import Evaluation, Scored, summed_up
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
    tally = _Tally(model, measures)
    for _, block in inputs.blocks():
        tally.add(block)
    if not tally.documents:
        raise InputError(f"{inputs.source}: no documents; expected at least one to score")
    if tally.tokens == 0:
        raise InputError(
            f"{inputs.source}: none of {tally.documents:,} documents has a word of the model's "
            "vocabulary; are they in its language?"
        )
    names, mean = tally.names, tally.total / tally.documents
    states = status(mean, tally.squares / tally.documents - mean**2)
    return {
        "model": kind_of(model),
        "documents_read": tally.documents,
        "tokens": tally.tokens,
        "bounds": [
            plain(summed_up(*each)) for each in zip(tally.scored, tally.measures, strict=True)
        ],
        "npmi": float(tally.company.npmi().mean()),
        "c_v": _c_v(model, inputs) if c_v else None,
        "diversity": model.diversity(),
        "factors": len(names),
        "likelihood": resolve("likelihood", model.likelihood, LIKELIHOODS).label,
        "active_factors": states.count("active"),
        "off_in_all": _with(names, states, "dead"),
        "on_in_all": _with(names, states, "always-on"),
        "on_per_document": tally.on / tally.documents,
        **(_of_labels(model, stacked(tally.kept), inputs) if tally.labelled else {}),
    }


class _Tally:
    """What is known of documents that were read a block at a time: a few numbers of each.

    A classifier's are kept, to be compared with their labels at the end.
    """

    def __init__(self, model: Any, measures: Sequence[Measure]) -> None:
        self.model, self.measures = model, [measured(model, each) for each in measures]
        self.names = called(model)
        self.labelled = kind_of(model) == "semisupervised"
        self.scored: list[list[Scored]] = [[] for _ in self.measures]
        self.company = model._company()
        self.total, self.squares = np.zeros(len(self.names)), np.zeros(len(self.names))
        self.kept: list[Any] = []
        self.documents, self.tokens, self.on = 0, 0.0, 0.0

    def add(self, counts: Any) -> None:
        """Score some documents more."""
        if not counts.shape[0]:
            return
        counts = self.model._observed(counts, None)
        for parts, measure in zip(self.scored, self.measures, strict=True):
            parts.append(self.model._scores_of(counts, measure))
        found = told(self.model, counts)[:, : len(self.names)].astype(np.float64)
        self.total += found.sum(0)
        self.squares += (found**2).sum(0)
        self.on += float((found > 0.5).sum())
        self.company.add(counts)
        self.documents += counts.shape[0]
        self.tokens += float(counts.sum())
        if self.labelled:
            self.kept.append(counts)


def _of_labels(model: Any, counts: Any, inputs: Inputs) -> dict[str, Any]:
    """How well a classifier tells the labels of the documents, where they have some."""
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
