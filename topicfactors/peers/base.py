"""What a model is given in a comparison, and what it gives back.

A peer is a function ``(Given) -> Learnt`` with what there is to say of it, a :class:`Peer`; to add
one, write it in a file of its own and put it into PEERS.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
TOP = 10  # words of a topic
LEAST = 1e-12  # probability below which none is taken: a logarithm is to be had
BLOCK = 2**22  # numbers of a block of predictions


class Given(NamedTuple):
    """The corpus and the settings of one fit."""

    counts: Any  # (N, V) CSR, whole numbers as float64
    words: Sequence[str]
    order: Sequence[NDArray[np.int64]] | None  # columns of each document's tokens, where known
    texts: Sequence[str] | None  # as they were written, where known
    held_out: Any  # (M, V) CSR
    held_out_texts: Sequence[str] | None
    topics: int
    seed: int
    threads: int
    device: str

    def documents(self) -> list[list[str]]:
        """Columns of each training document's tokens, as texts: in their order where it is known.

        >>> import scipy.sparse
        >>> counts = scipy.sparse.csr_matrix([[2.0, 0.0, 1.0]])
        >>> Given(counts, ["a", "b", "c"], None, None, counts, None, 1, 0, 1, "cpu").documents()
        [['0', '0', '2']]
        """
        if self.order is None:
            return spelt_out(self.counts)
        return [[str(column) for column in columns] for columns in self.order]


class Learnt(NamedTuple):
    """A fitted model."""

    topics: Sequence[Sequence[int]]  # columns of each topic's top words, its own ranking
    transform: Callable[[Any], Any]  # of counts (M, V)
    completion: Callable[[Any, Any], float] | None  # perplexity of unseen given seen counts (M, V)


class Peer(NamedTuple):
    """A model of another package."""

    label: str
    fit: Callable[[Given], Learnt]
    modules: tuple[str, ...]  # that it needs
    packages: tuple[str, ...]  # with which pip brings them
    settings: str  # in words

    def installed(self) -> bool:
        """Are its modules there?"""
        return all(importlib.util.find_spec(name) is not None for name in self.modules)


def spelt_out(counts: Any) -> list[list[str]]:
    """The tokens of documents ``(N, V)`` as texts of their columns, in the order of the columns."""
    matrix = counts.tocsr()
    columns = np.repeat(matrix.indices, matrix.data.astype(np.int64)).astype(str)
    lengths = np.asarray(matrix.sum(axis=1)).ravel().astype(np.int64)
    return [list(map(str, part)) for part in np.split(columns, np.cumsum(lengths)[:-1])]


def best(weights: Floats) -> list[list[int]]:
    """Columns of the largest weights ``(K, V)`` of each topic, the largest first."""
    order = np.argsort(-weights, axis=1, kind="stable")[:, :TOP]
    return [[int(column) for column in row] for row in order]


def mixed(
    topic_word: Floats,
    shares: Callable[[Any], Floats],
    mean_shares: Callable[[Any], Floats] | None = None,
) -> Learnt:
    """A mixture of topics, as LDA learns it.

    Parameters
    ----------
    topic_word
        Word weights of each topic, ``(K, V)``; made to sum to one.
    shares
        From counts ``(M, V)`` to the weight of each topic in each document, ``(M, K)``, likewise.
    mean_shares
        The same as posterior means, where ``shares`` are a draw; None where they are means.
    """
    words = topic_word / topic_word.sum(1, keepdims=True)

    def completion(seen: Any, unseen: Any) -> float:
        """Perplexity of the unseen tokens given the seen ones."""
        found = np.asarray((mean_shares or shares)(seen), np.float64)
        return predicted(found / found.sum(1, keepdims=True), words, unseen)

    return Learnt(best(words), shares, completion)


def predicted(shares: Floats, topic_word: Floats, unseen: Any) -> float:
    r"""Perplexity of tokens under the mixtures of their documents.

    .. math:: \exp\left(-\frac{\sum_{nv} x_{nv} \log \sum_k \theta_{nk} \phi_{kv}}
              {\sum_{nv} x_{nv}}\right)

    Parameters
    ----------
    shares
        Topic shares :math:`\theta` of each document, ``(M, K)``; their posterior means, so that
        the sum over k is the mean of the predictive distribution over the posterior.
    topic_word
        Word probabilities :math:`\phi` of each topic, ``(K, V)``.
    unseen
        Counts ``(M, V)``.

    Examples
    --------
    >>> shares, words = np.array([[0.5, 0.5]]), np.array([[1.0, 0.0], [0.5, 0.5]])
    >>> import scipy.sparse
    >>> round(predicted(shares, words, scipy.sparse.csr_matrix([[1, 0]])), 4)  # 1 / 0.75
    1.3333
    """
    cells = unseen.tocoo()
    step = max(1, BLOCK // topic_word.shape[0])
    total = 0.0
    for first in range(0, cells.nnz, step):
        part = slice(first, first + step)
        both = shares[cells.row[part]] * topic_word.T[cells.col[part]]
        logs = np.log(np.maximum(both.sum(1), LEAST))
        total += float(cells.data[part] @ logs)
    return float(np.exp(-total / cells.data.sum()))
