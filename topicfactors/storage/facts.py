"""What of a fitted estimator config.json holds, and how each of it is written and read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from topicfactors.estimators.design import Column, Design
from topicfactors.estimators.edits import Edit
from topicfactors.estimators.scoring import Evaluation
from topicfactors.insight.metrics import Perplexity
from topicfactors.training.callbacks import Epoch


def plain(value: Any) -> Any:
    """A value as JSON can hold it: numbers of numpy's as Python's, arrays and tuples as lists."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def same(value: Any) -> Any:
    """What JSON holds is what it was."""
    return value


def number(stored: float | None) -> float:
    """JSON has no NaN: null stands for it."""
    return float("nan") if stored is None else stored


class Fact(NamedTuple):
    """A fitted attribute that config.json holds."""

    name: str  # in the file
    attribute: str
    written: Callable[[Any], Any] = plain  # as JSON can hold it
    read: Callable[[Any], Any] = same
    sometimes: bool = False  # do only some fits leave it?


def described(model: Any, facts: Iterable[Fact]) -> dict[str, Any]:
    """The facts of a fitted model, as JSON can hold them."""
    return {
        fact.name: fact.written(getattr(model, fact.attribute))
        for fact in facts
        if not fact.sometimes or hasattr(model, fact.attribute)
    }


def restore(model: Any, facts: Iterable[Fact], stored: dict[str, Any]) -> None:
    """Give a model the facts that :func:`described` wrote; what it left out stays as it is."""
    for fact in facts:
        if not fact.sometimes or fact.name in stored:
            setattr(model, fact.attribute, fact.read(stored[fact.name]))


def _designed(stored: Any) -> Design | None:
    return None if stored is None else Design([Column(*column) for column in stored])


def _numbers(stored: Any) -> Any:
    return [_numbers(part) for part in stored] if isinstance(stored, list) else number(stored)


def _evaluation(stored: list[Any]) -> Evaluation:
    bound, samples, temperatures, *numbers = stored
    log_prob, error, scores, unigram = _numbers(numbers)
    found = (bound, samples, temperatures, log_prob, error)
    return Evaluation(*found, Perplexity(*scores), Perplexity(*unigram))


FITTED = (
    Fact("inference", "inference_"),
    Fact("init", "init_"),
    Fact("status", "status_"),
    Fact("documents", "n_documents_", read=int),
    Fact("stopped", "stopped_"),
    Fact("best", "best_iter_"),
    Fact("history", "history_", plain, lambda stored: [Epoch(*epoch) for epoch in stored]),
    Fact(
        "held_out",
        "held_out_",
        lambda found: plain(list(found.values())),
        lambda stored: {each[0]: _evaluation(each) for each in stored},
    ),
    Fact(
        "covariates",
        "design_",
        lambda design: None if design is None else design.described(),
        _designed,
    ),
)
"""Those of every model."""

NAMED = (
    Fact("named", "named_", sometimes=True),
    Fact("edits", "edits_", read=lambda stored: [Edit(*edit) for edit in stored], sometimes=True),
)
"""Those of models whose factors or components a user can name, merge and drop."""
