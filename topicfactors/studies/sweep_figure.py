"""The plotly figure of a sweep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

INK, MUTED, MARKED = "#1f4e79", "#9aa5b1", "#c0392b"


class Panel(NamedTuple):
    """One small plot against the number of factors."""

    title: str
    value: Callable[[Any], float | None]
    error: Callable[[Any], float | None]
    beside: Callable[[Any], float | None] | None = None  # a second line, drawn faint
    called: str = ""
    share: bool = False  # is it drawn from 0 to 1?


PANELS = (
    Panel("% above the best perplexity", lambda r: r.worse, lambda r: r.worse_error),
    Panel("held-out bound, nats a document", lambda r: r.bound, lambda r: r.bound_error),
    Panel("coherence (NPMI)", lambda r: r.npmi, lambda r: r.npmi_spread),
    Panel("diversity", lambda r: r.diversity, lambda r: None, share=True),
    Panel(
        "agreement between runs; faint: by chance",
        lambda r: r.agreement,
        lambda r: r.agreement_spread,
        lambda r: r.chance,
        "by chance",
        share=True,
    ),
    Panel("factors that come back, share", lambda r: r.came_back, lambda r: None, share=True),
)
FULL = [0, 1.05]  # the scale of shares


def sweep_figure(rows: Sequence[Any], chosen: int, score: str, stable: float) -> Any:
    """Small multiples against k, the recommended one marked by a line through all of them.

    Parameters
    ----------
    rows
        Those of :class:`topicfactors.studies.sweep_results.Sweep`.
    chosen
        The recommended number of factors.
    score
        What decides, for the title.
    stable
        Share of factors that come back from which a number is called stable; drawn.
    """
    from plotly.subplots import make_subplots

    shown = [panel for panel in PANELS if any(panel.value(row) is not None for row in rows)]
    deep = -(-len(shown) // 2)
    titles = [panel.title.replace("% above", f"{score}, % above", 1) for panel in shown]
    figure = make_subplots(rows=deep, cols=2, subplot_titles=titles, vertical_spacing=0.14)
    for place, panel in enumerate(shown):
        where = {"row": place // 2 + 1, "col": place % 2 + 1}
        for trace in _traces(panel, rows):
            figure.add_trace(trace, **where)
        figure.add_vline(x=chosen, line={"color": MARKED, "dash": "dot", "width": 1.5}, **where)
        if "come back" in panel.title:
            figure.add_hline(y=stable, line={"color": MUTED, "dash": "dash", "width": 1}, **where)
        if panel.share:
            figure.update_yaxes(range=FULL, **where)
        figure.update_xaxes(title_text="number of factors", tickvals=[r.k for r in rows], **where)
    figure.update_layout(
        template="plotly_white",
        title=f"Recommended: {chosen} factors (dotted)",
        height=300 * deep + 60,
        showlegend=False,
        margin={"t": 90},
    )
    return figure


def _traces(panel: Panel, rows: Sequence[Any]) -> list[Any]:
    import plotly.graph_objects as go

    known = [row for row in rows if panel.value(row) is not None]
    across = [row.k for row in known]
    errors = [panel.error(row) or 0.0 for row in known]
    drawn = {"type": "data", "array": errors, "visible": any(errors)}
    style = {"color": INK}
    found = [
        go.Scatter(
            x=across,
            y=[panel.value(row) for row in known],
            error_y=drawn,
            mode="lines+markers",
            line=style,
            hovertemplate="k = %{x}: %{y:.4g}<extra></extra>",
        )
    ]
    if panel.beside is not None:
        found.append(
            go.Scatter(
                x=across,
                y=[panel.beside(row) for row in known],
                mode="lines",
                line={"color": MUTED, "dash": "dot"},
                hovertemplate=f"{panel.called}, k = %{{x}}: %{{y:.4g}}<extra></extra>",
            )
        )
    return found
