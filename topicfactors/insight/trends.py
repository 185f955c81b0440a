"""How often factors are on over something else that is known of the documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Trend(NamedTuple):
    """Mean P(on) of D factors in G groups of documents."""

    places: list[Any]  # G: the mean value of each group, or its name
    means: Array  # (G, D)
    errors: Array  # (G, D) standard error of each mean over its documents; NaN of a single one
    documents: NDArray[np.int64]  # (G,)


def over_numbers(values: Array, probabilities: NDArray[np.floating], bins: int) -> Trend:
    """Documents in at most ``bins`` bins of about as many documents each.

    Documents with the same value stay together, so a value that most have fills a bin alone. A
    place is the mean value of its bin.

    Parameters
    ----------
    values
        A finite number for each document, ``(N,)``.
    probabilities
        P(on | document), ``(N, D)``.
    bins
        At most so many.

    Examples
    --------
    >>> found = over_numbers(np.array([1.0, 1, 2, 3]), np.array([[0], [1], [1], [1]]), 2)
    >>> found.places, found.means.ravel().tolist()
    ([1.0, 2.5], [0.5, 1.0])
    """
    each, first = np.unique(values, return_inverse=True)
    if len(each) <= bins:
        groups = first
    else:
        below = np.searchsorted(np.sort(values), each)  # documents with a smaller value
        middle = below + np.bincount(first) / 2
        groups = np.floor(middle * bins / len(values)).astype(np.int64)[first]
    _, groups = np.unique(groups, return_inverse=True)
    counts = np.bincount(groups)
    places = np.bincount(groups, weights=values) / counts
    return Trend([float(place) for place in places], *_moments(groups, probabilities, counts))


def over_levels(
    names: Sequence[str], probabilities: NDArray[np.floating], levels: Sequence[str]
) -> Trend:
    """Documents by the name of their level; a row for every one of ``levels`` that any has.

    Parameters
    ----------
    names
        The level of each document, N of them.
    probabilities
        P(on | document), ``(N, D)``.
    levels
        All levels, in the order in which they are listed.
    """
    number = {level: place for place, level in enumerate(dict.fromkeys(levels))}
    places = np.array([number[name] for name in names], np.int64)
    present, groups = np.unique(places, return_inverse=True)
    listed = list(number)
    counts = np.bincount(groups)
    return Trend([listed[place] for place in present], *_moments(groups, probabilities, counts))


def _moments(
    groups: NDArray[np.int64], probabilities: NDArray[np.floating], counts: NDArray[np.int64]
) -> tuple[Array, Array, NDArray[np.int64]]:
    """Means, their standard errors, and documents of each group."""
    q = np.asarray(probabilities, np.float64)
    means, squares = np.zeros((2, len(counts), q.shape[1]))
    np.add.at(means, groups, q)
    means /= counts[:, None]
    np.add.at(squares, groups, np.square(q - means[groups]))
    free = np.where(counts > 1, counts - 1, np.nan)[:, None]
    return means, np.sqrt(squares / free / counts[:, None]), counts


def variation(trend: Trend) -> Array:
    """How far the groups' means lie apart, ``(D,)``: their standard deviation over documents."""
    shares = trend.documents / trend.documents.sum()
    centre = shares @ trend.means
    return np.asarray(np.sqrt(shares @ np.square(trend.means - centre)))
