"""Which factors come together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from topicfactors.errors import ConfigurationError
from topicfactors.export.plots.subject import (
    Subject,
    chosen,
    left_out,
    opened,
    selection,
    table_of,
    with_words,
)
from topicfactors.export.plots.theme import DIVERGING, WIDTH, finished, listed, wide
from topicfactors.insight.coactivation import Coactivation, clustered, coactivation

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST = 60  # factors where none are asked for
TELLING = 45  # factors up to which every pair tells its words
WORDS = 5  # of a factor in a hover text
LEAST, CELL = 260, 17  # pixels: of the whole, and of a cell
TYPE = 11  # size of the names, pixels
HOVER = (
    "<b>%{y}</b><br><b>%{x}</b><br>together in %{customdata[0]} documents, "
    "%{customdata[1]} by chance (%{customdata[2]})"
)
MORE, SHORT = "%{customdata[3]}", 3
HALF = 0.5  # least end of the colour scale, doublings


def plot_coactivation(
    model: Any,
    X: Any,
    *,
    covariates: Any = None,
    factors: Iterable[int | str] | None = None,
) -> Figure:
    r"""How often pairs of factors are on together in some documents, against independence.

    The colour of a pair is :math:`\log_2 \frac{O + ½}{E + ½}`, with :math:`O = \sum_i q_{id}
    q_{ie}` documents with both on, :math:`E = \sum_i q_{id} \sum_i q_{ie} / N` as many as there
    were if the factors were independent, and q the posteriors that ``transform`` gives: 1 where
    they come together twice as often as by chance, −1 where half as often, near 0 where both are
    rare. It is the shrunk information component of Norén et al. (2013). Factors that come together
    stand together, by average-linkage clustering.

    Parameters
    ----------
    model
        A fitted BinaryFactorModel, or a pipeline that ends in one.
    X
        Counts ``(N, V)``; or, for a pipeline, what it reads.
    covariates
        Those of the documents, where the model was fitted with some (``X.covariates`` where ``X``
        is a corpus).
    factors
        Which, as numbers or names; the 60 most prevalent where none are named.

    Raises
    ------
    InputError
        When it is no such model, or no document has words.
    ConfigurationError
        When the model has components or classes, of which a document has one alone, or there is no
        such factor.

    Examples
    --------
    >>> import numpy as np
    >>> from topicfactors import BinaryFactorModel, plot_coactivation
    >>> counts = np.array([[4, 3, 0, 0], [0, 0, 5, 2], [3, 4, 0, 1], [0, 0, 3, 4]] * 5)
    >>> model = BinaryFactorModel(3, random_state=0).fit(counts)
    >>> np.shape(plot_coactivation(model, counts).data[0].z)
    (3, 3)
    """
    subject = opened(model)
    if subject.noun != "factor":
        raise ConfigurationError(
            f"{subject.nouns} exclude each other, so that no two are on together; plot_map shows "
            "which are alike"
        )
    shown = np.array(chosen(subject, factors, MOST))
    own = subject.covariates(table_of(X, None)) if covariates is None else covariates
    counts = subject.observed(X, own)
    some = with_words(counts)
    found = coactivation(subject.probabilities(counts[np.flatnonzero(some)])[:, shown])
    order = clustered(found.doublings)
    shown, found = shown[order], _arranged(found, order)
    called = subject.called()
    names = [called[number] for number in shown]
    figure = go.Figure(_heatmap(found, _told(subject, shown.tolist(), found)))
    places = list(range(len(shown)))
    ticks = {"tickvals": places, "ticktext": names, "tickfont": {"size": TYPE}}
    flat = {"showgrid": False, "zeroline": False, "ticks": "", "automargin": True}
    figure.update_xaxes(**ticks, **flat, tickangle=-90, side="bottom", constrain="domain")
    figure.update_yaxes(**ticks, **flat, autorange="reversed", constrain="domain")
    which = "the most prevalent" if factors is None else "those chosen"
    alone = ["One factor alone has no pairs."] if len(shown) == 1 else []
    caption = [
        *alone,
        f"How many times as often as by chance two are on in one of {found.documents:,} "
        "documents; rare pairs are drawn towards 1×. What comes together stands together.",
        *selection(subject, shown.tolist(), which),
        *left_out(int((~some).sum()), "they have no words"),
    ]
    size, names_wide = max(LEAST, CELL * len(shown)), max(wide(name, TYPE) for name in names)
    return finished(
        figure,
        "Which factors are on together",
        caption,
        height=int(size + names_wide),
        width=int(max(WIDTH * 0.7, size + names_wide + 190)),
    )


def _arranged(found: Coactivation, order: Any) -> Coactivation:
    grid = np.ix_(order, order)
    each = found.together[grid], found.expected[grid], found.doublings[grid]
    return Coactivation(*each, found.documents)


def _heatmap(found: Coactivation, told: list[list[list[Any]]]) -> Any:
    seen = np.abs(found.doublings[np.isfinite(found.doublings)])
    end = max(HALF, float(seen.max(initial=0.0)))
    ticks = _ticks(end)
    return go.Heatmap(
        z=[[None if np.isnan(x) else round(float(x), 3) for x in row] for row in found.doublings],
        customdata=told,
        hovertemplate=HOVER + (MORE if len(told[0][0]) > SHORT else "") + "<extra></extra>",
        colorscale=[list(stop) for stop in DIVERGING],
        zmin=-end,
        zmid=0,
        zmax=end,
        xgap=1,
        ygap=1,
        hoverongaps=False,
        colorbar={
            "title": {"text": "together,<br>against chance<br>&nbsp;", "font": {"size": 12}},
            "tickvals": ticks,
            "ticktext": [_tick(tick) for tick in ticks],
            "thickness": 14,
            "outlinewidth": 0,
            "len": 220,
            "lenmode": "pixels",
            "y": 1,
            "yanchor": "top",
        },
    )


def _ticks(end: float) -> list[float]:
    step = 0.5 if end < 1 else 1 if end < 4 else 2
    many = int(end / step)
    return [step * place for place in range(-many, many + 1)]


def _tick(doublings: float) -> str:
    return f"1/{2**-doublings:.2g}×" if doublings < 0 else _times(doublings)


def _times(doublings: float) -> str:
    """How many times as often."""
    return f"{2**doublings:.2g}×"


def _told(subject: Subject, shown: Sequence[int], found: Coactivation) -> list[list[list[Any]]]:
    """Of every pair: documents, those by chance, their ratio, and in small figures the words."""
    words = subject.told(WORDS) if len(shown) <= TELLING else []
    lines = [f"<br>{listed(words[number])}" for number in shown] if words else [""] * len(shown)
    return [
        [
            [
                round(float(found.together[row, column]), 1),
                round(float(found.expected[row, column]), 1),
                _times(found.doublings[row, column]) if row != column else "",
                *([one + two] if words else []),
            ]
            for column, two in enumerate(lines)
        ]
        for row, one in enumerate(lines)
    ]
