"""What is wrong with counts that scikit-learn's checks refuse: one line, with the place."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse


def refusal(error: BaseException, X: Any) -> str:
    """scikit-learn's message without its advice, with the first cell at fault and the cure."""
    first = str(error).strip().partition("\n")[0]
    if first.startswith("Expected 2D array"):
        given = f"shape {X.shape}" if hasattr(X, "shape") else type(X).__name__
        return (
            f"X must be a 2-D array (documents, words), got {given}. Reshape your data: "
            "X.reshape(1, -1) where it is one document"
        )
    if "could not convert string" in first or _is_texts(X):
        return (
            f"X must be counts (documents, words): {first}; turn texts into counts with "
            "DocumentVectorizer, as in make_pipeline(DocumentVectorizer(), model)"
        )
    asked = any(word in first for word in ("NaN", "infinity", "Negative values"))
    where = _fault(X) if asked else None
    if where is None:
        return first
    row, column, value = where
    return (
        f"{first.rstrip('.')}: row {row}, column {column} is {value:g}; counts are finite numbers "
        "of 0 or more"
    )


def _is_texts(X: Any) -> bool:
    return isinstance(X, list | tuple) and bool(X) and all(isinstance(x, str) for x in X)


def _fault(X: Any) -> tuple[int, int, float] | None:
    """Row, column and value of the first count that is none."""
    try:
        if scipy.sparse.issparse(X):
            entries = X.tocoo()
            wrong = np.flatnonzero(~(np.isfinite(entries.data) & (entries.data >= 0)))
            if not len(wrong):
                return None
            at = wrong[np.lexsort((entries.col[wrong], entries.row[wrong]))[0]]
            return int(entries.row[at]), int(entries.col[at]), float(entries.data[at])
        cells = np.asarray(X, dtype=float)
        places = np.argwhere(~(np.isfinite(cells) & (cells >= 0)))
        if cells.ndim != 2 or not len(places):
            return None
        row, column = (int(place) for place in places[0])
        return row, column, float(cells[row, column])
    except (TypeError, ValueError):
        return None
