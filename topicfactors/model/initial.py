"""Where training starts: background frequencies, and loadings from a quick look at the corpus.

A start is measured by what it gives and what it costs; benchmarks/starts.md has the table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import NMF
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.preprocessing import normalize
from sklearn.utils.extmath import randomized_svd

Initial = Callable[[Any, int, int], NDArray[np.float64]]
"""``(counts (N, V) CSR, factors D, seed) -> loadings (D, V)``."""

STRENGTH = 0.4  # of the log-lifts; at 1 factors die (docs/mathematics.md)


def background(counts: Any) -> NDArray[np.float64]:
    """Log-frequencies of the words, each count raised by ½, ``(V,)`` nats; they sum to one."""
    totals = np.asarray(counts.sum(axis=0), dtype=np.float64).ravel() + 0.5
    return np.asarray(np.log(totals / totals.sum()))


def random(counts: Any, factors: int, seed: int) -> NDArray[np.float64]:
    """Small normal loadings ``(D, V)``: no look at the corpus at all."""
    return np.random.default_rng(seed).normal(0.0, 0.1, (factors, counts.shape[1]))


def clusters(counts: Any, factors: int, seed: int) -> NDArray[np.float64]:
    """Log-lifts ``(D, V)`` of k-means clusters on a truncated SVD of tf-idf."""
    tfidf = _tfidf(counts)
    wanted = min(factors, *(size - 1 for size in tfidf.shape))
    if wanted < 2 or tfidf.nnz == 0:
        return random(counts, factors, seed)
    labels = _clustered(tfidf, wanted, max(2, min(50, wanted)), seed)
    members = scipy.sparse.csr_matrix(
        (np.ones(len(labels)), (labels, np.arange(len(labels)))), shape=(wanted, len(labels))
    )
    return _loadings(np.asarray((members @ tfidf).todense()), tfidf, counts, factors, seed)


def clustered(counts: Any, components: int, seed: int) -> NDArray[np.int64]:
    """A component for every document ``(N,)``: k-means on a truncated SVD of tf-idf."""
    tfidf = _tfidf(counts)
    dimensions = min(50, *(size - 1 for size in tfidf.shape))
    if min(dimensions, components) < 2 or tfidf.nnz == 0:
        return scattered(counts, components, seed)
    return _clustered(tfidf, min(components, tfidf.shape[0]), dimensions, seed)


def scattered(counts: Any, components: int, seed: int) -> NDArray[np.int64]:
    """A component for every document ``(N,)``, at random."""
    labels = np.random.default_rng(seed).integers(components, size=counts.shape[0])
    return np.asarray(labels, np.int64)


def nmf(counts: Any, factors: int, seed: int) -> NDArray[np.float64]:
    """Log-lifts ``(D, V)`` of the components of a non-negative factorisation of tf-idf."""
    tfidf = _tfidf(counts)
    wanted = min(factors, *tfidf.shape)
    if tfidf.nnz == 0:
        return random(counts, factors, seed)
    model = NMF(wanted, init="nndsvda" if wanted > 1 else "random", tol=1e-3, random_state=seed)
    return _loadings(model.fit(tfidf).components_, tfidf, counts, factors, seed)


def seeded_by(counts: Any, words: Sequence[int]) -> NDArray[np.float64]:
    """Log-lifts ``(V,)`` of the documents with some of the words, more of them weighing more."""
    tfidf = _tfidf(counts)
    has = np.asarray((counts[:, words] > 0).sum(axis=1), dtype=np.float64).ravel()
    loadings = _loadings(np.atleast_2d(tfidf.T @ has), tfidf, counts, 1, 0)
    return np.asarray(loadings[0])


def _tfidf(counts: Any) -> Any:
    """tf-idf of damped counts: 1 + log x from one token up, x itself for fractions below."""
    damped = scipy.sparse.csr_matrix(counts, dtype=np.float64, copy=True)
    damped.eliminate_zeros()
    damped.data = np.where(damped.data < 1, damped.data, 1 + np.log(damped.data))
    return TfidfTransformer().fit_transform(damped)


def _clustered(tfidf: Any, wanted: int, dimensions: int, seed: int) -> NDArray[np.int64]:
    left, scales, _ = randomized_svd(tfidf, dimensions, random_state=seed)
    return _kmeans(normalize(left * scales), wanted, seed)


def _kmeans(documents: NDArray[np.float64], wanted: int, seed: int) -> NDArray[np.int64]:
    if len(np.unique(documents.round(12), axis=0)) < wanted:  # copies: more centres than points
        return np.arange(len(documents)) % wanted
    labels = KMeans(wanted, n_init=1, random_state=seed).fit_predict(documents)
    return np.asarray(labels, dtype=np.int64)


def _loadings(
    components: NDArray[np.float64], tfidf: Any, counts: Any, factors: int, seed: int
) -> NDArray[np.float64]:
    """Clipped log-lifts of each component's words over the corpus; missing rows are random."""
    base = np.asarray(tfidf.sum(axis=0)).ravel()
    base = base / base.sum()
    rows = components / np.maximum(components.sum(1, keepdims=True), 1e-12)
    smooth = 0.1 / len(base)
    lifts = np.log((rows + smooth) / (base + smooth))
    loadings = random(counts, factors, seed)
    loadings[: len(lifts)] = STRENGTH * np.clip(lifts, 0.02, 3.0)
    return loadings


INITIALS: dict[str, Initial] = {"clusters": clusters, "nmf": nmf, "random": random}

Assignment = Callable[[Any, int, int], NDArray[np.int64]]
"""``(counts (N, V) CSR, components K, seed) -> component of every document (N,)``."""

ASSIGNMENTS: dict[str, Assignment] = {"clusters": clustered, "random": scattered}
