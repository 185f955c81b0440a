"""The bounds on log p(x) of some documents, beside each other and the unigram."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import plotly.graph_objects as go

from topicfactors.errors import ConfigurationError, InputError, unknown_name
from topicfactors.export.plots.subject import Subject, opened, table_of, with_words
from topicfactors.export.plots.theme import BLUE, GREY, INK, VERMILION, finished

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

DRAWS = (10, 100)  # of the importance-weighted bounds
ROW, FRAME = 46, 40  # pixels of a bound, and around them
NAMES = {
    "ais": "AIS",
    "completion": "completion of the unseen half",
    "elbo": "ELBO",
    "exact": "exact log p(x)",
    "iwae": "IWAE",
    "smoothed-iwae": "IWAE of smoothed bits",
    "truncated": "truncated",
}
HOVER = "%{y}<br>perplexity %{text}<br>%{customdata[0]}<extra>%{fullData.name}</extra>"
SPENT = {"ais": "chains", "truncated": "states"}


class Rung(NamedTuple):
    """A bound that is asked for."""

    bound: str
    samples: int | None = None


def plot_bound(
    model: Any,
    X: Any,
    *,
    covariates: Any = None,
    bounds: Iterable[str] | None = None,
    draws: Sequence[int] = DRAWS,
) -> Figure:
    """The ladder of bounds on log p(x) of some documents, each beside the unigram.

    Every row is a call of ``evaluate``: the perplexity under a bound with one standard error to
    each side, and that of the training frequencies on the same tokens. Lower is better, and a
    bound can only be too high: the lowest is nearest to the truth (docs/scores.md). Completion
    stands apart; it is no bound but a prediction. What the model cannot afford is not drawn, and
    named in the caption.

    Parameters
    ----------
    model
        A fitted model, or a pipeline that ends in one.
    X
        Counts ``(N, V)`` of documents that were not trained on; or, for a pipeline, what it reads.
    covariates
        Those of the documents, where the model was fitted with some (``X.covariates`` where ``X``
        is a corpus).
    bounds
        Names as for ``evaluate``. Where none are named: elbo, iwae, truncated, exact (where it is
        cheap) and completion; of a mixture or classifier its own and completion. ``"ais"`` is slow
        and has to be asked for.
    draws
        How many each importance-weighted bound has.

    Raises
    ------
    InputError
        When it is no such model, or no document has words.
    ConfigurationError
        When ``bounds`` names one that does not exist, or the model affords none of them.

    Examples
    --------
    >>> import numpy as np
    >>> from topicfactors import BinaryFactorModel, plot_bound
    >>> counts = np.array([[4, 3, 0, 0], [0, 0, 5, 2], [3, 4, 0, 1], [0, 0, 3, 4]] * 5)
    >>> model = BinaryFactorModel(2, random_state=0).fit(counts)
    >>> plot_bound(model, counts, bounds=["elbo", "exact"]).data[-1].y
    ('ELBO, 32 draws', 'exact log p(x)')
    """
    subject = opened(model)
    if isinstance(bounds, str):
        raise ConfigurationError(f"bounds must be a list of names, as in [{bounds!r}]")
    wanted = _usual(subject) if bounds is None else list(bounds)
    for name in wanted:
        if name not in (*NAMES, "auto", "own"):
            raise unknown_name("bounds", name, (*NAMES, "auto", "own"))
    own = subject.covariates(table_of(X, None)) if covariates is None else covariates
    counts = subject.observed(X, own)
    with_words(counts)
    found, refused = _evaluated(subject, counts, _rungs(wanted, draws))
    if not found:
        raise ConfigurationError(f"no bound could be drawn: {'; '.join(refused) or 'none named'}")
    figure = go.Figure(_traces(found))
    figure.update_xaxes(title_text="perplexity, mean over documents (lower is better)")
    figure.update_yaxes(autorange="reversed", automargin=True, type="category", showgrid=False)
    figure.update_layout(legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02})
    figure.update_layout(legend={"yanchor": "bottom"})
    scored = next(iter(found.values())).perplexity.documents
    caption = [
        f"{scored:,} documents; bars are ± one standard error over them. The bounds are of the "
        "same documents, so they differ more surely than the bars say.",
    ]
    if refused:
        caption.append(f"Not drawn: {'; '.join(refused)}.")
    return finished(
        figure, "How well documents are predicted", caption, height=FRAME + ROW * len(found)
    )


def _usual(subject: Subject) -> list[str]:
    """The bounds that cost little."""
    if subject.noun != "factor":
        return ["auto", "completion"]
    cheap = ["exact"] if subject.model._tightest() == "exact" else []
    return ["elbo", "iwae", "truncated", *cheap, "completion"]


def _rungs(wanted: Sequence[str], draws: Sequence[int]) -> list[Rung]:
    rungs = []
    for bound in wanted:
        several = [Rung(bound, each) for each in draws]
        rungs += several if bound == "iwae" else [Rung(bound)]
    return rungs


def _evaluated(
    subject: Subject, counts: Any, rungs: Sequence[Rung]
) -> tuple[dict[str, Any], list[str]]:
    """Scores by what each row is called, and why others are not there."""
    found: dict[str, Any] = {}
    refused: list[str] = []
    for rung in rungs:
        given = {} if rung.samples is None else {"samples": rung.samples}
        try:
            score = subject.model.evaluate(counts, bound=rung.bound, **given)
        except (ConfigurationError, InputError) as error:
            refused.append(f"{rung.bound} ({error})")
        else:
            found.setdefault(_called(score), score)
    return found, list(dict.fromkeys(refused))


def _called(score: Any) -> str:
    name = NAMES[score.bound]
    if not score.samples or score.bound == "completion":
        return name
    spent = f"{name}, {score.samples} {SPENT.get(score.bound, 'draws')}"
    return f"{spent} × {score.temperatures} temperatures" if score.temperatures else spent


def _traces(found: dict[str, Any]) -> list[Any]:
    names, scores = list(found), list(found.values())
    plain = [score.unigram for score in scores]
    return [
        _joined(names, scores),
        _marks("unigram, word frequencies alone", names, plain, GREY, "circle-open", scores),
        _marks("model", names, [score.perplexity for score in scores], BLUE, "circle", scores),
    ]


def _joined(names: Sequence[str], scores: Sequence[Any]) -> Any:
    """A pale line from each score to that of its unigram."""
    x = [v for s in scores for v in (s.perplexity.per_document, s.unigram.per_document, None)]
    y = [value for name in names for value in (name, name, None)]
    line = {"color": "#d5d9df", "width": 2}
    return go.Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", showlegend=False)


def _marks(
    name: str,
    rows: Sequence[str],
    found: Sequence[Any],
    colour: str,
    symbol: str,
    scores: Sequence[Any],
) -> Any:
    model = name == "model"
    return go.Scatter(
        x=[score.per_document for score in found],
        y=list(rows),
        name=name,
        mode="markers+text" if model else "markers",
        text=[f"{score.per_document:,.1f} ± {score.standard_error:,.1f}" for score in found],
        textposition="top center",
        textfont={"size": 12, "color": INK},
        marker={"size": 10, "color": _colours(scores) if model else colour, "symbol": symbol},
        error_x={
            "type": "data",
            "array": [_finite(score.standard_error) for score in found],
            "color": colour,
            "thickness": 1.2,
            "width": 4,
        },
        customdata=[
            [f"{s.log_prob:,.2f} ± {s.standard_error:,.2f} nats a document" if model else ""]
            for s in scores
        ],
        hovertemplate=HOVER,
        cliponaxis=False,
    )


def _colours(scores: Sequence[Any]) -> list[str]:
    """Completion is no bound."""
    return [VERMILION if score.bound == "completion" else BLUE for score in scores]


def _finite(value: float) -> float:
    return value if math.isfinite(value) else 0.0
