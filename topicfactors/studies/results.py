"""The figures of gradient estimators side by side, as rows, a table and a plot."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from topicfactors.export.tables import Table, write_md
from topicfactors.studies.contestants import Refused
from topicfactors.studies.moments import Figures
from topicfactors.studies.races import Cost, Outcome


class Settings(NamedTuple):
    """How a study was made."""

    factors: int
    words: int
    documents: int  # of the training
    held_out: int  # documents
    posterior: str
    likelihood: str
    drawn_documents: int  # on which bias and variance are
    draws: int  # of the gradient of each
    reference: str  # what bias is against: "exact", or an estimator and its draws
    reference_length: float  # root mean square over documents of its length, nats
    reference_error: float  # standard error of that kind in the reference itself; 0 where exact
    seconds: float  # of a training on equal time
    evaluations: float  # of a training on equal evaluations, for each training document
    samples: int  # draws a document of ELBO and IWAE
    seed: int


class Row(NamedTuple):
    """What was measured of one estimator; None where there is nothing to measure."""

    estimator: str
    objective: str  # "elbo", or the other bound that its gradient is of
    unbiased: bool  # what it says of itself, for that objective
    logits: Figures | None  # of the gradient in the posterior's logits
    encoder: Figures | None  # of the batch's mean gradient in the posterior's parameters
    cost: Cost
    after_time: Outcome | None
    after_evaluations: Outcome | None


COLUMNS = {
    "estimator": "estimator",
    "bias": "bias, % of gradient",
    "variance": "variance",
    "snr": "signal/noise",
    "cosine": "cosine",
    "ms_per_step": "step, ms",
    "evaluations": "evaluations",
    "elbo_after_time": "ELBO, equal time",
    "iwae_after_time": "IWAE, equal time",
    "elbo_after_evaluations": "ELBO, equal evaluations",
    "iwae_after_evaluations": "IWAE, equal evaluations",
}
"""The columns of the short table, and their heads."""
BIASES = ("bias", "bias_at_most", "relative_bias", "relative_bias_at_most")
NOISES = ("variance", "variance_error", "relative_variance", "snr", "snr_at_most", "cosine")


@dataclass(frozen=True)
class GradientStudy:
    """Gradient estimators side by side on one corpus.

    Parameters
    ----------
    settings
        How it was made.
    rows
        An estimator each.
    refused
        Those that cannot serve the model, with the reason.
    """

    settings: Settings
    rows: tuple[Row, ...]
    refused: tuple[Refused, ...]

    def records(self) -> list[dict[str, Any]]:
        """Every figure of every estimator, a flat dict each; None where there is none."""
        return [_record(row, self.settings.reference_length) for row in self.rows]

    def to_pandas(self) -> Any:
        """:meth:`records` as a data frame, a row an estimator."""
        import pandas as pd

        return pd.DataFrame(self.records()).set_index("estimator")

    def table(self) -> Table:
        """:meth:`records` for :func:`topicfactors.export.tables.export_table`."""
        records = self.records()
        columns = list(records[0]) if records else ["estimator"]
        return Table(columns, [[list(record.values()) for record in records]])

    def as_dict(self) -> dict[str, Any]:
        """Settings, estimators and those refused, for a file of JSON."""
        return {
            "settings": self.settings._asdict(),
            "estimators": self.records(),
            "refused": [refused._asdict() for refused in self.refused],
        }

    def cells(self) -> list[list[str]]:
        """The short table as people read it: heads, then a row an estimator.

        Columns of what was not measured are left out.
        """
        records = self.records()
        known = {name for record in records for name in record if record[name] is not None}
        shown = [name for name in COLUMNS if name in known | {"bias"}]
        heads = [COLUMNS[name] for name in shown]
        return [heads, *([_cell(record, name) for name in shown] for record in records)]

    def markdown(self) -> str:
        """The short table in Markdown, what it was made with below it, then those refused."""
        heads, *rows = self.cells()
        stream = io.StringIO()
        write_md(Table(heads, [rows]), stream)
        refused = "".join(f"- `{name}`: {reason}\n" for name, reason in self.refused)
        return f"{stream.getvalue()}\n{self.caption()}\n" + (f"\n{refused}" if refused else "")

    def caption(self) -> str:
        """A paragraph on how the figures were made."""
        known = self.settings
        error = (
            f" (known to {known.reference_error / known.reference_length:.1%} of its length)"
            if known.reference_error and known.reference_length
            else ""
        )
        return (
            f"{known.factors} factors, {known.words:,} words, {known.likelihood}, "
            f"{known.posterior} posterior. Bias and variance in the posterior's logits: "
            f"{known.draws} draws for each of {known.drawn_documents} documents, against "
            f"{known.reference}{error}. An evaluation is a walk over the vocabulary for a "
            f"document.{self._of_trainings()}"
        )

    def _of_trainings(self) -> str:
        known = self.settings
        budgets = [f"{known.seconds:g} s"] if known.seconds else []
        if known.evaluations:
            each = f"each of {known.documents:,} training documents"
            budgets.append(f"{known.evaluations:g} evaluations for {each}")
        if not budgets:
            return ""
        return (
            f" Bounds in nats a document, hard factors, {known.samples} draws, "
            f"{known.held_out:,} documents held out, after {' or '.join(budgets)}."
        )

    def plot(self) -> Any:
        """Bias against variance, and the bound against cost, as a plotly figure."""
        from topicfactors.studies.figures import gradient_figure

        return gradient_figure(self.records())


def _record(row: Row, length: float) -> dict[str, Any]:
    ours = row.objective == "elbo"
    logits, encoder = row.logits, row.encoder
    return {
        "estimator": row.estimator,
        "objective": row.objective,
        "unbiased": row.unbiased,
        **_figures(logits, ours, length),
        "encoder_snr": None if encoder is None else _ratio(encoder.signal, encoder.variance),
        "encoder_cosine": None if encoder is None else encoder.cosine,
        "ms_per_step": 1000 * row.cost.seconds,
        "evaluations": row.cost.evaluations,
        **_outcome(row.after_time, "time"),
        **_outcome(row.after_evaluations, "evaluations"),
    }


def _figures(found: Figures | None, ours: bool, length: float) -> dict[str, float | None]:
    if found is None:
        return dict.fromkeys((*BIASES, *NOISES))
    biases = (found.bias, found.bias_most, found.bias / length, found.bias_most / length)
    return {
        **{name: bias if ours else None for name, bias in zip(BIASES, biases, strict=True)},
        **dict(zip(NOISES, _noises(found, length), strict=True)),
    }


def _noises(found: Figures, length: float) -> tuple[float, ...]:
    ratios = (_ratio(signal, found.variance) for signal in (found.signal, found.signal_most))
    relative = found.variance / length**2
    return (found.variance, found.variance_error, relative, *ratios, found.cosine)


def _ratio(signal: float, variance: float) -> float:
    return signal / math.sqrt(variance) if variance > 0 else math.inf


def _outcome(found: Outcome | None, budget: str) -> dict[str, float | None]:
    values = Outcome(*[None] * len(Outcome._fields)) if found is None else found  # type: ignore[arg-type]
    return {f"{name}_after_{budget}": value for name, value in values._asdict().items()}


def _cell(record: dict[str, Any], name: str) -> str:
    if name == "estimator":
        return str(record[name])
    if name == "bias":
        return _bias(record)
    return _snr(record) if name == "snr" else _number(name, record[name])


def _bias(record: dict[str, Any]) -> str:
    """In per cent; whose gradient it is where that is another bound's."""
    if record["variance"] is None:
        return "(no draws)"
    if record["relative_bias"] is None:
        return f"(of {record['objective']})"
    return _seen(100 * record["relative_bias"], 100 * record["relative_bias_at_most"])


