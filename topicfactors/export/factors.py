"""The tables of a fitted model: its factors, their words, and the documents' posteriors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from topicfactors.export.tables import Table
from topicfactors.insight.topics import (
    RANKINGS,
    SORTING,
    Factors,
    rank,
    suppressed,
    top_columns,
    word_lists,
)

PLURALS = {"factor": "factors", "component": "components", "class": "classes"}
NOUNS = {"factor": "factor", "mixture": "component", "semisupervised": "class"}
"""What each model has: factors that are on or off, or components or classes that compete."""


def listed_in(metrics: Mapping[str, Any]) -> str:
    """What the rows of the table of factors are, of a run with these metrics."""
    several = metrics.get("components_per_class", 1) > 1
    return "component" if several else NOUNS[metrics["model"]]


class FactorRow(NamedTuple):
    """One factor as every table shows it."""

    factor: int | str  # its number, or the name that a user gave it
    prevalence: float
    prior: float
    status: str
    coherence: float | None  # NPMI of the top words; None where it was not computed
    words: list[str]
    suppressed: list[str]  # the words that speak most against it
    documents: list[str]  # ids of representative documents, where they are known
    response: float | None = None  # what it adds to the response; None where there is none
    agreement: float | None = None  # with its own in other runs; None where there was one run
    came_back: float | None = None  # share of the other runs in which it came back


def factor_rows(
    factors: Factors,
    prior: NDArray[np.floating],
    status: Sequence[str],
    names: Sequence[str],
    *,
    ranking: str,
    words: int,
    coherence: Sequence[float] | None = None,
    documents: Sequence[Sequence[str]] | None = None,
    responses: Sequence[float] | None = None,
    called: Sequence[int | str] | None = None,
    runs: Sequence[tuple[float, float]] | None = None,
) -> list[FactorRow]:
    """Every factor with its best words, in the order of the model.

    ``names`` are those of the words; ``called`` those of the factors, else their numbers; ``runs``
    the agreement of each with other runs and the share of them in which it came back.
    """
    columns = top_columns(rank(factors, ranking), words)
    evidence_against = suppressed(factors)
    against = [
        [str(names[column]) for column in row if evidence_against[number, column] > 0]
        for number, row in enumerate(top_columns(evidence_against, words))
    ]
    return [
        FactorRow(
            number if called is None else called[number],
            float(factors.prevalence[number]),
            float(prior[number]),
            status[number],
            None if coherence is None else float(coherence[number]),
            listed,
            against[number],
            [] if documents is None else list(documents[number]),
            None if responses is None else float(responses[number]),
            *((None, None) if runs is None else map(float, runs[number])),
        )
        for number, listed in enumerate(word_lists(columns, names))
    ]


def factors_table(rows: Sequence[FactorRow]) -> Table:
    """One row a factor; ids of documents may hold anything, and stay in the JSON.

    The last columns are what it adds to the response, where there is one, and how it agrees with
    other runs, where there were some.
    """
    columns: tuple[str, ...] = (
        "factor",
        "prevalence",
        "prior",
        "status",
        "coherence",
        "top_words",
        "suppressed_words",
    )
    cells = [tuple(row)[: len(columns)] for row in rows]
    if any(row.response is not None for row in rows):
        columns = (*columns, "response")
        cells = [(*row, told.response) for row, told in zip(cells, rows, strict=True)]
    if any(row.came_back is not None for row in rows):
        columns = (*columns, "agreement", "came_back")
        both = zip(cells, rows, strict=True)
        cells = [(*row, told.agreement, told.came_back) for row, told in both]
    return Table(columns, [cells])


def top_words_table(
    factors: Factors,
    names: Sequence[str],
    *,
    ranking: str,
    words: int,
    called: Sequence[int | str] | None = None,
) -> Table:
    """One row a factor and word, with the score of the word under every other ranking.

    ``names`` and ``called`` are those of :func:`factor_rows`.
    """
    columns = top_columns(rank(factors, ranking), words)
    shown = [name for name in RANKINGS if name not in SORTING]
    scores = [rank(factors, name) for name in shown]
    labels = range(len(columns)) if called is None else called
    rows = [
        (labels[factor], place + 1, str(names[column]), *(float(s[factor, column]) for s in scores))
        for factor, row in enumerate(columns)
        for place, column in enumerate(row)
    ]
    return Table(("factor", "rank", "word", *shown), [rows])


def posteriors_table(
    blocks: Iterable[tuple[Sequence[str], NDArray[np.floating]]],
    factors: Sequence[int | str],
    labels: Sequence[str | None] | None = None,
    *,
    responds: bool = False,
) -> Table:
    """One row a document: its id, its label where there are labels, P(factor on | document).

    ``factors`` are the numbers or names of the columns. Where it ``responds``, the expected
    response is the last number of each row.
    """

    def rows() -> Iterator[list[tuple[Any, ...]]]:
        remaining = iter(labels or ())
        for ids, probabilities in blocks:
            values = np.asarray(probabilities, dtype=np.float64).tolist()
            pairs = zip(ids, values, strict=True)
            if labels is None:
                yield [(name, *row) for name, row in pairs]
            else:
                yield [(name, next(remaining), *row) for name, row in pairs]

    head = ("id",) if labels is None else ("id", "label")
    tail = ("response",) if responds else ()
    return Table((*head, *map(column_name, factors), *tail), rows())


def column_name(factor: int | str) -> str:
    """What the column of a factor is called: its name, or ``factor_`` and its number.

    >>> column_name(3), column_name("steam")
    ('factor_3', 'steam')
    """
    return factor if isinstance(factor, str) else f"factor_{factor}"
