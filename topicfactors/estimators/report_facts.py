"""Facts, scores and the training curve of a fitted model, as the report lists them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from topicfactors import __version__
from topicfactors.estimators.factor_model import BinaryFactorModel
from topicfactors.estimators.mixture import MixtureModel
from topicfactors.estimators.scoring import Evaluation
from topicfactors.export.report.material import Score


def score_of(where: str, found: Evaluation) -> Score:
    """One line of the table of scores."""
    model, unigram = found.perplexity, found.unigram
    return Score(
        where,
        found.bound,
        model.per_document,
        model.standard_error,
        unigram.per_document,
        model.corpus,
        unigram.corpus,
    )


def curve_of(model: Any) -> list[tuple[int, float, float]]:
    """Number, bound and perplexity of every epoch that ``history_`` remembers."""
    return [(epoch.number, epoch.bound, epoch.perplexity) for epoch in model.history_]


def facts_of(model: Any, counts: Any, labels: Sequence[str | None] | None) -> list[tuple[str, str]]:
    """What was fitted to what, a name and a value each."""
    documents, words = counts.shape
    facts = [
        ("documents", f"{documents:,}"),
        ("vocabulary", f"{words:,} words"),
        ("tokens", f"{counts.sum():,.0f}"),
    ]
    if labels is not None:
        known = len({label for label in labels if label is not None})
        facts.append(("labels", f"{known:,}"))
    facts += [
        ("model", _described(model)),
        ("likelihood", str(model.likelihood)),
        ("inference", str(model.inference_)),
    ]
    if isinstance(model, BinaryFactorModel):
        facts.append(("prior", str(model.prior)))
    if model.design_ is not None:
        facts.append(("covariates", ", ".join(model.design_.names)))
    best = f" (best: {model.best_iter_})" if model.best_iter_ else ""
    facts.append(("passes", f"{model.n_iter_}{best}"))
    if model.stopped_:
        facts.append(("stopped", str(model.stopped_)))
    edits = getattr(model, "edits_", [])
    if edits:
        merged = sum(len(edit.merged) for edit in edits)
        dropped = sum(len(edit.dropped) for edit in edits)
        facts.append(("edited since", f"groups merged: {merged}, dropped: {dropped}"))
    if hasattr(model, "consensus_"):
        told = model.consensus_
        agree = f"agreement {told.agreement:.2f}, by chance {told.chance:.2f}"
        facts.append(("runs", f"{len(told.seeds)}, {agree}"))
    return [*facts, ("seed", str(model.random_state)), ("topicfactors", __version__)]


def _described(model: Any) -> str:
    if isinstance(model, BinaryFactorModel):
        return f"binary factor model, {model.n_components_} factors"
    if isinstance(model, MixtureModel):
        return f"mixture, {model._joint().classes} components"
    return f"semi-supervised classifier, {len(model.classes_)} classes"
