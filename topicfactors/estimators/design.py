"""From columns of covariates to numbers, and back to what they are called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from topicfactors.corpus.columns import name_of
from topicfactors.corpus.covariates import (
    columns_in,
    expected_numbers,
    mostly_numbers,
    named_levels,
    names_in,
    present,
)
from topicfactors.errors import InputError, nearest
from topicfactors.estimators.specs import ROLES, Spec, parsed

DEGREE = 3
MOST_NAMED = 10  # documents above which a name for each is no category


class Column(NamedTuple):
    """A column as read; its coded columns are centred."""

    name: str
    kind: str
    role: str
    means: list[float]  # of the coded columns, over the documents of fit
    scale: float = 1.0  # of a number: its standard deviation
    levels: Sequence[str] = ()  # of a category
    knots: Sequence[float] = ()  # of a spline

    def coded(self, values: Any) -> NDArray[np.float64]:
        """Cells as numbers ``(N, its coded columns)``."""
        raw = _raw(self, values)
        return np.asarray((raw - self.means) / self.scale)


class Point(NamedTuple):
    """Documents that are as the mean, but for one column."""

    column: str
    level: str
    row: NDArray[np.float64]  # (C,)


class Design:
    """The covariates of a fitted model: how their columns become numbers.

    Parameters
    ----------
    columns
        Those of the prior first, those that move the words last.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = sorted(columns, key=lambda column: ROLES.index(column.role))
        self.names = [column.name for column in self.columns]
        widths = dict.fromkeys(ROLES, 0)
        for column in columns:
            widths[column.role] += len(column.means)
        self.width = sum(widths.values())
        self.prior = widths["prevalence"] + widths["both"]
        self.content = widths["content"] + widths["both"]

    @classmethod
    def fit(cls, table: Any, specs: Any) -> Design:
        """Learn means, levels and knots from the columns of a table that are asked for.

        Raises
        ------
        InputError
            When a column is not there, has gaps, or tells no documents apart.
        ConfigurationError
            When the columns cannot be read as asked.
        """
        found, asked = columns_in(table), parsed(specs)
        asked = [Spec(name) for name in found] if asked is None else asked
        if not asked:
            raise InputError("covariates have no columns; expected at least one")
        return cls([_learnt(spec, _column(found, spec.name)) for spec in asked])

    def encode(self, table: Any) -> NDArray[np.float32]:
        """The columns of a table as numbers ``(N, C)``; other columns of it are not read.

        Raises
        ------
        InputError
            When a column is not there, has gaps, or a name that fit has not seen.
        """
        found = columns_in(table)
        parts = [column.coded(_column(found, column.name)) for column in self.columns]
        return np.concatenate(parts, axis=1).astype(np.float32)

    def rows(self, at: Mapping[str, Any] | None) -> tuple[NDArray[np.float32], bool]:
        """Documents at some values, the other columns at their mean: ``(n, C)``, and is it one?

        Raises
        ------
        InputError
            When there is no such column or value.
        """
        if not isinstance(at or {}, Mapping):
            raise InputError(
                f"at must be a dict of columns and values, as in {{{self.names[0]!r}: …}}, got "
                f"{at!r}"
            )
        given = dict(at or {})
        for name in given:
            if name not in self.names:
                raise InputError(
                    f"at: no covariate {name!r}; they are {', '.join(map(repr, self.names))}"
                    f"{nearest(name, self.names)}"
                )
        one = all(isinstance(value, str) or np.ndim(value) == 0 for value in given.values())
        cells = {n: [v] if isinstance(v, str) or np.ndim(v) == 0 else v for n, v in given.items()}
        count = max((len(values) for values in cells.values()), default=1)
        cells = {n: list(v) * count if len(v) == 1 else v for n, v in cells.items()}
        cells = columns_in(cells)
        parts = [
            column.coded(cells[column.name])
            if column.name in cells
            else np.zeros((count, len(column.means)))
            for column in self.columns
        ]
        return np.concatenate(parts, axis=1).astype(np.float32), one

    def points(self) -> Iterator[Point]:
        """Where effects are read: one standard deviation up, every level, every knot."""
        start = 0
        for column in self.columns:
            for level, coded in _levels(column):
                row = np.zeros(self.width)
                row[start : start + len(column.means)] = coded
                yield Point(column.name, level, row)
            start += len(column.means)

    def reads(self, name: str) -> str:
        """On what a column acts: "prevalence", "content" or "both"."""
        return next(column.role for column in self.columns if column.name == name)

    def described(self) -> list[list[Any]]:
        """Everything, as JSON can hold it."""
        plain = [column._replace(levels=list(column.levels)) for column in self.columns]
        return [list(column._replace(knots=list(column.knots))) for column in plain]


