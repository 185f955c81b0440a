"""Counts as the estimators hold them: with the covariates and responses of their documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from topicfactors.corpus.covariates import columns_in
from topicfactors.corpus.documents import how_many
from topicfactors.errors import ConfigurationError, InputError
from topicfactors.estimators.design import Design
from topicfactors.estimators.specs import parsed


class Observed(scipy.sparse.csr_matrix):  # type: ignore[misc]
    """Counts ``(N, V)`` that were checked, and what else is known of their documents.

    Selecting rows selects the covariates and the responses too. Every method of an estimator takes
    it for ``X``, and then needs no ``covariates`` beside it. Only a training has responses: what is
    read of a document afterwards is read from its words.

    >>> counts = Observed([[1, 0], [2, 3]], covariates=np.array([[0.5], [-0.5]]))
    >>> counts[1:].covariates
    array([[-0.5]])
    """

    covariates: NDArray[np.float32] | None = None  # (N, C), coded
    responses: NDArray[np.float64] | None = None  # (N,), NaN where unknown

    def __init__(
        self,
        *args: Any,
        covariates: NDArray[Any] | None = None,
        responses: NDArray[np.float64] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        if covariates is not None:
            self.covariates = covariates
        if responses is not None:
            self.responses = responses

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        if isinstance(key, tuple):
            return found
        if self.covariates is not None:
            found.covariates = np.atleast_2d(self.covariates[key])
        if self.responses is not None:
            found.responses = np.atleast_1d(self.responses[key])
        return found

    def astype(self, *args: Any, **options: Any) -> Any:
        """The same counts in another type, with the covariates and responses."""
        found = super().astype(*args, **options)
        found.covariates, found.responses = self.covariates, self.responses
        return found

    def with_responses(self, responses: NDArray[np.float64] | None) -> Observed:
        """The same documents with responses ``(N,)``; None for none."""
        return Observed(self, covariates=self.covariates, responses=responses)

    def without_responses(self) -> Observed:
        """The same documents, their responses unsaid."""
        return self if self.responses is None else self.with_responses(None)


def stacked(parts: Sequence[Any]) -> Observed:
    """Several matrices of counts ``(n, V)``, one below the other, with what is known of them.

    Raises
    ------
    InputError
        When covariates or responses are known of some and not of others.
    """
    counts = scipy.sparse.vstack(parts).tocsr()

    def joined(name: str) -> NDArray[Any] | None:
        each = [getattr(part, name, None) for part in parts]
        known = [rows for rows in each if rows is not None]
        if 0 < len(known) < len(each):
            raise InputError(
                f"{name} are known of {len(known)} of {len(each)} matrices of counts; "
                "give them for all, or for none"
            )
        return np.concatenate(known) if known else None

    return Observed(counts, covariates=joined("covariates"), responses=joined("responses"))


def designed(estimator: Any, X: Any, table: Any, documents: int) -> Design | None:
    """The design that ``fit`` learns from a table; None without one.

    Raises
    ------
    InputError
        When the estimator names columns and there is no table, or its rows are others.
    """
    specs = getattr(estimator, "covariates", None)
    if table is None:
        if parsed(specs):
            raise InputError(
                f"covariates={specs!r} names columns, but none were given; pass them, as in "
                "fit(X, covariates=frame)"
            )
        return None
    _check_rows(X, table, documents)
    return Design.fit(table, specs)


def encoded(
    design: Design | None, X: Any, table: Any, documents: int
) -> NDArray[np.float32] | None:
    """The covariates of some documents ``(N, C)``, as the model reads them; None without any.

    Raises
    ------
    InputError
        When they are missing, too many, or not one row for each document.
    """
    if design is None:
        if table is not None:
            raise InputError(
                "covariates were given, but the model was fitted without; leave them out, or fit "
                "with covariates too"
            )
        return None
    if table is None:
        raise InputError(
            f"the model was fitted with covariates {', '.join(map(repr, design.names))}, and needs "
            "those of these documents; pass covariates=, a row for each"
        )
    _check_rows(X, table, documents)
    return design.encode(table)


def refuse_others(design: Design | None, specs: Any) -> None:
    """Refuse to go on with a model whose covariates are not those that are asked for now.

    Raises
    ------
    ConfigurationError
        When they differ.
    """
    asked, known = parsed(specs), [] if design is None else design.columns
    if asked is None:
        return
    acts = {column.name: (column.kind, column.role) for column in known}
    alike = len(asked) == len(acts) and all(
        spec.name in acts and acts[spec.name] == (spec.kind or acts[spec.name][0], spec.role)
        for spec in asked
    )
    if not alike:
        told = ", ".join(f"'{name}:{kind}:{role}'" for name, (kind, role) in acts.items()) or "none"
        raise ConfigurationError(
            f"training goes on with a model whose covariates are {told}, got covariates={specs!r}; "
            "clone the model to start anew"
        )


def _check_rows(X: Any, table: Any, documents: int) -> None:
    """A row of the table is the document in the same row of X."""
    rows = next((len(column) for column in columns_in(table).values()), 0)
    if rows != documents:
        raise InputError(
            f"covariates have {how_many(rows, 'row')}, and X has {documents}; give a row for each "
            "document, in their order"
        )
    mine: Any = getattr(X, "index", None)
    theirs: Any = getattr(table, "index", None)
    if hasattr(mine, "equals") and hasattr(theirs, "equals") and not mine.equals(theirs):
        row = next(n for n, (a, b) in enumerate(zip(mine, theirs, strict=True)) if a != b)
        raise InputError(
            f"covariates are of other documents than X: row {row} is {theirs[row]!r}, and "
            f"{mine[row]!r} in X; put them in the same order, as in frame.loc[X.index]"
        )
