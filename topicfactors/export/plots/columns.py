"""What a figure is drawn over: a column of numbers, dates or names."""

from __future__ import annotations

import datetime
import re
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from topicfactors.corpus.columns import name_of
from topicfactors.corpus.covariates import columns_in, mostly_numbers, named_levels, numbers_in
from topicfactors.corpus.documents import missing
from topicfactors.errors import InputError, nearest

DAY = re.compile(r"\d{4}-\d{2}(-\d{2})?([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?")
SECONDS = "datetime64[s]"


class Column(NamedTuple):
    """The cells of a column that are there, and what they are."""

    name: str
    kind: str  # "number", "date" or "name"
    known: NDArray[np.bool_]  # (N,)
    values: NDArray[np.float64]  # of numbers, and dates in seconds since 1970; else empty
    names: list[str]  # of names; else empty
    levels: list[str]  # all that there are, in their order


def column_of(covariate: Any, covariates: Any, documents: int) -> Column:
    """The column that is meant.

    Parameters
    ----------
    covariate
        The name of a column of ``covariates``, or the cells themselves, N of them.
    covariates
        A data frame, a dict of columns, … or None.
    documents
        N.

    Raises
    ------
    InputError
        When there is no such column, it has other rows than documents, or nothing is in it.
    """
    name, cells = _found(covariate, covariates)
    if len(cells) != documents:
        raise InputError(
            f"{name!r} must have a value for each of the {documents:,} documents, got "
            f"{len(cells):,}"
        )
    listed = list(cells.tolist() if _plain(cells) else cells)
    known = np.array([not _blank(cell) for cell in listed])
    kept = [cell for cell, there in zip(listed, known, strict=True) if there]
    if not kept:
        raise InputError(f"{name!r} has no value in any document; expected some to draw over")
    dates = _dates(kept)
    if dates is not None:
        return Column(name, "date", known, dates, [], [])
    if not _named(cells) and mostly_numbers(kept):
        return Column(name, "number", known, _numbers(name, listed, kept), [], [])
    names = [str(name_of(cell)) for cell in kept]
    levels = named_levels(cells) or sorted(set(names))
    return Column(name, "name", known, np.zeros(0), names, [*levels, *sorted({*names} - {*levels})])


def _found(covariate: Any, covariates: Any) -> tuple[str, Any]:
    if not isinstance(covariate, str):
        if not hasattr(covariate, "__len__") or np.ndim(covariate) != 1:
            raise InputError(
                "covariate must be the name of a column, or a value for each document, got a "
                f"{type(covariate).__name__}"
            )
        name = getattr(covariate, "name", None)
        return "the covariate" if name is None else str(name), covariate
    if covariates is None:
        raise InputError(
            f"covariate {covariate!r} is the name of a column; pass the table too, as in "
            "covariates=frame, or the column itself"
        )
    columns = columns_in(covariates)
    if covariate not in columns:
        listed = ", ".join(map(repr, columns))
        raise InputError(
            f"covariates: no column {covariate!r}; there are {listed}{nearest(covariate, columns)}"
        )
    return covariate, columns[covariate]


def _plain(cells: Any) -> bool:
    return isinstance(cells, np.ndarray) and cells.dtype.kind != "M"


def _named(cells: Any) -> bool:
    return hasattr(getattr(cells, "dtype", None), "categories")


def _blank(cell: Any) -> bool:
    if isinstance(cell, np.datetime64):
        return bool(np.isnat(cell))
    return missing(cell) is not None or (isinstance(cell, str) and not cell.strip())


def _dates(cells: list[Any]) -> NDArray[np.float64] | None:
    """Dates as seconds since 1970; None where a cell is none."""
    if all(isinstance(cell, str) and DAY.fullmatch(cell.strip()) for cell in cells):
        cells = [cell.strip().replace(" ", "T") for cell in cells]
    elif not all(isinstance(cell, datetime.date | np.datetime64) for cell in cells):
        return None
    try:
        plain = [_without_zone(cell) for cell in cells]
        return np.array(plain, SECONDS).astype(np.float64)
    except ValueError:  # a 31st of June is a name
        return None


def _without_zone(cell: Any) -> Any:
    if getattr(cell, "tzinfo", None) is not None:
        cell = cell.astimezone(datetime.UTC).replace(tzinfo=None)
    return np.datetime64(cell, "s")


def _numbers(name: str, listed: list[Any], kept: list[Any]) -> NDArray[np.float64]:
    found = numbers_in(kept)
    if found is None:
        row = next(
            row
            for row, cell in enumerate(listed)
            if not _blank(cell) and numbers_in([cell]) is None
        )
        raise InputError(
            f"{name!r}, row {row}: {listed[row]!r} is no finite number, and most of the others "
            "are; mend it, or leave it empty"
        )
    return found


def as_dates(places: list[float]) -> list[str]:
    """Seconds since 1970 as plotly reads dates."""
    return [str(np.datetime64(round(place), "s")) for place in places]
