"""Which words of a factor come together: the order in which they are read.

Evidence alone makes lists of words that each speak for the factor and are never seen side by side,
in short texts above all. Here they are chosen one after the other, each for what it says of the
factor and for how often it comes with those before it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from topicfactors.insight.topics import Factors, evidence, exclusive, top_columns

LISTED = 30  # words of a factor that are put in order
CANDIDATES = 200  # words of a factor of which they are chosen
OWN = 4  # power of a word's evidence as a share of what it says of the factor it tells most about
DOCUMENTS = 50_000  # most of which pairs are counted
PARTNERS = 9  # that the first word is to come with: those of a list of ten

Array = NDArray[np.floating]


def word_order(
    counts: Any, factors: Factors, words: int = LISTED, candidates: int = CANDIDATES
) -> NDArray[np.int64]:
    """Columns of the words of every factor in the order of reading, ``(D, words)``.

    A word's strength in a factor is its evidence e there times (e / max e)⁴, the maximum over the
    factors, as a share of the strongest word's. The first word has most strength and company (its
    mean with its nine best companions); each further one most strength plus its mean
    :func:`company` with the words before it. So the first ten words are ten that come together,
    and the first five five.

    Where fewer words speak for a factor, the rest is in the order of ``exclusive``.

    Parameters
    ----------
    counts
        ``(N, V)`` sparse; presence is read, of 50,000 documents at equal distances where there are
        more.
    factors
        What the model knows of its factors.
    words
        Put in order a factor; all of them where there are fewer.
    candidates
        The strongest words of a factor, of which they are chosen.
    """
    told = np.maximum(evidence(factors), 0.0)
    best = told.max(0)
    share = np.divide(told, best, out=np.zeros_like(told), where=best > 0)
    strengths = told * share**OWN
    columns = top_columns(strengths, candidates)
    present = _present(counts, np.unique(columns))
    rest = top_columns(exclusive(factors), words)
    order = np.empty((len(told), rest.shape[1]), np.int64)
    for factor, chosen in enumerate(columns):
        strength = strengths[factor, chosen]
        chosen, strength = chosen[strength > 0], strength[strength > 0]
        order[factor] = _filled(chosen[_chosen(present(chosen), strength, words)], rest[factor])
    return order


def company(together: Array, documents: int) -> Array:
    """What NPMI is expected to be in another corpus of the size, ``(n, n)`` in [−1, 1].

    A pair seen in c of N documents is missing there with probability e^{−c} (Poisson), and counts
    −1 then: (1 − e^{−c})·npmi − e^{−c}. So pairs that came together once or twice by chance are
    not believed.

    Parameters
    ----------
    together
        ``(n, n)`` documents with both words; on the diagonal those with the word.
    documents
        N.
    """
    joint = together / documents
    alone = np.diag(joint)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(joint) - np.log(np.outer(alone, alone))
        scores = np.where(joint < 1, ratio / -np.log(joint), 1.0)
    missing = np.exp(-together)
    return np.asarray(np.where(together > 0, (1 - missing) * scores - missing, -1.0))


def _present(counts: Any, columns: NDArray[np.int64]) -> Any:
    """``columns (n,) -> company (n, n)`` of some columns of the counts."""
    rows = scipy.sparse.csr_matrix(counts)  # shares its arrays
    step = -(-counts.shape[0] // DOCUMENTS)
    used = scipy.sparse.csc_matrix((rows[::step] if step > 1 else rows)[:, columns])
    used.data = (used.data > 0).astype(np.float32)

    def of(chosen: NDArray[np.int64]) -> Array:
        there = used[:, np.searchsorted(columns, chosen)]
        together = np.asarray((there.T @ there).todense(), np.float64)
        return company(together, used.shape[0])

    return of


def _chosen(pairs: Array, strength: Array, words: int) -> list[int]:
    """Places of the words in the order of reading, the strongest and closest first."""
    if len(strength) == 0:
        return []
    strength = strength / strength.max()
    apart = np.where(np.eye(len(pairs), dtype=bool), -np.inf, pairs)
    partners = min(PARTNERS, len(pairs) - 1)
    close = np.sort(apart, axis=1)[:, len(pairs) - partners :]
    first = int(np.argmax(strength + (close.mean(1) if partners else 0.0)))
    order, total = [first], pairs[first].copy()
    left = np.ones(len(pairs), bool)
    left[first] = False
    while len(order) < min(words, len(pairs)):
        value = np.where(left, strength + total / len(order), -np.inf)
        order.append(following := int(value.argmax()))
        left[following] = False
        total += pairs[following]
    return order


def _filled(order: NDArray[np.int64], rest: NDArray[np.int64]) -> NDArray[np.int64]:
    """As many columns as ``rest`` has: those in order, then those of the rest that are not."""
    others = rest[~np.isin(rest, order)]
    return np.concatenate([order, others])[: len(rest)]
