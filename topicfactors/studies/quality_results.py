"""The figures of topic models side by side, as rows and a table."""

from __future__ import annotations

import io
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from topicfactors.export.tables import Table, plain, write_md
from topicfactors.studies.lineup import Missing

APART = 0.85  # diversity from which negative NPMIs are compared


class QualitySettings(NamedTuple):
    """How a comparison was made."""

    topics: int
    words: int
    documents: int  # trained on
    held_out: int  # documents
    tokens: int  # of the training
    unigram: float  # perplexity of the unseen halves, from the frequencies of the training
    in_order: bool  # were the tokens known in their order?
    seeds: tuple[int, ...]
    threads: int  # of a fit
    jobs: int  # fits at once
    device: str  # of our models


class Trial(NamedTuple):
    """A model fitted with a seed; None where there is no such figure."""

    model: str
    seed: int
    npmi: float | None = None  # mean over topics, in the training documents
    npmi_held_out: float | None = None  # of the same words in documents that were not seen
    c_v: float | None = None
    diversity: float | None = None
    completion: float | None = None  # perplexity of unseen halves
    fit_seconds: float | None = None
    documents_per_second: float | None = None  # of a transform
    memory_mib: float | None = None  # at most, above that of an idle process with the corpus
    words: list[list[str]] | None = None  # of each topic
    remark: str | None = None  # the reason where nothing was measured

    @property
    def product(self) -> float | None:
        """NPMI × diversity."""
        if self.npmi is None or self.diversity is None:
            return None
        return self.npmi * self.diversity


class Shown(NamedTuple):
    """A column of the table."""

    head: str
    name: str  # of the figure
    digits: int


COLUMNS = (
    Shown("NPMI × diversity", "product", 3),
    Shown("NPMI", "npmi", 3),
    Shown("diversity", "diversity", 2),
    Shown("NPMI held out", "npmi_held_out", 3),
    Shown("C_V", "c_v", 3),
    Shown("completion", "completion", 0),
    Shown("fit, s", "fit_seconds", 1),
    Shown("transform, documents/s", "documents_per_second", 0),
    Shown("peak, MiB", "memory_mib", 0),
)
NONE = "—"


