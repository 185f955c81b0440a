"""What the report is made of: plain tables and numbers, whichever model they are of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from topicfactors.export.factors import FactorRow
from topicfactors.export.report.excerpts import Excerpts
from topicfactors.insight.highlights import Reasons
from topicfactors.insight.topics import Factors

Array = NDArray[np.floating]
Explain = Callable[[NDArray[np.int64], NDArray[np.int64]], Sequence[Reasons]]
"""``(rows (P,), factors (P,))`` -> why each of these factors is on in each of these documents."""


class Score(NamedTuple):
    """Perplexities a document, and of the corpus, beside those of the unigram."""

    where: str  # "held out" or "these documents"
    bound: str
    per_document: float
    standard_error: float
    unigram: float
    corpus: float
    unigram_corpus: float


class Material(NamedTuple):
    """Everything that the page shows, before it is sampled, cut and packed."""

    title: str
    noun: str  # "factor", "component" or "class"
    rows: Sequence[FactorRow]
    factors: Factors
    off: Array  # (D, V) word probabilities with the factor off
    words: Sequence[str]
    counts: Any  # (N, V) CSR
    found: Array  # (N, D) probabilities
    standing: Sequence[Sequence[tuple[int, float]]]  # representative documents of each factor
    ids: Sequence[str]
    labels: Sequence[str | None] | None
    columns: Mapping[str, Sequence[Any]]  # covariates, N values each
    excerpts: Excerpts | None  # None where there are no texts
    forms: (
        Callable[[Iterable[str]], Mapping[str, str]] | None
    )  # spelling -> word, where they differ
    explain: Explain | None  # None where words only have their average evidence
    remainder: str  # what belongs to no word
    couplings: Array | None  # (D, D) of a Boltzmann prior, nats
    facts: Sequence[tuple[str, str]]
    scores: Sequence[Score]
    curve: Sequence[tuple[int, float, float]]  # epoch, bound in nats, perplexity
    best: int  # the epoch whose weights were kept
    coherence: float
    diversity: float
    notes: Sequence[str]