def _column(found: Mapping[str, Any], name: str) -> Any:
    if name not in found:
        raise InputError(
            f"covariates have no column {name!r}; they have {', '.join(map(repr, found))}"
            f"{nearest(name, found)}"
        )
    return found[name]


def _learnt(spec: Spec, values: Any) -> Column:
    kind = spec.kind or ("number" if _reads_as_numbers(spec.name, values) else "category")
    column = Column(spec.name, kind, spec.role, [0.0])
    if kind == "category":
        cells = names_in(spec.name, values)
        column = column._replace(levels=_levels_of(spec.name, cells, named_levels(values)))
    else:
        read = expected_numbers(spec.name, values)
        _refuse_constant(spec.name, read)
        if kind == "spline":
            places = np.linspace(0, 1, spec.knots)
            column = column._replace(knots=np.unique(np.quantile(read, places)).tolist())
        else:
            column = column._replace(scale=float(read.std()))
    return column._replace(means=_raw(column, values).mean(0).tolist())


def _reads_as_numbers(name: str, values: Any) -> bool:
    typed = np.asarray(values).dtype.kind in "iuf"  # then what is not finite is an error
    return typed or mostly_numbers(present(name, values))


def _levels_of(name: str, cells: NDArray[np.object_], told: Sequence[str]) -> list[str]:
    _refuse_constant(name, cells)
    levels = sorted(set(cells.tolist()))
    if len(levels) == len(cells) > MOST_NAMED:
        raise InputError(
            f"covariates: {name!r} has a different value in each of {len(cells)} documents (such "
            f"as {levels[0]!r}), which is no category; leave it out, or give numbers"
        )
    return list(told) or levels


def _refuse_constant(name: str, cells: NDArray[Any]) -> None:
    if len(set(cells.tolist())) < 2:
        raise InputError(
            f"covariates: {name!r} is {name_of(cells[0])} in every document, and tells none apart; "
            "leave it out"
        )


def _raw(column: Column, values: Any) -> NDArray[np.float64]:
    """The coded columns before they are centred."""
    if column.kind == "category":
        return _one_hot(column, names_in(column.name, values))
    cells = expected_numbers(column.name, values)
    if column.kind == "number":
        return cells[:, None]
    from scipy.interpolate import BSpline

    first, last = column.knots[0], column.knots[-1]
    knots = [first] * DEGREE + list(column.knots) + [last] * DEGREE
    inside = np.clip(cells, first, last)  # beyond what was seen, as at its end
    return np.asarray(BSpline.design_matrix(inside, np.array(knots), DEGREE).toarray())


def _one_hot(column: Column, cells: NDArray[np.object_]) -> NDArray[np.float64]:
    places = {level: place for place, level in enumerate(column.levels)}
    found = np.array([places.get(cell, -1) for cell in cells.tolist()], dtype=np.int64)
    unknown = np.flatnonzero(found < 0)
    if len(unknown):
        row = int(unknown[0])
        known = ", ".join(map(repr, column.levels[:6])) + (", …" if len(places) > 6 else "")
        raise InputError(
            f"covariates, row {row}: {column.name!r} is {cells[row]!r}, which no document of fit "
            f"had; it was {known}{nearest(cells[row], column.levels)}"
        )
    return np.eye(len(places))[found]


def _levels(column: Column) -> Iterator[tuple[str, NDArray[np.float64]]]:
    if column.kind == "number":
        yield f"+{column.scale:.6g}", np.ones(1)
        return
    values = column.levels if column.kind == "category" else column.knots
    for value, coded in zip(values, column.coded(list(values)), strict=True):
        yield str(value) if column.kind == "category" else f"{value:.6g}", coded
