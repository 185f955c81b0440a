"""What is known of each document beside its words, as columns of numbers or of names."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from topicfactors.corpus.columns import name_of
from topicfactors.corpus.documents import missing
from topicfactors.errors import InputError

DATES = "mM"  # numpy's kinds of dates and of spans of time


def columns_in(source: Any) -> dict[str, Any]:
    """The columns of a table by their names, in its order.

    Parameters
    ----------
    source
        A pandas or polars data frame, an Arrow table, a dict of columns, a structured array, a
        column of a data frame, or an array ``(N,)`` or ``(N, C)`` whose columns are numbered.

    Raises
    ------
    InputError
        When it is none of these, two columns have one name, or they differ in length.

    Examples
    --------
    >>> columns_in({"year": [1543, 1687]})
    {'year': [1543, 1687]}
    """
    if isinstance(source, Mapping):
        named = list(source.items())
    elif hasattr(source, "column_names") and hasattr(source, "to_pydict"):
        named = list(source.to_pydict().items())
    elif hasattr(source, "columns"):
        named = [(name, source[name]) for name in source.columns]
        if len({name for name, _ in named}) < len(named):
            raise InputError("covariates: two columns have the same name; rename one of them")
    else:
        named = _of_array(source)
    columns = {str(name): column for name, column in named}
    lengths = {name: _length(name, column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name!r} has {length}" for name, length in lengths.items())
        raise InputError(f"covariates: columns must have a value for each document, got: {told}")
    return columns


def _of_array(source: Any) -> list[tuple[Any, Any]]:
    texts = isinstance(source, str | bytes)
    array = None if texts or np.ndim(source) == 0 else np.asarray(source)
    if array is None or array.ndim > 2:
        raise InputError(
            "covariates must be a data frame, a dict of columns or an array with a row for each "
            f"document, got {type(source).__name__}"
        )
    if array.dtype.names:
        return [(name, array[name]) for name in array.dtype.names]
    if array.ndim == 1:
        return [(0 if (name := getattr(source, "name", None)) is None else name, source)]
    return [(number, array[:, number]) for number in range(array.shape[1])]


def _length(name: str, column: Any) -> int:
    if isinstance(column, str | bytes) or not hasattr(column, "__len__") or np.ndim(column) == 0:
        raise InputError(
            f"covariates: column {name!r} must have a value for each document, got {column!r}"
        )
    return len(column)


def present(name: str, column: Any) -> Sequence[Any] | NDArray[Any]:
    """The cells of a column, none of them missing.

    Raises
    ------
    InputError
        With the row of the first that is, or when they are dates.
    """
    array = np.asarray(column)
    if array.dtype.kind in DATES:
        raise InputError(
            f"covariates: column {name!r} holds dates; give numbers, such as their years, or names"
        )
    if array.dtype.kind in "iu":
        return array
    plain = array.dtype.kind in "fb" or isinstance(column, np.ndarray)
    cells = array.tolist() if plain else list(column)
    for row, cell in enumerate(cells):
        blank = isinstance(cell, str) and not cell.strip()
        why = "is empty" if blank else missing(cell)
        if why is not None:
            raise InputError(
                f"covariates, row {row}: {name!r} {why}; fill it in or leave that document out"
            )
    return cells


def numbers_in(cells: Sequence[Any] | NDArray[Any]) -> NDArray[np.float64] | None:
    """Cells that all are, or read as, numbers ``(N,)``; None where one does not.

    >>> numbers_in(["1543", "1687.5"]), numbers_in([1543, "MDCL"]), numbers_in([True])
    (array([1543. , 1687.5]), None, None)
    """
    if isinstance(cells, np.ndarray):
        return cells.astype(np.float64)
    read = [_number(cell) for cell in cells]
    return None if any(value is None for value in read) else np.array(read, dtype=np.float64)


def mostly_numbers(cells: Sequence[Any] | NDArray[Any]) -> bool:
    """Does at least half of the cells read as numbers? Then the others are mistakes.

    >>> mostly_numbers(["1543", "1687", "c. 1700"]), mostly_numbers(["iron", "steam", "3"])
    (True, False)
    """
    if isinstance(cells, np.ndarray):
        return True
    return 2 * sum(_number(cell) is not None for cell in cells) >= len(cells)


def _number(cell: Any) -> float | None:
    if isinstance(cell, bool | np.bool_) or not isinstance(cell, numbers.Real | str):
        return None
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def expected_numbers(name: str, column: Any) -> NDArray[np.float64]:
    """A column that must be of numbers, ``(N,)``.

    Raises
    ------
    InputError
        With the first cell that is none.
    """
    cells = present(name, column)
    found = numbers_in(cells)
    if found is None:
        row = next(row for row, cell in enumerate(cells) if _number(cell) is None)
        raise InputError(
            f"covariates, row {row}: {name!r} is {cells[row]!r}; expected a finite number (for "
            f"names use '{name}:category')"
        )
    return found


def names_in(name: str, column: Any) -> NDArray[np.object_]:
    """The cells as names, ``(N,)``; 1850, 1850.0 and "1850" are one name."""
    return np.array([name_of(cell) for cell in present(name, column)], dtype=object)


def named_levels(column: Any) -> list[str]:
    """The names that a column says there are, whether they come or not: a pandas Categorical's.

    >>> named_levels(["iron", "steam"])
    []
    """
    known = getattr(getattr(column, "dtype", None), "categories", None)
    if known is None or not hasattr(known, "__iter__"):
        return []
    return [str(name_of(level)) for level in known]