@dataclass(frozen=True)
class QualityStudy:
    """Topic models side by side on one corpus.

    Parameters
    ----------
    settings
        How it was made.
    trials
        A model and a seed each.
    models
        What each model was, in words.
    missing
        Peers that are not installed.
    """

    settings: QualitySettings
    trials: tuple[Trial, ...]
    models: Mapping[str, str]
    missing: tuple[Missing, ...] = ()

    def records(self) -> list[dict[str, Any]]:
        """A flat dict for each model, the best NPMI × diversity first: means and deviations.

        Where NPMI is negative the product rewards what is worse, so such models come after the
        others, by NPMI, those of a diversity of 0.85 or more first.
        """
        names = dict.fromkeys(trial.model for trial in self.trials)
        found = [_record([t for t in self.trials if t.model == name]) for name in names]
        return sorted(found, key=_place, reverse=True)

    def words(self, model: str, seed: int | None = None) -> list[list[str]]:
        """The top words of each topic of a model, of the first seed where none is said.

        Raises
        ------
        KeyError
            When there is no such trial.
        """
        for trial in self.trials:
            if trial.model == model and seed in (None, trial.seed) and trial.words is not None:
                return trial.words
        raise KeyError(model if seed is None else (model, seed))

    def to_pandas(self) -> Any:
        """:meth:`records` as a data frame, a row a model."""
        import pandas as pd

        return pd.DataFrame(self.records()).set_index("model")

    def table(self) -> Table:
        """:meth:`records` for :func:`topicfactors.export.tables.export_table`."""
        records = self.records()
        columns = list(records[0]) if records else ["model"]
        return Table(columns, [[list(record.values()) for record in records]])

    def as_dict(self) -> dict[str, Any]:
        """Settings, models, every trial and what is missing, for a file of JSON."""
        return {
            "settings": self.settings._asdict(),
            "models": [
                record | {"settings": self.models.get(record["model"])} for record in self.records()
            ],
            "trials": [trial._asdict() | {"product": trial.product} for trial in self.trials],
            "missing": [missing._asdict() for missing in self.missing],
        }

    def cells(self) -> list[list[str]]:
        """The table as people read it: heads, then a row a model, then the unigram.

        Columns without a figure are left out, and so are remarks where there are none.
        """
        records = self.records()
        shown = [
            column
            for column in COLUMNS
            if any(record[column.name] is not None for record in records)
        ]
        rows = [["model", *(column.head for column in shown)]]
        for record in records:
            rows.append([record["model"], *(_cell(record, column) for column in shown)])
        unigram = f"{self.settings.unigram:,.0f}"
        rows.append(["unigram", *(unigram if c.name == "completion" else NONE for c in shown)])
        remarks = [record["remark"] or "" for record in records]
        if any(remarks):
            rows = [[*row, said] for row, said in zip(rows, ["remark", *remarks, ""], strict=True)]
        return rows

    def markdown(self) -> str:
        """The table and its caption as Markdown."""
        heads, *rows = self.cells()
        stream = io.StringIO()
        write_md(Table(heads, [rows]), stream)
        first, *models = map(plain, self.caption().splitlines())
        return "\n".join([stream.getvalue(), first, "", *(f"- {line}" for line in models), ""])

    def caption(self) -> str:
        """How it was made, in a few lines."""
        s = self.settings
        order = "in their order" if s.in_order else "in the order of the columns"
        several = len(s.seeds) > 1
        seeds = f"seeds {', '.join(map(str, s.seeds))}" if several else f"seed {s.seeds[0]}"
        spread = ", mean ± standard deviation" if several else ""
        at_once = f", {s.jobs} fits at once" if s.jobs > 1 else ""
        lines = [
            f"{s.topics} topics, {s.documents:,} documents, {s.words:,} words, {s.tokens:,} tokens "
            f"({order}), {s.held_out:,} documents held out; {seeds}{spread}; "
            f"{s.threads} thread{'s' if s.threads > 1 else ''} a fit{at_once}",
            *(f"{model}: {self.models[model]}" for model in self._shown()),
        ]
        return "\n".join(lines)

    def _shown(self) -> Iterable[str]:
        return (record["model"] for record in self.records() if record["model"] in self.models)


def _record(trials: Sequence[Trial]) -> dict[str, Any]:
    """Means and deviations of a model's trials, ``None`` where no trial has the figure."""
    record: dict[str, Any] = {"model": trials[0].model}
    for _, name, _ in COLUMNS:
        values = [value for trial in trials if (value := getattr(trial, name)) is not None]
        record[name] = statistics.fmean(values) if values else None
        record[f"{name}_sd"] = statistics.stdev(values) if len(values) > 1 else None
    done = sum(trial.npmi is not None for trial in trials)
    remarks = dict.fromkeys(trial.remark for trial in trials if trial.remark)
    return record | {"seeds": done, "remark": "; ".join(remarks) or None}


def _place(record: Mapping[str, Any]) -> tuple[float, ...]:
    """Larger for what comes first."""
    if record["npmi"] is None:
        return (-1.0, 0.0)
    if record["npmi"] > 0:
        return (2.0, record["product"])
    return (float(record["diversity"] >= APART), record["npmi"])


def _cell(record: Mapping[str, Any], column: Shown) -> str:
    value, spread = record[column.name], record[f"{column.name}_sd"]
    if value is None or (column.name == "product" and value <= 0):
        return NONE
    said: Callable[[float], str] = lambda number: f"{number:,.{column.digits}f}"  # noqa: E731
    return said(value) if spread is None else f"{said(value)} ± {said(spread)}"
