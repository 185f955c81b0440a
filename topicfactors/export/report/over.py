"""How often factors are on over a covariate, or in the documents of a label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from topicfactors.corpus.cells import numbers_of
from topicfactors.corpus.documents import missing
from topicfactors.errors import InputError
from topicfactors.export.report.packing import rounded

BINS = 20  # of a numeric column, at most
MOST = 40  # categories: those with the most documents
LABELS = "label"


def over(
    found: NDArray[np.floating],
    labels: Sequence[str | None] | None,
    columns: Mapping[str, Sequence[Any]],
) -> list[dict[str, Any]]:
    """A view of the labels and of each column: bins, and how often factors are on in each.

    Parameters
    ----------
    found
        Probabilities ``(N, D)``.
    labels, columns
        Of the documents; None and NaN where they are unknown.

    Returns
    -------
    list of dict
        ``bins`` are names, or the middles of intervals; ``documents`` how many each has; ``means``
        and ``errors`` (standard errors, over documents) a list a factor. Columns that tell no two
        documents apart are left out.
    """
    views = [] if labels is None else [_by_name(found, LABELS, labels)]
    for name, values in columns.items():
        numbers = _numbers(values)
        if numbers is None:
            views.append(_by_name(found, name, values))
        else:
            views.append(_by_number(found, name, numbers))
    return [view for view in views if len(view["bins"]) > 1]


def _numbers(values: Sequence[Any]) -> NDArray[np.float64] | None:
    try:
        return numbers_of(values, str)
    except InputError:
        return None


def _by_name(found: NDArray[np.floating], name: str, values: Sequence[Any]) -> dict[str, Any]:
    cells = [None if missing(value) or value == "" else str(value) for value in values]
    counted = Counter(cell for cell in cells if cell is not None)
    names = sorted(cell for cell, _ in counted.most_common(MOST))
    places = {cell: place for place, cell in enumerate(names)}
    bins = np.array([places.get(cell or "", -1) for cell in cells], dtype=np.int64)
    view = _view(found, name, bins, names)
    return view | {"numeric": False, "left_out": len(counted) - len(names)}


def _by_number(
    found: NDArray[np.floating], name: str, numbers: NDArray[np.float64]
) -> dict[str, Any]:
    """Each value a bin where they are few, else intervals of the same width."""
    known = np.isfinite(numbers)
    distinct = np.unique(numbers[known])
    bins = np.full(len(numbers), -1)
    if len(distinct) <= BINS:
        middles = distinct
        bins[known] = np.searchsorted(distinct, numbers[known])
    else:
        edges = np.linspace(distinct[0], distinct[-1], BINS + 1)
        middles = (edges[1:] + edges[:-1]) / 2
        bins[known] = np.clip(np.searchsorted(edges, numbers[known], "right") - 1, 0, BINS - 1)
    there = np.unique(bins[bins >= 0])
    bins = np.where(bins >= 0, np.searchsorted(there, bins), -1)
    view = _view(found, name, bins, [rounded(value, 6) for value in middles[there].tolist()])
    return view | {"numeric": True, "left_out": 0}


def _view(
    found: NDArray[np.floating], name: str, bins: NDArray[Any], names: Sequence[Any]
) -> dict[str, Any]:
    """Mean and standard error of every factor in each bin; −1 are documents in none."""
    known = bins >= 0
    sizes = np.bincount(bins[known], minlength=len(names)).astype(np.float64)
    told = np.asarray(found[known], np.float64)
    total, square = np.zeros((2, len(names), found.shape[1]))
    np.add.at(total, bins[known], told)
    np.add.at(square, bins[known], told**2)
    means = total / np.maximum(sizes, 1)[:, None]
    variances = np.maximum(square / np.maximum(sizes, 1)[:, None] - means**2, 0)
    errors = np.sqrt(variances / np.maximum(sizes - 1, 1)[:, None])
    return {
        "name": name,
        "bins": list(names),
        "documents": sizes.astype(int).tolist(),
        "unknown": int(np.count_nonzero(~known)),
        "means": np.round(means.T, 4).tolist(),
        "errors": np.round(errors.T, 4).tolist(),
    }
