"""What of a fitted estimator config.json holds, and how each of it is written and read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from topicfactors.estimators.design import Column, Design
from topicfactors.estimators.edits import Edit
from topicfactors.estimators.scoring import Evaluation
from topicfactors.storage.kinds import of_kind, taken
from topicfactors.storage.sound import check_column
from topicfactors.training.callbacks import Epoch


def plain(value: Any) -> Any:
    """A value as JSON can hold it: numbers of numpy's as Python's, arrays and tuples as lists."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


class Fact(NamedTuple):
    """A fitted attribute that config.json holds."""

    name: str  # in the file
    attribute: str
    read: Callable[[Any], Any]  # ValueError where it is no such thing
    written: Callable[[Any], Any] = plain  # as JSON can hold it
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
    columns = taken(list[Column] | None, stored)
    for column in columns or ():
        check_column(column)
    return None if columns is None else Design(columns)


def _evaluated(stored: Any) -> dict[str, Evaluation]:
    return {each.bound: each for each in taken(list[Evaluation], stored)}


FITTED = (
    Fact("inference", "inference_", of_kind(str)),
    Fact("init", "init_", of_kind(str)),
    Fact("status", "status_", of_kind(list[str])),
    Fact("documents", "n_documents_", of_kind(int)),
    Fact("stopped", "stopped_", of_kind(str)),
    Fact("best", "best_iter_", of_kind(int)),
    Fact("history", "history_", of_kind(list[Epoch])),
    Fact("held_out", "held_out_", _evaluated, lambda found: plain(list(found.values()))),
    Fact(
        "covariates",
        "design_",
        _designed,
        lambda design: None if design is None else design.described(),
    ),
)
"""Those of every model."""

NAMED = (
    Fact("named", "named_", of_kind(dict[str, int]), sometimes=True),
    Fact("edits", "edits_", of_kind(list[Edit]), sometimes=True),
)
"""Those of models whose factors or components a user can name, merge and drop."""
