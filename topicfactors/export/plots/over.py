"""How often factors are on over something else that is known of the documents."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from topicfactors.errors import InputError
from topicfactors.export.plots.columns import Column, as_dates, column_of
from topicfactors.export.plots.panels import panels
from topicfactors.export.plots.subject import (
    chosen,
    left_out,
    opened,
    selection,
    table_of,
    with_words,
)
from topicfactors.export.plots.theme import BLUE, INK, LONGEST, PALE, finished, plain
from topicfactors.insight.trends import Trend, over_levels, over_numbers, variation
from topicfactors.values import whole

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST, ACROSS = 6, 3  # panels where none are asked for, and in a row
PANEL, ALONE = 190, 320  # pixels of a panel of lines, among others and by itself
LEAST, LEVEL = 60, 20  # pixels of a panel of bars at least, and of a bar
GAP = 0.04  # share of the width between two panels
MEAN = "mean probability"
LEVELS = 25  # categories drawn, those with the most documents
BAND = "rgba(0,114,178,0.18)"
DOCUMENTS = "%{customdata[1]} documents<extra></extra>"


def plot_over(
    model: Any,
    X: Any,
    covariate: Any,
    *,
    covariates: Any = None,
    factors: Iterable[int | str] | None = None,
    bins: int = 10,
) -> Figure:
    """Mean probability that a factor (component, class) is on, over a covariate.

    Numbers and dates are put into bins of about as many documents each, joined by a line with a
    band of one standard error to each side; a category has a bar, with the same error. The model
    need not have been fitted with the covariate. These are averages of posteriors: for an effect
    with its interval, the others held, fit with the covariate and ask ``effects()``.

    Parameters
    ----------
    model
        A fitted model, or a pipeline that ends in one.
    X
        Counts ``(N, V)``; or, for a pipeline, what it reads.
    covariate
        The name of a column, or a value for each document: numbers, dates or names. Documents
        whose value is missing are left out.
    covariates
        The table that has the column, a row for each document (``X.covariates`` where ``X`` is a
        corpus). Where the model was fitted with covariates it needs those too.
    factors
        Which, as numbers or names; the 6 that vary most over the covariate where none are named.
    bins
        At most so many, of numbers and dates.

    Raises
    ------
    InputError
        When it is no such model, there is no such column, or no document has words and a value.
    ConfigurationError
        When there is no such factor, or ``bins`` is not a whole number of 2 or more.

    Examples
    --------
    >>> import numpy as np
    >>> from topicfactors import BinaryFactorModel, plot_over
    >>> counts = np.array([[4, 3, 0, 0], [0, 0, 5, 2], [3, 4, 0, 1], [0, 0, 3, 4]] * 5)
    >>> model = BinaryFactorModel(2, random_state=0).fit(counts)
    >>> figure = plot_over(model, counts, ["iron", "stars"] * 10, factors=[0])
    >>> list(figure.data[0].y)
    ['iron', 'stars']
    """
    whole("bins", bins, 2)
    subject = opened(model)
    table = table_of(X, covariates)
    counts = subject.observed(X, subject.covariates(table))
    column = column_of(covariate, table, counts.shape[0])
    some = with_words(counts) & column.known
    rows = np.flatnonzero(some)
    if not len(rows):
        raise InputError(
            f"no document has both words and a value of {column.name!r}; expected some to draw"
        )
    found = _trend(column, some, subject.probabilities(counts[rows]), bins)
    shown = _varying(found) if factors is None else chosen(subject, factors, MOST)
    called = subject.called()
    figure, height = _panels(column, found, shown, [called[number] for number in shown])
    caption = [
        f"Mean over {len(rows):,} documents, ± one standard error.",
        *selection(subject, shown, "those that vary most" if factors is None else "those chosen"),
        *left_out(len(some) - len(rows), "they have no words, or no value"),
        *_cut(column, found),
    ]
    title = f"How often the {subject.nouns} are on, over {column.name}"
    return finished(figure, title, caption, height=height)


def _trend(
    column: Column, some: NDArray[np.bool_], probabilities: NDArray[np.floating], bins: int
) -> Trend:
    """``some`` documents ``(N,)`` have a value and words; their probabilities are ``(n, D)``."""
    kept = some[column.known]
    if column.kind == "name":
        names = [name for name, there in zip(column.names, kept, strict=True) if there]
        return _commonest(over_levels(names, probabilities, column.levels))
    return over_numbers(column.values[kept], probabilities, bins)


def _commonest(found: Trend) -> Trend:
    order = np.sort(np.argsort(-found.documents, kind="stable")[:LEVELS])
    places = [found.places[place] for place in order]
    return Trend(places, found.means[order], found.errors[order], found.documents[order])


def _cut(column: Column, found: Trend) -> list[str]:
    there = len(set(column.names))
    if column.kind != "name" or there <= len(found.places):
        return []
    return [f"The {len(found.places)} commonest of {there} names."]


def _varying(found: Trend) -> list[int]:
    order = np.argsort(-variation(found), kind="stable")[:MOST]
    return [int(number) for number in order]


def _panels(column: Column, found: Trend, shown: list[int], titles: list[str]) -> tuple[Any, int]:
    bars = column.kind == "name"
    lines = PANEL if len(shown) > 1 else ALONE
    panel = max(LEAST, LEVEL * len(found.places)) if bars else lines
    bold = [f"<b>{title}</b>" for title in titles]
    drawn = panels(bold, ACROSS, panel, GAP, shared_yaxes="all")
    figure, draw = drawn.figure, _bars if bars else _line
    for number, (row, place) in zip(shown, drawn.places, strict=True):
        for trace in draw(column, found, number):
            figure.add_trace(trace, row=row, col=place)
    across = MEAN if bars else plain(column.name)
    for row, place in drawn.lowest():
        figure.update_xaxes(title_text=across, row=row, col=place)
    if bars:
        _name_bars(figure, found.places)
    else:
        figure.update_yaxes(title_text=MEAN, col=1)
        figure.update_yaxes(rangemode="tozero")
    return figure, drawn.height


def _name_bars(figure: Any, places: list[Any]) -> None:
    names = {"tickvals": list(map(plain, places)), "ticktext": [plain(p, LONGEST) for p in places]}
    figure.update_yaxes(type="category", autorange="reversed", automargin=True, **names)
    figure.update_xaxes(rangemode="tozero")


def _line(column: Column, found: Trend, number: int) -> list[Any]:
    x = as_dates(found.places) if column.kind == "date" else found.places
    digits = "" if column.kind == "date" else ":.6~g"
    means, errors = found.means[:, number], np.nan_to_num(found.errors[:, number])
    low, high = np.clip(means - errors, 0, 1), np.clip(means + errors, 0, 1)
    band = go.Scatter(
        x=[*x, *x[::-1]],
        y=[*high.tolist(), *low[::-1].tolist()],
        fill="toself",
        fillcolor=BAND,
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
    )
    line = go.Scatter(
        x=x,
        y=means.tolist(),
        mode="lines+markers",
        line={"color": BLUE, "width": 2},
        marker={"size": 6},
        customdata=_told(found, number),
        hovertemplate="%{x" + digits + "}<br>%{y:.3f} ± %{customdata[0]}<br>" + DOCUMENTS,
        showlegend=False,
    )
    return [band, line]


def _bars(column: Column, found: Trend, number: int) -> list[Any]:
    return [
        go.Bar(
            x=found.means[:, number].tolist(),
            y=[plain(place) for place in found.places],
            orientation="h",
            marker={"color": PALE, "line": {"color": BLUE, "width": 1}},
            error_x={
                "type": "data",
                "array": np.nan_to_num(found.errors[:, number]).tolist(),
                "color": INK,
                "thickness": 1,
                "width": 3,
            },
            customdata=_told(found, number),
            hovertemplate="%{y}<br>%{x:.3f} ± %{customdata[0]}<br>" + DOCUMENTS,
            showlegend=False,
        )
    ]


def _told(found: Trend, number: int) -> list[list[str]]:
    """The error of each mean, and its documents."""
    return [
        ["?" if math.isnan(error) else f"{error:.3f}", f"{documents:,}"]
        for error, documents in zip(found.errors[:, number], found.documents, strict=True)
    ]
