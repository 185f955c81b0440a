"""What is to be merged and dropped, of any model: numbers or names, checked."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from topicfactors.errors import ConfigurationError, InputError
from topicfactors.estimators.observed import Observed
from topicfactors.values import is_whole


class Edit(NamedTuple):
    """What was done to a fitted model, in the numbers of the factors before it."""

    merged: list[list[int]]
    dropped: list[int]
    of: int  # factors that there were


def begun(
    model: Any, groups: Any, dropped: Any, X: Any, covariates: Any
) -> tuple[Any, Edit, Observed]:
    """A copy of a fitted model that can be edited, what is to be done, and the checked documents.

    Raises
    ------
    InputError
        As :func:`resolved_edit`, or when there are no documents.
    ConfigurationError
        When the groups cannot be merged in this model.
    """
    check_is_fitted(model, "objective_")
    edit = resolved_edit(model, groups, dropped)
    model._check_mergeable(edit)
    counts = model._observed(X, covariates)
    if counts.shape[0] == 0:
        raise InputError("X has no documents; give those of fit")
    made = copy.copy(model)
    if hasattr(model, "_sklearn_output_config"):
        made._sklearn_output_config = dict(model._sklearn_output_config)
    made.objective_ = copy.deepcopy(model.objective_)
    made.edits_ = [*getattr(model, "edits_", []), edit]
    return made, edit, counts


def resolved_edit(model: Any, groups: Any, dropped: Any) -> Edit:
    """The numbers of what is to be merged and dropped.

    Raises
    ------
    InputError
        When there is no such factor, one is mentioned twice, or none is left.
    ConfigurationError
        When something is no list of factors.
    """
    noun, rows = model._noun, model._nameable()
    merged = [_places(model, group, "merge") for group in _listed(model, groups, "merge")]
    gone = _places(model, dropped, "drop")
    for group in merged:
        if len(group) < 2:
            raise InputError(
                f"merge makes one {noun} of two or more, got {group[0] if group else 'none'} alone"
            )
    mentioned = [place for group in (*merged, gone) for place in group]
    twice = [place for place in mentioned if mentioned.count(place) > 1]
    if twice:
        raise InputError(
            f"{noun} {twice[0]} is mentioned twice; each goes into one group, or is dropped"
        )
    if not mentioned:
        raise InputError(
            f"no {noun} is named; name those to be merged or dropped by number or name"
        )
    if len(gone) == rows:
        raise InputError(f"all {rows} {noun}s would be dropped; keep one at least")
    return Edit([sorted(group) for group in merged], sorted(gone), rows)


def _listed(model: Any, groups: Any, what: str) -> list[Any]:
    if isinstance(groups, str) or not isinstance(groups, Iterable):
        raise ConfigurationError(
            f"{what} takes a list of groups such as [[1, 4], ['steam', 7]], got {groups!r}"
        )
    listed = list(groups)
    if listed and all(is_whole(part) or isinstance(part, str) for part in listed):
        return [listed]  # one group
    return listed


def _places(model: Any, keys: Any, what: str) -> list[int]:
    if is_whole(keys) or isinstance(keys, str):
        keys = [keys]
    if not isinstance(keys, Iterable):
        raise ConfigurationError(
            f"{what} takes numbers or names of {model._noun}s such as [3, 'steam'], got {keys!r}"
        )
    return [model._number_of(key) for key in keys]


def order_after(edit: Edit) -> NDArray[np.int64]:
    """Which factors stay, in their order; the first of a group stands for it."""
    gone = {*edit.dropped, *(place for group in edit.merged for place in group[1:])}
    return np.array([place for place in range(edit.of) if place not in gone], dtype=np.int64)
