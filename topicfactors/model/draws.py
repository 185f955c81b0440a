"""Documents drawn from a state of the model, as sparse counts; dense only a block at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

BLOCK = 2**22  # numbers of a dense block

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Generator = np.random.Generator


def tokens(shares: Floats, lengths: Whole, generator: Generator) -> scipy.sparse.csr_matrix:
    """Independent draws with word probabilities ``(V,)``, lengths ``(N,)`` tokens."""
    drawn = generator.choice(len(shares), int(lengths.sum()), p=shares)
    documents = np.repeat(np.arange(len(lengths)), lengths)
    ones, shape = np.ones(len(drawn)), (len(lengths), len(shares))
    return scipy.sparse.csr_matrix((ones, (documents, drawn)), shape=shape)


def urns(masses: Floats, lengths: Whole, generator: Generator) -> scipy.sparse.csr_matrix:
    """Draws from urns with starting masses ``(V,)``: every document has its own probabilities."""

    def block(rows: Whole) -> NDArray[Any]:
        weights = generator.standard_gamma(masses, (len(rows), len(masses))) + 1e-300
        return generator.multinomial(rows, weights / weights.sum(1, keepdims=True))

    return _blocks(block, lengths, len(masses))


def rates(each: Floats, lengths: Whole, generator: Generator) -> scipy.sparse.csr_matrix:
    """Poisson counts with rates ``(V,)`` a token of length."""
    return _blocks(lambda rows: generator.poisson(rows[:, None] * each), lengths, len(each))


def presence(chances: Floats, lengths: Whole, generator: Generator) -> scipy.sparse.csr_matrix:
    """Words that are there with chances ``(V,)``, whatever the length."""

    def block(rows: Whole) -> NDArray[Any]:
        return (generator.random((len(rows), len(chances))) < chances).astype(np.float64)

    return _blocks(block, lengths, len(chances))


def _blocks(
    draw: Callable[[Whole], NDArray[Any]], lengths: Whole, words: int
) -> scipy.sparse.csr_matrix:
    size = max(1, BLOCK // words)
    starts = range(0, max(1, len(lengths)), size)
    parts = [scipy.sparse.csr_matrix(draw(lengths[start : start + size])) for start in starts]
    return scipy.sparse.vstack(parts).astype(np.float64).tocsr()
