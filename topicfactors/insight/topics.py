"""Which words stand for a factor.

A ranking is a function ``Factors -> scores (D, V)``; to add one, write it and put it into
RANKINGS. benchmarks/rankings.md has the measured coherence and diversity of each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from topicfactors.errors import unknown_name

Array = NDArray[np.floating]
SUPPORT = 30  # documents at which half of a word's evidence is believed
RELEVANCE = 0.6  # weight of the probability beside the lift
DEAD = 0.05**2  # least variance between documents of a posterior that says something


class Factors(NamedTuple):
    """What a fitted model knows of its factors; the input of every ranking."""

    loadings: Array  # (D, V) change of log-weight when the factor is on
    on: Array  # (D, V) word probabilities with the factor on, the others at their prevalence
    background: Array  # (V,) the same of the training corpus, without regard to factors
    document_frequency: Array  # (V,) training documents with the word
    prevalence: Array  # (D,) mean posterior probability over the training documents
    log_odds: Array  # (D, V) nats that one occurrence of the word adds to the factor's log-odds
    order: NDArray[np.int64] | None = None  # (D, n) columns that come together, best first


def weight(factors: Factors) -> Array:
    """W itself, ``(D, V)``: the log of what multiplies the word's odds. Favours rare words."""
    return factors.loadings


def probability(factors: Factors) -> Array:
    """p(word | factor on), ``(D, V)``: what its documents are made of. Favours common words."""
    return factors.on


def lift(factors: Factors) -> Array:
    """Log p(word | factor on) / p(word), ``(D, V)``: how many times the corpus rate (Taddy, 2012).

    Favours rare words.
    """
    return np.asarray(np.log(factors.on) - np.log(factors.background))


def relevance(factors: Factors) -> Array:
    """0.6·log p(word | factor on) + 0.4·lift, ``(D, V)``: between the two.

    Sievert and Shirley (2014).
    """
    return np.asarray(RELEVANCE * np.log(factors.on) + (1 - RELEVANCE) * lift(factors))


def frex(factors: Factors) -> Array:
    """Frequent and exclusive (Bischof and Airoldi, 2012), ``(D, V)`` in (0, 1].

    The harmonic mean of two ranks within the factor, as shares of the vocabulary: that of
    p(word | factor on), and that of its share of the word's probabilities under all factors.
    """
    words, total = factors.on.shape[1], factors.on.sum(0)
    share = factors.on / np.where(total > 0, total, 1.0)
    frequency = rankdata(factors.on, "max", axis=1) / words
    exclusivity = rankdata(share, "max", axis=1) / words
    return np.asarray(2 / (1 / frequency + 1 / exclusivity))


def evidence(factors: Factors) -> Array:
    """How much one occurrence of the word tells about the factor, ``(D, V)`` nats of log-odds.

    A token of word v adds W_vd − log Σ_v p_v e^{W_vd} to the log-odds of factor d under
    ``multinomial`` and ``polya``, p the word probabilities of the background; so it does not matter
    that W_d is only known up to a constant. The other likelihoods have their own
    (docs/mathematics.md). It is shrunk by n / (n + 30), n the documents the estimate rests on, as a
    prior worth 30 documents would.
    """
    support = factors.document_frequency / (factors.document_frequency + SUPPORT)
    return np.asarray(factors.log_odds * support)


def exclusive(factors: Factors) -> Array:
    """Evidence ``(D, V)``, with every word listed only under the factor it tells most about.

    Elsewhere a word comes after all the factor's own, in the order of its evidence: these scores
    are for sorting alone, and :func:`shown` has those to be read.
    """
    scores = evidence(factors)
    own = np.arange(len(scores))[:, None] == scores.argmax(0)
    return np.where(own, scores, scores - 2 * (np.ptp(scores) + 1))


def coherent(factors: Factors) -> Array:
    """Words that speak for the factor and come together in documents, ``(D, V)``.

    Those that :func:`topicfactors.insight.word_order.word_order` has put in order, then the others
    in that of :func:`exclusive`; as it altogether where no pairs of words were counted. These
    scores are for sorting alone, and :func:`shown` has those to be read. docs/mathematics.md.
    """
    scores = exclusive(factors)
    if factors.order is not None:
        places = np.arange(factors.order.shape[1], 0, -1) + scores.max()
        np.put_along_axis(scores, factors.order, np.broadcast_to(places, factors.order.shape), 1)
    return scores


def suppressed(factors: Factors) -> Array:
    """How much an occurrence of the word tells against the factor, ``(D, V)``: minus evidence."""
    return -evidence(factors)


RANKINGS: dict[str, Callable[[Factors], Array]] = {
    "coherent": coherent,
    "evidence": evidence,
    "exclusive": exclusive,
    "frex": frex,
    "lift": lift,
    "probability": probability,
    "relevance": relevance,
    "weight": weight,
}


SORTING = ("coherent", "exclusive")
"""Rankings whose scores only sort."""


def rank(factors: Factors, ranking: str) -> Array:
    """Scores ``(D, V)``, larger first.

    Raises
    ------
    ConfigurationError
        When there is no ranking of that name.
    """
    if ranking not in RANKINGS:
        raise unknown_name("ranking", ranking, RANKINGS)
    return RANKINGS[ranking](factors)


def shown(factors: Factors, ranking: str) -> Array:
    """The scores to be read beside the words of a ranking, ``(D, V)``."""
    return rank(factors, "evidence" if ranking in SORTING else ranking)


def top_columns(scores: Array, words: int) -> NDArray[np.int64]:
    """Columns of the best ``words`` of every row, best first, ``(D, words)``.

    Fewer where there are not so many columns; equal scores are listed in the order of the columns.
    """
    words = min(words, scores.shape[1])
    if words < 1:
        return np.zeros((len(scores), 0), np.int64)
    return np.stack([_best(row, words) for row in scores])


def _best(scores: Array, words: int) -> NDArray[np.int64]:
    least = np.partition(scores, len(scores) - words)[len(scores) - words]
    above, equal = np.flatnonzero(scores > least), np.flatnonzero(scores == least)
    chosen = np.sort(np.concatenate([above, equal[: words - len(above)]]))
    return np.asarray(chosen[np.argsort(-scores[chosen], kind="stable")], np.int64)


def status(mean: Array, variance: Array) -> list[str]:
    """``"active"``, ``"dead"`` or ``"always-on"`` for every factor.

    A factor is dead when its posterior hardly varies between documents, always-on when it hardly
    varies and is on.
    """
    names = np.where(variance >= DEAD, "active", np.where(mean > 0.5, "always-on", "dead"))
    return [str(name) for name in names]


def word_lists(columns: NDArray[np.int64], names: Sequence[str]) -> list[list[str]]:
    """The words of columns ``(D, n)``."""
    return [[str(names[column]) for column in row] for row in columns]
