"""A column of cells as numbers."""

from __future__ import annotations

import math
import numbers
import reprlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from topicfactors.corpus.documents import missing
from topicfactors.errors import InputError


def numbers_of(cells: Sequence[Any], place: Callable[[int], str]) -> NDArray[np.float64]:
    """Cells as numbers ``(N,)``, NaN where one is empty.

    Parameters
    ----------
    cells
        Numbers, or texts that say them; None, NaN or nothing but spaces where it is unknown.
    place
        Names the cell of a row in messages.

    Raises
    ------
    InputError
        At the first cell that is no finite number.

    Examples
    --------
    >>> numbers_of([1712, "1698", None, " "], "row {}".format).tolist()
    [1712.0, 1698.0, nan, nan]
    """
    found = getattr(cells, "dtype", None)
    if found is not None and getattr(found, "kind", "") in "biuf":
        values = np.asarray(cells, dtype=np.float64)
    else:
        values = np.array([_number(cell) for cell in cells], dtype=np.float64)
    wrong = np.flatnonzero(np.isinf(values))
    if len(wrong):
        row = int(wrong[0])
        shown = reprlib.repr(list(cells)[row])
        raise InputError(
            f"{place(row)}: {shown} is no finite number; write a number, or nothing where it is "
            "unknown"
        )
    return values


def _number(cell: object) -> float:
    """The number a cell says, NaN for an empty one, infinity for what is none."""
    try:
        if missing(cell) or (isinstance(cell, str) and not cell.strip()):
            return math.nan
        if not isinstance(cell, str | numbers.Real | np.bool_):
            return math.inf
        value = float(cell)
    except (ValueError, OverflowError):
        return math.inf
    return math.inf if math.isnan(value) and isinstance(cell, str) else value
