"""The words of each factor as bars, a panel each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from topicfactors.export.plots.panels import panels
from topicfactors.export.plots.subject import Subject, chosen, opened, selection
from topicfactors.export.plots.theme import (
    INK,
    LONGEST,
    PALE,
    SOFT,
    WIDTH,
    finished,
    plain,
)
from topicfactors.insight.topics import SORTING
from topicfactors.values import whole

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST, ACROSS = 12, 4  # panels where none are asked for, and in a row
LINE = 19  # pixels of a word
GAP = 0.03  # share of the width between two panels
UNITS = {
    "evidence": "evidence of one occurrence, nats of log-odds",
    "frex": "frequency and exclusivity, harmonic mean of ranks",
    "lift": "log of how many times the corpus rate, nats",
    "probability": "probability of the word",
    "relevance": "relevance, nats",
    "weight": "log-weight, nats",
}


def plot_factors(
    model: Any,
    n_words: int = 10,
    *,
    factors: Iterable[int | str] | None = None,
    ranking: str | None = None,
) -> Figure:
    """The top words of factors (components, classes), a panel each, with their scores as bars.

    Parameters
    ----------
    model
        A fitted model, or a pipeline that ends in one.
    n_words
        Words a panel.
    factors
        Which, as numbers or names; the 12 most prevalent where none are named.
    ranking
        As for :meth:`BinaryFactorModel.top_words`, whose own is taken where none is named. Its
        scores are the bars.

    Raises
    ------
    InputError
        When it is no such model.
    ConfigurationError
        When there is no such factor or ranking.

    Examples
    --------
    >>> import numpy as np
    >>> from topicfactors import BinaryFactorModel, plot_factors
    >>> counts = np.array([[4, 3, 0, 0], [0, 0, 5, 2], [3, 4, 0, 1], [0, 0, 3, 4]] * 5)
    >>> figure = plot_factors(BinaryFactorModel(2, random_state=0).fit(counts), n_words=3)
    >>> [len(panel.x) for panel in figure.data]
    [3, 3]
    """
    whole("n_words", n_words, 1)
    subject = opened(model)
    words = subject.words(n_words, ranking)
    shown = chosen(subject, factors, MOST)
    longest = max(1, *(len(words[number]) for number in shown))
    titles = [_title(subject, number) for number in shown]
    drawn = panels(titles, ACROSS, LINE * longest, GAP)
    figure = drawn.figure
    for number, (row, column) in zip(shown, drawn.places, strict=True):
        figure.add_trace(_bars(words[number]), row=row, col=column)
    unit = UNITS["evidence"] if ranking in (None, *SORTING) else UNITS.get(ranking, ranking)
    figure.update_yaxes(range=[longest - 0.5, -0.5], showticklabels=False, showgrid=False)
    figure.update_xaxes(nticks=4)
    figure.add_annotation(
        {"text": unit, "showarrow": False, "font": {"size": 13, "color": SOFT}},
        xref="paper",
        yref="paper",
        x=0.5,
        y=0,
        yanchor="top",
        yshift=-26,
    )
    caption = selection(subject, shown, "the most prevalent" if factors is None else "those chosen")
    caption.append("Prevalence is the mean probability over the training documents.")
    return finished(
        figure,
        f"What the {subject.nouns} say",
        caption,
        height=drawn.height,
        width=_width(drawn.columns),
    )


def _width(columns: int) -> int:
    return max(WIDTH // 2 + 60, WIDTH * columns // ACROSS)


def _title(subject: Subject, number: int) -> str:
    name, status = subject.names[number], subject.status[number]
    share = f"{subject.prevalence[number]:.1%}"
    told = share if status == "active" else f"{share}, {status}"
    called = f"{subject.noun} {name}" if isinstance(name, int) else plain(name, LONGEST)
    return f"<b>{called}</b> <span style='color:{SOFT}'>{told}</span>"


def _bars(words: list[tuple[str, float]]) -> Any:
    return go.Bar(
        x=[score for _, score in words],
        y=list(range(len(words))),
        text=[plain(word, LONGEST) for word, _ in words],
        customdata=[plain(word) for word, _ in words],
        hovertemplate="<b>%{customdata}</b><br>%{x:.4g}<extra></extra>",
        orientation="h",
        marker={"color": PALE},
        textposition="inside",
        insidetextanchor="start",
        insidetextfont={"color": INK, "size": 13},
        constraintext="none",
        textangle=0,
        cliponaxis=False,
        showlegend=False,
    )
