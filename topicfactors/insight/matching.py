"""Factors of several fits matched to each other: which came back, and what chance would give."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from topicfactors.errors import ConfigurationError, InputError, unknown_name
from topicfactors.values import number

Array = NDArray[np.floating]
THRESHOLD = 0.5  # similarity from which a factor has come back
LIKELY = 0.95  # share of what chance gives that is not called coming back
SHUFFLES = 20  # of all pairs together
FLAT = 1e-6  # root mean square below which a row does not vary
MAJORITY = 0.5  # share of the other runs in which a factor that counts as found came back


class Described(NamedTuple):
    """What a fit says of its factors, as far as matching reads it."""

    posteriors: Array  # (N, D), of the same documents in every fit
    evidence: Array | None = None  # (D, V), of the same words; None where it is not compared


class Matched(NamedTuple):
    """Each factor of one fit beside its own in another."""

    partner: NDArray[np.int64]  # (D,) its number there; -1 where there are fewer factors
    similarity: Array  # (D,) to it; 0 where there is none


class Agreement(NamedTuple):
    """How far several fits found the same factors."""

    chosen: int  # the fit that agrees most with the others
    between: Array  # (R, R) mean similarity of matched factors, 1 on the diagonal
    partners: NDArray[np.int64]  # (R, D) numbers of the chosen fit's factors in every fit
    similarity: Array  # (D,) of the chosen fit's factors to their own, mean over the other fits
    by_words: Array  # (D,) of their words, under the same matching; NaN where not compared
    came_back: Array  # (D,) share of the other fits in which each came back
    chance: float  # mean similarity of matched factors when documents (or words) are shuffled
    threshold: float  # similarity from which a factor came back

    @property
    def overall(self) -> float:
        """Mean over all pairs of fits."""
        return float(self.between[np.triu_indices(len(self.between), 1)].mean())


def of_documents(first: Described, second: Described) -> Array:
    """Correlation of two fits' posteriors over documents, ``(D, D')``.

    Of bits this is φ. A factor that does not vary is like no other: 0.
    """
    return _unit(first.posteriors.T, centred=True) @ _unit(second.posteriors.T, centred=True).T


def of_words(first: Described, second: Described) -> Array:
    """Cosine of what words tell about the factors of two fits, ``(D, D')``.

    Raises
    ------
    InputError
        When a fit has not said what its words tell.
    """
    if first.evidence is None or second.evidence is None:
        raise InputError("by='words' needs the evidence of every fit; use by='documents'")
    return _unit(first.evidence) @ _unit(second.evidence).T


SIMILARITIES: dict[str, Callable[[Described, Described], Array]] = {
    "documents": of_documents,
    "words": of_words,
}


def match(similarities: Array) -> Matched:
    """The matching of factors with the highest sum of similarities ``(D, D')``, one to one.

    Kuhn (1955), "The Hungarian Method for the Assignment Problem".

    >>> match(np.array([[0.2, 0.9], [0.1, 0.8]])).partner
    array([1, 0])
    """
    rows, columns = linear_sum_assignment(similarities, maximize=True)
    partner = np.full(len(similarities), -1)
    found = np.zeros(len(similarities))
    partner[rows], found[rows] = columns, similarities[rows, columns]
    return Matched(partner, found)


def agreement(
    fits: Sequence[Described],
    *,
    by: str = "documents",
    threshold: float = THRESHOLD,
    seed: int = 0,
) -> Agreement:
    """Match the factors of several fits, and say which of them came back.

    Parameters
    ----------
    fits
        Two or more, of the same documents and words; their numbers of factors may differ.
    by
        ``"documents"``, the correlation of posteriors, or ``"words"``, the cosine of evidence.
    threshold
        Similarity from which a factor has come back; where shuffled fits reach more than that in
        one matched factor of 20, what they reach takes its place.
    seed
        Of the shuffling.

    Raises
    ------
    ConfigurationError
        When ``by`` or ``threshold`` cannot be, or there are fewer than two fits.
    """
    if by not in SIMILARITIES:
        raise unknown_name("by", by, SIMILARITIES)
    number("threshold", threshold, 0.0, 1.0)
    if len(fits) < 2:
        raise ConfigurationError(f"fits must be two or more to be matched, got {len(fits)}")
    by_chance = np.concatenate(list(_shuffled(fits, by, seed)))
    least = max(float(threshold), float(np.quantile(by_chance, LIKELY)))
    between = np.eye(len(fits))
    for one, other in itertools.combinations(range(len(fits)), 2):
        between[one, other] = between[other, one] = _mean(fits[one], fits[other], by)
    chosen = int((between.sum(1) - 1).argmax())
    found = [match(SIMILARITIES[by](fits[chosen], other)) for other in fits]
    beside = np.delete(np.stack([each.similarity for each in found]), chosen, axis=0)
    partners = np.stack([each.partner for each in found])
    partners[chosen] = np.arange(partners.shape[1])
    return Agreement(
        chosen,
        between,
        partners,
        beside.mean(0),
        _by_words(fits, chosen, partners),
        (beside >= least).mean(0),
        float(by_chance.mean()),
        least,
    )


def lost(came_back: Array) -> NDArray[np.int64]:
    """Factors that came back in fewer than half of the other fits, from shares ``(D,)``.

    >>> lost(np.array([1.0, 0.25, 0.5]))
    array([1])
    """
    return np.flatnonzero(np.asarray(came_back) < MAJORITY)


def _mean(first: Described, second: Described, by: str) -> float:
    """Of matched factors; one without its own counts 0."""
    table = SIMILARITIES[by](first, second)
    return float(match(table).similarity.sum() / max(table.shape))


def _by_words(fits: Sequence[Described], chosen: int, partners: NDArray[np.int64]) -> Array:
    """Mean cosine of the words of matched factors, ``(D,)``."""
    own = fits[chosen]
    if any(fit.evidence is None for fit in fits):
        return np.full(partners.shape[1], np.nan)
    each = [
        np.where(places < 0, 0.0, np.take_along_axis(table, places[:, None], 1)[:, 0])
        for fit, places in zip(fits, partners, strict=True)
        if fit is not own
        for table in [of_words(own, fit)]
    ]
    return np.asarray(np.mean(each, axis=0))


def _shuffled(fits: Sequence[Described], by: str, seed: int) -> Iterator[Array]:
    """Similarities of matched factors where nothing is in common but how often they are on."""
    generator = np.random.default_rng(seed)
    pairs = list(itertools.combinations(fits, 2))
    for first, second in itertools.islice(itertools.cycle(pairs), max(SHUFFLES, len(pairs))):
        if by == "words" and second.evidence is not None:
            words = generator.permutation(second.evidence.shape[1])
            other = second._replace(evidence=second.evidence[:, words])
        else:
            rows = generator.permutation(len(second.posteriors))
            other = second._replace(posteriors=second.posteriors[rows])
        yield match(SIMILARITIES[by](first, other)).similarity


def _unit(rows: Array, *, centred: bool = False) -> Array:
    """Rows of length 1; those without any length stay 0."""
    values = np.asarray(rows, np.float64)
    values = values - values.mean(1, keepdims=True) if centred else values
    lengths = np.sqrt(np.square(values).sum(1, keepdims=True))
    flat = lengths <= FLAT * np.sqrt(values.shape[1])
    return np.where(flat, 0.0, values / np.where(flat, 1.0, lengths))
