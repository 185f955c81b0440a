r"""How much of a document's evidence is believed when its class is asked for.

Words of a document are not independent given its class, so a likelihood that takes them to be is
too sure of long documents: posteriors of 0 or 1, and a few long documents that decide what a class
is. A tempering turns counts into the *evidence* that classes are fitted to and inferred from.
Scores (log p(x), BIC) stay on raw counts. To add one, write the class and put it into TEMPERINGS.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from topicfactors.values import number

COMMONEST = 1.01  # a word in more documents than one in so many still says something


class Seen(NamedTuple):
    """What the training corpus says of its words."""

    documents: NDArray[np.float64]  # (V,) with the word
    size: float  # documents of the corpus


class Tempering(Protocol):
    """Contract of a tempering."""

    def __call__(self, counts: scipy.sparse.csr_matrix, seen: Seen) -> scipy.sparse.csr_matrix:
        """Evidence of counts, both ``(N, V)`` CSR with the same non-zeros."""


class Raw:
    """Counts as they are: the model without tempering."""

    def __call__(self, counts: scipy.sparse.csr_matrix, seen: Seen) -> scipy.sparse.csr_matrix:
        """The same counts."""
        return counts


class Length:
    r"""Counts times :math:`\min(1, c/\sqrt n)`, n the tokens of the document.

    Parameters
    ----------
    most
        c; a document of more than c² tokens counts as one of c·√n.
    """

    def __init__(self, *, most: float = 3.0) -> None:
        number("most", most, 0.0, open_ends="low")
        self.most = most

    def __call__(self, counts: scipy.sparse.csr_matrix, seen: Seen) -> scipy.sparse.csr_matrix:
        """Evidence ``(N, V)``."""
        lengths = np.asarray(counts.sum(1)).ravel()
        share = np.minimum(1.0, self.most / np.sqrt(np.maximum(lengths, 1e-12)))
        return _scaled(counts, share)


class Unit:
    r"""log(1 + x) times a power of the inverse document frequency, at one norm a document.

    Rennie, Shih, Teevan and Karger (2003), "Tackling the Poor Assumptions of Naive Bayes Text
    Classifiers", ICML.

    Parameters
    ----------
    norm
        Euclidean norm of every document's evidence.
    rarity
        Power of log(N / (1 + documents with the word)).
    """

    def __init__(self, *, norm: float = 2.0, rarity: float = 2.0) -> None:
        number("norm", norm, 0.0, open_ends="low")
        number("rarity", rarity)
        self.norm, self.rarity = norm, rarity

    def __call__(self, counts: scipy.sparse.csr_matrix, seen: Seen) -> scipy.sparse.csr_matrix:
        """Evidence ``(N, V)``."""
        rare = np.log(np.maximum(seen.size / (1 + seen.documents), COMMONEST)) ** self.rarity
        evidence = counts.astype(np.float64, copy=True)
        evidence.data = np.log1p(evidence.data) * rare[evidence.indices]
        squares = np.asarray(evidence.multiply(evidence).sum(1)).ravel()
        return _scaled(evidence, self.norm / np.sqrt(np.maximum(squares, 1e-12)))


TEMPERINGS: dict[str, type[Raw] | type[Length] | type[Unit]] = {
    "length": Length,
    "none": Raw,
    "unit": Unit,
}


def _scaled(
    counts: scipy.sparse.csr_matrix, factors: NDArray[np.float64]
) -> scipy.sparse.csr_matrix:
    """Every row times a number."""
    each = np.repeat(factors, np.diff(counts.indptr))
    return scipy.sparse.csr_matrix(
        (counts.data * each, counts.indices, counts.indptr), shape=counts.shape
    )
