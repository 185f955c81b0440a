"""The figures of a sweep over numbers of factors, as rows, a table, a plot and a recommendation."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from topicfactors.export.tables import Table, write_md
from topicfactors.insight.matching import Agreement, Described, agreement, lost
from topicfactors.studies.recommending import COMES_BACK, Candidate, Recommendation, recommend
from topicfactors.studies.sweep_fits import Fitted, unpacked


class Settings(NamedTuple):
    """How a sweep was made."""

    model: str  # name of the class
    documents: int  # that were fitted
    held_out: int  # documents that no fit has seen
    matched: int  # documents by which factors are matched
    words: int
    tokens: float  # of the documents held out
    unseen: float  # tokens of their unseen halves
    seeds: tuple[int, ...]


class Row(NamedTuple):
    """What was measured of one number of factors; means over its runs."""

    k: int
    runs: int
    completion: float | None  # perplexity of the unseen halves of documents held out
    behind: float  # nats a token of the score that decides, behind the best number
    error: float  # standard error of `behind`, over documents and runs
    bound: float  # nats a document held out
    bound_error: float  # standard error of its difference to that of the best number
    npmi: float
    npmi_spread: float  # standard deviation between runs; 0 for one
    diversity: float
    active: float
    agreement: float | None  # between runs; None for one run
    agreement_spread: float | None  # standard deviation between pairs of runs
    chance: float | None
    came_back: float | None  # share of the factors that came back in half of the runs or more
    seconds: float  # a fit

    @property
    def worse(self) -> float:
        """By how many per cent its perplexity a token is above the best."""
        return 100 * math.expm1(self.behind)

    @property
    def worse_error(self) -> float:
        """The standard error of that, per cent."""
        return 100 * math.exp(self.behind) * self.error

    @property
    def coherent(self) -> float | None:
        """NPMI x diversity, where NPMI is above 0."""
        return self.npmi * self.diversity if self.npmi > 0 else None


HEADS = {
    "k": "k",
    "completion": "perplexity",
    "behind": "behind best",
    "bound": "bound, nats",
    "npmi": "NPMI",
    "diversity": "diversity",
    "agreement": "agreement",
    "chance": "by chance",
    "came_back": "come back",
    "seconds": "s a fit",
}
"""The columns of the short table, and their heads."""


@dataclass(frozen=True)
class Sweep:
    """Fits with several numbers of factors and several seeds.

    Parameters
    ----------
    settings
        How they were made.
    fits
        What is known of each.
    """

    settings: Settings
    fits: tuple[Fitted, ...]

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """A row a number of factors, in ascending order."""
        numbers = sorted({fit.k for fit in self.fits})
        best = max(numbers, key=lambda k: float(self._scores(k).mean()))
        return tuple(self._row(k, best) for k in numbers)

    @property
    def score(self) -> str:
        """What decides: ``"completion"``, or the bound where counts cannot be halved."""
        told = all(fit.completion is not None for fit in self.fits)
        return "completion" if told else "held-out bound"

    @cached_property
    def recommendation(self) -> Recommendation:
        """The number of factors to take, and why."""
        candidates = [
            Candidate(row.k, row.behind, row.error, row.came_back, row.coherent)
            for row in self.rows
        ]
        return recommend(candidates, self.score)

    def stability(self, k: int) -> Agreement | None:
        """How far the fits with ``k`` factors agree; None where there is one fit."""
        fits = self._of(k)
        if len(fits) < 2:
            return None
        return agreement([Described(unpacked(fit.posteriors, k)) for fit in fits])

    def records(self) -> list[dict[str, Any]]:
        """Every figure of every number of factors, a dict each; None where there is none."""
        return [row._asdict() for row in self.rows]

    def to_pandas(self) -> Any:
        """:meth:`records` as a data frame, a row a number of factors."""
        import pandas as pd

        return pd.DataFrame(self.records()).set_index("k")

    def table(self) -> Table:
        """:meth:`records` for :func:`topicfactors.export.tables.export_table`."""
        return Table(Row._fields, [[tuple(row) for row in self.rows]])

    def as_dict(self) -> dict[str, Any]:
        """Settings, rows and recommendation, for a file of JSON."""
        return {
            "settings": {**self.settings._asdict(), "seeds": list(self.settings.seeds)},
            "score": self.score,
            "rows": self.records(),
            "recommendation": self.recommendation._asdict(),
        }

    def cells(self) -> list[list[str]]:
        """The short table as people read it: heads, then a row a number of factors."""
        there = {name for row in self.records() for name in row if row[name] is not None}
        shown = [name for name in HEADS if name in there]
        rows = [[_cell(row, name) for name in shown] for row in self.rows]
        return [[HEADS[name] for name in shown], *rows]

    def caption(self) -> str:
        """A paragraph on how the figures were made."""
        known = self.settings
        runs = len(known.seeds)
        return (
            f"{known.documents:,} documents fitted, {known.held_out:,} held out of all fits, "
            f"{runs} run{'s' * (runs > 1)} each. Perplexity: of the unseen halves of documents "
            f"held out. Behind best: difference of the {self.score}. Its standard error, and that "
            "of the bound, are of differences to the best number, over documents and runs. "
            "Agreement: correlation of matched factors between runs. Come back: share of the "
            "factors found in at least half of the other runs."
        )

    def advice(self) -> list[str]:
        """The recommendation, a line each."""
        said = self.recommendation
        return [f"Take k = {said.k}: {said.why}.", *(f"But {line}." for line in said.otherwise)]

    def __str__(self) -> str:
        heads, *rows = self.cells()
        stream = io.StringIO()
        write_md(Table(heads, [rows]), stream)
        return "\n".join([stream.getvalue(), *self.advice(), "", self.caption()])

    def plot(self) -> Any:
        """Small multiples against k, with error bars, the recommended k marked: plotly."""
        from topicfactors.studies.sweep_figure import sweep_figure

        return sweep_figure(self.rows, self.recommendation.k, self.score, COMES_BACK)

    def _of(self, k: int) -> list[Fitted]:
        return sorted((fit for fit in self.fits if fit.k == k), key=lambda fit: fit.seed)

    def _scores(self, k: int) -> NDArray[np.float64]:
        """What decides, of every run and document, ``(R, H)`` nats."""
        completed = self.score == "completion"
        return np.array([fit.completion if completed else fit.held_out for fit in self._of(k)])

    def _bounds(self, k: int) -> NDArray[np.float64]:
        """The bound of every run and document, ``(R, H)`` nats."""
        return np.array([fit.held_out for fit in self._of(k)])

    def _row(self, k: int, best: int) -> Row:
        fits, known = self._of(k), self.settings
        scores, bounds = self._scores(k), self._bounds(k)
        completed = self.score == "completion"
        each = (known.unseen if completed else known.tokens) / known.held_out
        behind, error, bound_error = 0.0, 0.0, 0.0
        if k != best:
            behind, error = _difference(self._scores(best), scores)
            bound_error = _difference(self._bounds(best), bounds)[1]
        coherence = np.array([fit.npmi for fit in fits])
        found = self.stability(k)
        pairs = None if found is None else found.between[np.triu_indices(len(fits), 1)]
        return Row(
            k,
            len(fits),
            float(math.exp(-scores.mean() / each)) if completed else None,
            behind / each,
            error / each,
            float(bounds.mean()),
            bound_error,
            float(coherence.mean()),
            float(coherence.std(ddof=1)) if len(fits) > 1 else 0.0,
            _mean(fit.diversity for fit in fits),
            _mean(fit.active for fit in fits),
            None if found is None else found.overall,
            None if pairs is None else float(pairs.std()),
            None if found is None else found.chance,
            None if found is None else 1 - len(lost(found.came_back)) / k,
            _mean(fit.seconds for fit in fits),
        )


def _difference(best: NDArray[np.float64], other: NDArray[np.float64]) -> tuple[float, float]:
    """Mean difference of two scores ``(R, H)`` a document, and its standard error.

    The documents are the same, so that it is their differences that vary and not their lengths;
    the seeds are a sample too.
    """
    apart = best.mean(0) - other.mean(0)
    square = apart.var() / len(apart)
    for scores in (best, other):
        if len(scores) > 1:
            square += scores.mean(1).var(ddof=1) / len(scores)
    return float(apart.mean()), math.sqrt(square)


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


def _cell(row: Row, name: str) -> str:
    value = getattr(row, name)
    if value is None:
        return "—"
    if name == "behind":
        return "best" if row.error == 0 else f"{row.worse:.1f}% ± {row.worse_error:.1f}"
    if name == "bound" and row.error > 0:
        return f"{value:,.1f} ± {row.bound_error:.1f}"
    if name == "came_back":
        return f"{value:.0%}"
    digits = {"k": 0, "completion": 1, "bound": 1, "seconds": 1}.get(name, 2)
    return f"{value:,.{digits}f}"
