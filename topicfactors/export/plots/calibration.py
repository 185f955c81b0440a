"""The reliability curve of on/off probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from topicfactors.errors import InputError
from topicfactors.export.plots.theme import COLOURS, GREY, finished, plain
from topicfactors.insight.calibration import Calibration

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

WIDTH, HEIGHT = 620, 460  # pixels; of what is drawn
HOVER = "said %{x:.3f}<br>was on %{y:.3f}<br>%{customdata:,} pairs<extra>%{fullData.name}</extra>"


def plot_calibration(found: Calibration | Mapping[str, Calibration]) -> Figure:
    """How often factors were on, against how probable that was said to be.

    A curve on the diagonal is calibrated; one that is flatter is too sure. Bars are two standard
    errors either way.

    Parameters
    ----------
    found
        What :meth:`BinaryFactorModel.calibration` returned, or several under names of yours.

    Raises
    ------
    InputError
        When it is something else.

    Examples
    --------
    >>> import numpy as np
    >>> from topicfactors.insight.calibration import calibrated
    >>> curve = calibrated(np.array([[0.2], [0.8]]), np.array([[0], [1]]))
    >>> list(plot_calibration({"mine": curve}).data[1].y)
    [0.0, 1.0]
    """
    curves = found if isinstance(found, Mapping) else {getattr(found, "how", ""): found}
    if not curves or not all(isinstance(curve, Calibration) for curve in curves.values()):
        raise InputError(
            "plot_calibration draws what model.calibration(...) returns, or a dict of names and "
            f"such results, got a {type(found).__name__}"
        )
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        name="calibrated",
        hoverinfo="skip",
        line=_line(GREY, True),
    )
    for place, (name, curve) in enumerate(curves.items()):
        figure.add_scatter(**_curve(name, curve, COLOURS[place % len(COLOURS)]))
    figure.update_xaxes(title_text="said: P(on | document)", range=[-0.03, 1.03])
    figure.update_yaxes(title_text="was: share with the factor on", range=[-0.03, 1.03])
    figure.update_layout(legend={"x": 0.02, "y": 0.98})
    told = ["Below the diagonal on the right, above it on the left: too sure."]
    return finished(figure, "Calibration of the factors", told, height=HEIGHT, width=WIDTH)


def _curve(name: str, curve: Calibration, colour: str) -> dict[str, Any]:
    error = f"{curve.expected_calibration_error:.3f}"
    return {
        "x": curve.predicted,
        "y": curve.observed,
        "customdata": curve.pairs,
        "error_y": {"type": "data", "array": [2 * each for each in curve.standard_error]},
        "mode": "lines+markers",
        "name": f"{plain(name)} (error {error})".strip(),
        "hovertemplate": HOVER,
        "line": _line(colour),
    }


def _line(colour: str, dotted: bool = False) -> dict[str, Any]:
    return {"color": colour, "width": 2, "dash": "dot" if dotted else "solid"}
