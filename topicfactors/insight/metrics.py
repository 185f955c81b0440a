"""Scores of factors and of documents, as docs/mathematics.md defines them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

Array = NDArray[np.floating]


class Perplexity(NamedTuple):
    """How well documents are predicted; lower is better."""

    per_document: float  # exp(−mean over documents of log p / tokens)
    corpus: float  # exp(−Σ log p / Σ tokens)
    standard_error: float  # of per_document, over documents
    documents: int  # scored
    left_out: int  # empty, so not scored


def perplexity(log_prob: Array, lengths: Array) -> Perplexity:
    """Perplexities of documents with log-probabilities ``(N,)`` nats and lengths ``(N,)`` tokens.

    >>> perplexity(np.array([-2.0, 0.0]), np.array([1.0, 0.0])).left_out
    1
    """
    used = np.asarray(lengths) > 0
    if not used.any():
        return Perplexity(float("nan"), float("nan"), float("nan"), 0, len(used))
    logs, tokens = np.asarray(log_prob, np.float64)[used], np.asarray(lengths, np.float64)[used]
    each = -logs / tokens
    per_document = float(np.exp(each.mean()))
    error = per_document * float(each.std()) / math.sqrt(len(each))
    corpus = float(np.exp(-logs.sum() / tokens.sum()))
    return Perplexity(per_document, corpus, error, int(used.sum()), int((~used).sum()))


class Company:
    """How often the words of each factor come, and come together, in documents read in parts.

    Parameters
    ----------
    columns
        The words of each factor ``(D, n)``.
    """

    def __init__(self, columns: NDArray[np.int64]) -> None:
        self.columns = columns
        self.used, self.places = np.unique(columns, return_inverse=True)
        self.together = scipy.sparse.csr_matrix((len(self.used), len(self.used)))  # documents
        self.documents = 0

    def add(self, counts: Any) -> None:
        """Presence in some documents more, ``(N, V)``."""
        present = scipy.sparse.csc_matrix(counts[:, self.used], copy=True)
        present.data = (present.data > 0).astype(np.float64)
        self.together = self.together + (present.T @ present).tocsr()
        self.documents += counts.shape[0]

    def npmi(self) -> Array:
        """Normalised pointwise mutual information of each factor's words, ``(D,)`` in [−1, 1].

        The mean over the pairs of words; a pair that never comes together counts −1 (Bouma, 2009).
        """
        first, second = np.triu_indices(self.columns.shape[1], 1)
        if len(first) == 0:
            return np.zeros(len(self.columns))
        places = self.places.reshape(self.columns.shape)
        left, right = places[:, first].ravel(), places[:, second].ravel()
        joint = self.together / self.documents
        together, alone = np.asarray(joint[left, right]).ravel(), joint.diagonal()
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.log(together) - np.log(alone[left] * alone[right])
            scores = np.where(together > 0, ratio / -np.log(together), -1.0)
        scores = np.clip(np.where(together >= 1, 1.0, scores), -1.0, 1.0)  # rounding
        return np.asarray(scores.reshape(len(self.columns), -1).mean(1))


def npmi(counts: Any, columns: NDArray[np.int64]) -> Array:
    """The same by presence in the documents of ``counts (N, V)``, ``(D,)``."""
    company = Company(columns)
    company.add(counts)
    return company.npmi()


def c_v(texts: Iterable[Sequence[str]], words: Sequence[Sequence[str]]) -> Array:
    """C_V of each factor's words (Röder, Both and Hinneburg, 2015), gensim's, ``(D,)``.

    A window of 110 words slides over each text of ``texts``, the words of documents in their order.
    NaN for a factor one of whose words never comes in them.
    """
    from gensim.corpora import Dictionary
    from gensim.models import CoherenceModel

    documents = [list(text) for text in texts]
    dictionary = Dictionary(documents)
    known = [all(word in dictionary.token2id for word in listed) for listed in words]
    scores = np.full(len(words), np.nan)
    asked = [list(listed) for listed, there in zip(words, known, strict=True) if there]
    if asked and len(asked[0]) > 1:
        model = CoherenceModel(
            topics=asked,
            texts=documents,
            dictionary=dictionary,
            coherence="c_v",
            topn=len(asked[0]),
            processes=1,
        )
        scores[np.flatnonzero(known)] = model.get_coherence_per_topic()
    return scores


def diversity(columns: NDArray[np.int64]) -> float:
    """Share of different words among all the words listed, ``columns (D, n)``."""
    return len(np.unique(columns)) / max(1, columns.size)
