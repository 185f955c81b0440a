"""Factors as points of a plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from topicfactors.export.plots.subject import Subject, opened
from topicfactors.export.plots.theme import (
    BLUE,
    CAPTION,
    GREY,
    INK,
    LEFT,
    RIGHT,
    VERMILION,
    WIDTH,
    finished,
    listed,
    wide,
)
from topicfactors.insight.layout import jensen_shannon, label_sides, misfit, plane
from topicfactors.values import whole

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

HEIGHT = 620  # pixels
LEAST, MOST = 9.0, 46.0  # diameters of points, pixels
LABEL = 12  # size of type, pixels
EDGES = 40  # couplings drawn, the strongest
WEAK = 0.1  # share of the strongest below which a coupling is not drawn
NARROW = 0.1  # √nats of height at least, where all say the same
EMPTY = 0.12  # share of the plot that is left free around the points


def plot_map(model: Any, n_words: int = 8) -> Figure:
    """Factors (components, classes) as points: what says the same lies together.

    Distances are Jensen–Shannon distances between the word probabilities with each factor on, put
    into a plane by metric multidimensional scaling (:mod:`topicfactors.insight.layout`). A point's
    area goes with the prevalence; dead factors are hollow. Where the prior couples factors
    (``prior="boltzmann"``) lines show the strongest couplings. Labels stand where there is room,
    those of prevalent factors first; all of them, with ``n_words`` words, are told when a point is
    pointed at.

    Parameters
    ----------
    model
        A fitted model, or a pipeline that ends in one.
    n_words
        Words a point tells.

    Raises
    ------
    InputError
        When it is no such model.
    ConfigurationError
        When ``n_words`` is not a whole number of 1 or more.

    Examples
    --------
    >>> import numpy as np
    >>> from topicfactors import BinaryFactorModel, plot_map
    >>> counts = np.array([[4, 3, 0, 0], [0, 0, 5, 2], [3, 4, 0, 1], [0, 0, 3, 4]] * 5)
    >>> figure = plot_map(BinaryFactorModel(3, random_state=0).fit(counts))
    >>> len(figure.data[-1].x)
    3
    """
    whole("n_words", n_words, 1)
    subject = opened(model)
    distances = jensen_shannon(subject.model.get_topics())
    points = plane(distances)
    ranges = _ranges(points)
    figure = go.Figure()
    couplings = getattr(subject.model, "couplings_", None)
    names = subject.called()
    for trace in [] if couplings is None else _edges(points, np.asarray(couplings), names):
        figure.add_trace(trace)
    figure.add_trace(_points(subject, points, ranges, names, n_words))
    unit = "direction, Jensen–Shannon distance in √nats"
    figure.update_xaxes(title_text=f"widest {unit}", range=list(ranges[:, 0]))
    figure.update_yaxes(title_text=f"second {unit}", range=list(ranges[:, 1]))
    caption = [
        f"Near means alike words; area is prevalence. Stress {misfit(distances, points):.2f} "
        "(at 0 a plane shows the distances as they are)."
    ]
    if couplings is not None:
        caption.append("Lines are couplings: orange come together, blue keep apart.")
    return finished(figure, f"Map of the {subject.nouns}", caption, height=HEIGHT)


def _ranges(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ends of both axes ``(2, 2)``, lower then upper, with as many pixels a unit on both."""
    size = np.array([WIDTH - LEFT - RIGHT, HEIGHT], np.float64)
    middle = (points.max(0) + points.min(0)) / 2
    scale = max(float((np.ptp(points, axis=0) / size).max()), NARROW / HEIGHT) / (1 - 2 * EMPTY)
    return np.stack([middle - scale * size / 2, middle + scale * size / 2])


def _diameters(subject: Subject) -> NDArray[np.float64]:
    share = subject.prevalence / max(float(subject.prevalence.max()), 1e-12)
    return np.asarray(np.maximum(LEAST, MOST * np.sqrt(share)))