def _snr(record: dict[str, Any]) -> str:
    if record["snr"] is None or not math.isfinite(record["snr"]):
        return _number("snr", record["snr"])
    return _seen(record["snr"], record["snr_at_most"])


def _seen(value: float, most: float) -> str:
    """A root that was estimated by its square; "< 3" within three standard errors of none."""
    two_errors = most**2 - value**2
    return _short(value) if value**2 > 1.5 * two_errors else f"< {_short(most)}"


def _short(value: float) -> str:
    """Two digits, or all before the point.

    >>> _short(0.01234), _short(123.4)
    ('0.012', '123')
    """
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _number(name: str, value: float | None) -> str:
    if value is None or (name == "cosine" and math.isnan(value)):
        return "—"
    if not math.isfinite(value):
        return "∞" if value > 0 else "diverged"
    if name == "cosine":
        return f"{value:.2f}"
    if name == "evaluations":
        return f"{value:,.4g}" if value < 1000 else f"{value:,.0f}"
    if name.startswith(("elbo", "iwae", "ms")):
        return f"{value:,.1f}"
    return _short(value)


def order(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Best first: by the ELBO after equal evaluations, else after equal time, else by variance."""

    def place(row: Row) -> tuple[float, float]:
        outcome = row.after_evaluations or row.after_time
        bound = -math.inf if outcome is None else outcome.elbo
        noise = math.inf if row.logits is None else row.logits.variance
        return (-bound if math.isfinite(bound) else math.inf, noise)

    return tuple(sorted(rows, key=place))
