"""Which factors come together: how often two are on in one document, against independence."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

Array = NDArray[np.float64]
PSEUDO = 0.5  # documents added to both counts, so that a pair of two rare factors says nothing


class Coactivation(NamedTuple):
    """How often pairs of factors are on together in N documents."""

    together: Array  # (D, D) expected number of documents with both on
    expected: Array  # (D, D) the same if the factors were independent
    doublings: Array  # (D, D) log2 of the shrunk ratio; 0 is independence, the diagonal NaN
    documents: int


def coactivation(probabilities: NDArray[np.floating]) -> Coactivation:
    r"""Pairs of factors on together, against independence.

    With q the posterior probabilities, :math:`O_{de} = \sum_i q_{id} q_{ie}` documents have both on
    and :math:`E_{de} = \sum_i q_{id} \sum_i q_{ie} / N` would if the factors were independent.
    The measure is the information component of Bate et al. (1998), shrunk as Norén et al. (2013)
    do,

    .. math:: \log_2 \frac{O_{de} + ½}{E_{de} + ½}:

    1 where a pair comes twice as often as by chance, −1 where half as often, near 0 where both
    counts are small. Within one document the factors are taken as independent given its words.

    Parameters
    ----------
    probabilities
        P(on | document), ``(N, D)``; documents without words say nothing and are best left out.

    Examples
    --------
    >>> q = np.array([[1, 1, 0]] * 4 + [[0, 0, 1]] * 4)
    >>> coactivation(q).doublings[0].round(2).tolist()
    [nan, 0.85, -2.32]
    """
    q = np.asarray(probabilities, np.float64)
    together = q.T @ q
    totals = q.sum(0)
    expected = np.outer(totals, totals) / max(1, len(q))
    doublings = np.log2((together + PSEUDO) / (expected + PSEUDO))
    np.fill_diagonal(doublings, np.nan)
    return Coactivation(together, expected, doublings, len(q))


def clustered(likeness: Array) -> NDArray[np.int64]:
    """An order ``(D,)`` in which what is alike stands together.

    The leaves of an average-linkage tree (Bar-Joseph et al., 2001, order them) over the distances
    max − likeness.

    Parameters
    ----------
    likeness
        Symmetric ``(D, D)``; its diagonal is not read.
    """
    size = len(likeness)
    if size < 3:
        return np.arange(size)
    apart = np.array(likeness, np.float64)
    np.fill_diagonal(apart, 0.0)
    apart = np.nanmax(apart) - apart
    np.fill_diagonal(apart, 0.0)
    tree = linkage(squareform((apart + apart.T) / 2), "average", optimal_ordering=True)
    return np.asarray(leaves_list(tree), np.int64)
