"""How training went."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from topicfactors.errors import InputError
from topicfactors.export.plots.subject import opened
from topicfactors.export.plots.theme import (
    BLUE,
    CAPTION,
    GREEN,
    GREY,
    ORANGE,
    SOFT,
    VERMILION,
    finished,
)

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

HEIGHT, BELOW = 360, 150  # pixels of the bounds, and what a second panel adds
ABOVE = 14  # pixels between the bounds and their legend
FEW = 20  # passes up to which each has its number
HOVER = (
    "pass %{x}<br>%{y:,.2f} nats a document<br>perplexity %{customdata[0]:,.1f}, "
    "%{customdata[1]} active<br>%{customdata[2]:.1f} s<extra>%{fullData.name}</extra>"
)


def plot_training(model: Any) -> Figure:
    """The bound of the training and of the held-out documents after every pass.

    The pass whose parameters were kept is marked. Where the last of them held documents out, the
    score of the unigram on those is a line, as far as the model knows it: what a model has to be
    above. Where the KL weight was not 1 throughout, it has a panel of its own: the bound is the
    whole one, which may fall while the weight rises.

    Parameters
    ----------
    model
        A fitted model, or a pipeline that ends in one; loaded ones have their history too.

    Raises
    ------
    InputError
        When it is no such model, or its history is empty.

    Examples
    --------
    >>> import numpy as np
    >>> from topicfactors import BinaryFactorModel, plot_training
    >>> counts = np.array([[4, 3, 0, 0], [0, 0, 5, 2], [3, 4, 0, 1], [0, 0, 3, 4]] * 5)
    >>> figure = plot_training(BinaryFactorModel(2, max_iter=4, random_state=0).fit(counts))
    >>> list(figure.data[0].x)
    [1, 2, 3, 4]
    """
    subject = opened(model)
    history = list(subject.model.history_)
    if not history:
        raise InputError(
            "the model has no history: no pass of its training was complete; fit it again"
        )
    warmed = any(epoch.kl_weight != 1 for epoch in history)
    rows = 2 if warmed else 1
    figure = make_subplots(
        rows, 1, shared_xaxes=True, row_heights=[0.72, 0.28][:rows], vertical_spacing=0.09
    )
    for trace in _bounds(history):
        figure.add_trace(trace, row=1, col=1)
    if warmed:
        weights = [epoch.kl_weight for epoch in history]
        figure.add_trace(_line(history, weights, "KL weight", ORANGE), row=2, col=1)
        figure.data[-1].hovertemplate = "pass %{x}<br>KL weight %{y:.2f}<extra></extra>"
        figure.update_yaxes(title_text="KL weight", range=[-0.05, 1.08], row=2, col=1)
    kept = _kept(subject.model)
    if kept is not None:
        figure.add_vline(kept, line={"color": GREY, "dash": "dot", "width": 1.5})
        _say(figure, f"kept: pass {kept}", x=kept, yref="paper", y=1, yanchor="bottom")
    unigram = _unigram(subject.model)
    if unigram is not None:
        figure.add_hline(unigram, line={"color": GREEN, "dash": "dash", "width": 1.5}, row=1, col=1)
        told = f"unigram, held out: {unigram:,.1f}".replace("-", "−")
        _say(figure, told, xref="paper", x=1, xanchor="right", y=unigram, yanchor="bottom")
    height = HEIGHT + (BELOW if warmed else 0)
    what = "log p of tempered words" if _tempered(subject.model) else "bound on log p(x)"
    figure.update_yaxes(title_text=f"{what}, nats a document", row=1, col=1)
    figure.update_xaxes(title_text="pass over the training documents", row=rows, col=1)
    if len(history) <= FEW:
        figure.update_xaxes(dtick=1)
    figure.update_layout(
        legend={"orientation": "h", "x": 0, "y": 1 + ABOVE / height, "yanchor": "bottom"}
    )
    return finished(figure, "Training", _caption(subject.model, history), height=height)


def _bounds(history: Sequence[Any]) -> list[Any]:
    traces = [_line(history, [epoch.bound for epoch in history], "training documents", BLUE)]
    held_out = [epoch.held_out for epoch in history]
    if any(bound is not None for bound in held_out):
        traces.append(_line(history, held_out, "held-out documents", VERMILION))
    return traces


def _line(history: Sequence[Any], values: Sequence[float | None], name: str, colour: str) -> Any:
    """A value a pass."""
    return go.Scatter(
        x=list(range(1, len(history) + 1)),
        y=[None if value is None or not math.isfinite(value) else value for value in values],
        customdata=[[epoch.perplexity, epoch.active, epoch.seconds] for epoch in history],
        hovertemplate=HOVER,
        name=name,
        mode="lines+markers",
        line={"color": colour, "width": 2},
        marker={"size": 5},
        showlegend=name != "KL weight",
    )


def _kept(model: Any) -> int | None:
    """The place of the pass that was kept, where its number is that of one pass alone."""
    numbers = [epoch.number for epoch in model.history_]
    once = numbers.count(model.best_iter_) == 1
    return numbers.index(model.best_iter_) + 1 if once else None


def _unigram(model: Any) -> float | None:
    """Mean log p of held-out documents under the unigram, nats a document.

    A mean log p is −log(corpus perplexity) times the tokens of a document, of which both
    perplexities have the same. None where the bounds are of something else than the words: of
    words that are believed in part, or of a response too.
    """
    if _tempered(model) or _responds(model):
        return None
    for found in getattr(model, "held_out_", {}).values():
        nats = math.log(found.perplexity.corpus)
        if math.isfinite(nats) and nats > 0 and math.isfinite(found.unigram.corpus):
            return float(found.log_prob * math.log(found.unigram.corpus) / nats)
    return None


def _tempered(model: Any) -> bool:
    return getattr(model, "tempering_", "none") != "none"


def _responds(model: Any) -> bool:
    return bool(getattr(model, "_responds", lambda: False)())


def _say(figure: Any, text: str, **where: Any) -> None:
    figure.add_annotation(
        text=text, showarrow=False, font={"size": CAPTION - 1, "color": SOFT}, **where
    )


def _caption(model: Any, history: Sequence[Any]) -> list[str]:
    later = [*history[1:], None]  # every call of partial_fit has a clock of its own
    seconds = sum(
        now.seconds
        for now, then in zip(history, later, strict=True)
        if then is None or then.seconds < now.seconds
    )
    many = f"{len(history)} pass{'es' * (len(history) > 1)}"
    told = [f"{model.inference_}, {many}, {seconds:.1f} s."]
    if model.stopped_:
        told.append(f"Ended early: {model.stopped_}.")
    return told
