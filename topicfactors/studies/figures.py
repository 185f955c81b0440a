"""Plotly figures of studies."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

PANELS = (
    (
        "relative_variance",
        "relative_bias",
        "variance, share of gradient²",
        "bias, share of gradient",
    ),
    ("ms_per_step", "elbo_after_time", "step, ms", "ELBO after equal time, nats"),
    (
        "evaluations",
        "elbo_after_evaluations",
        "evaluations a step",
        "ELBO after equal evaluations, nats",
    ),
)
"""What is across, what is up, and their titles."""
LEAST = 1e-3  # share of the gradient below which a bias is drawn at the foot of the scale


def gradient_figure(records: Sequence[Mapping[str, Any]]) -> Any:
    """Three panels: bias and variance, and the bound beside the cost of a step, of each kind.

    The records are those of :meth:`topicfactors.studies.results.GradientStudy.records`.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    from topicfactors.export.plots.theme import template

    figure = make_subplots(rows=1, cols=len(PANELS), horizontal_spacing=0.08)
    for column, (across, up, x_title, y_title) in enumerate(PANELS, 1):
        shown = [record for record in records if _there(record, across, up)]
        figure.add_trace(
            go.Scatter(
                x=[_drawn(across, record[across]) for record in shown],
                y=[_drawn(up, record[up]) for record in shown],
                text=[record["estimator"] for record in shown],
                customdata=[record["objective"] for record in shown],
                mode="markers+text",
                textposition="top center",
                hovertemplate="%{text} (%{customdata})<br>%{x:.4g}, %{y:.4g}<extra></extra>",
                showlegend=False,
            ),
            row=1,
            col=column,
        )
        figure.update_xaxes(title_text=x_title, type="log", row=1, col=column)
        bias = {"type": "log"} if up == "relative_bias" else {}
        figure.update_yaxes(title_text=y_title, row=1, col=column, **bias)
    figure.update_layout(template=template(), width=1500, height=520)
    return figure


def _there(record: Mapping[str, Any], *names: str) -> bool:
    return all(record[name] is not None and math.isfinite(record[name]) for name in names)


def _drawn(name: str, value: float) -> float:
    """On a logarithmic scale nothing is zero."""
    floor = {"relative_bias": LEAST, "relative_variance": LEAST}.get(name, -math.inf)
    return max(floor, value)