def _points(
    subject: Subject,
    points: NDArray[np.float64],
    ranges: NDArray[np.float64],
    names: list[str],
    n_words: int,
) -> Any:
    sizes = _diameters(subject)
    sides = _sides(subject, points, ranges, names, sizes)
    alive = [status != "dead" for status in subject.status]
    return go.Scatter(
        x=points[:, 0].tolist(),
        y=points[:, 1].tolist(),
        mode="markers+text",
        text=[name if side else "" for name, side in zip(names, sides, strict=True)],
        textposition=[side or "middle right" for side in sides],
        textfont={"size": LABEL, "color": INK},
        customdata=[
            [name, f"{prevalence:.1%}", status, listed(words)]
            for name, prevalence, status, words in zip(
                names, subject.prevalence, subject.status, subject.told(n_words), strict=True
            )
        ],
        hovertemplate="<b>%{customdata[0]}</b><br>prevalence %{customdata[1]}, "
        "%{customdata[2]}<br>%{customdata[3]}<extra></extra>",
        marker={
            "size": sizes.tolist(),
            "color": ["rgba(0,114,178,0.45)" if on else "rgba(255,255,255,0)" for on in alive],
            "line": {"width": 1.2, "color": [BLUE if on else GREY for on in alive]},
            "opacity": 1,
        },
        cliponaxis=False,
        showlegend=False,
    )


def _sides(
    subject: Subject,
    points: NDArray[np.float64],
    ranges: NDArray[np.float64],
    names: list[str],
    sizes: NDArray[np.float64],
) -> list[str | None]:
    """Where labels have room, those of prevalent factors first."""
    pixels = np.array([WIDTH - LEFT - RIGHT, HEIGHT], np.float64)
    placed = (points - ranges[0]) / (ranges[1] - ranges[0]) * pixels
    boxes = np.array([(wide(name, LABEL), 1.4 * LABEL) for name in names])
    order = np.argsort(-subject.prevalence, kind="stable")
    frame = np.stack([np.zeros(2), pixels])
    found = label_sides(placed[order], sizes[order] / 2, boxes[order], frame)
    sides: list[str | None] = [None] * len(names)
    for number, side in zip(order, found, strict=True):
        sides[number] = side
    return sides


def _edges(
    points: NDArray[np.float64], couplings: NDArray[np.floating], names: list[str]
) -> list[Any]:
    """A line for each strong coupling, and a point in its middle that tells how strong."""
    first, second = np.triu_indices(len(points), 1)
    nats = couplings[first, second]
    order = np.argsort(-np.abs(nats), kind="stable")[:EDGES]
    strongest = float(np.abs(nats[order]).max(initial=0))
    order = order[np.abs(nats[order]) > WEAK * strongest]
    lines = [
        go.Scatter(
            x=points[[first[edge], second[edge]], 0].tolist(),
            y=points[[first[edge], second[edge]], 1].tolist(),
            mode="lines",
            line={
                "width": 0.8 + 4 * abs(float(nats[edge])) / strongest,
                "color": VERMILION if nats[edge] > 0 else BLUE,
            },
            opacity=0.45,
            hoverinfo="skip",
            showlegend=False,
        )
        for edge in order
    ]
    middle = (points[first[order]] + points[second[order]]) / 2
    told = [
        f"<b>{names[first[edge]]}</b> and <b>{names[second[edge]]}</b><br>"
        f"coupling {nats[edge]:+.2f} nats of log-odds"
        for edge in order
    ]
    marks = go.Scatter(
        x=middle[:, 0].tolist(),
        y=middle[:, 1].tolist(),
        mode="markers",
        marker={"size": CAPTION, "opacity": 0},
        customdata=told,
        hovertemplate="%{customdata}<extra></extra>",
        showlegend=False,
    )
    return [*lines, marks] if lines else []
