"""A run made from another: read again, edited, and written to a folder of its own."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import tomli_w
from sklearn.pipeline import Pipeline

from topicfactors.cli.readings import model_of, noun_of
from topicfactors.cli.reports import NAME
from topicfactors.cli.runs import MARK, posteriors_in, rows_in, write_factors
from topicfactors.cli.scores import activity
from topicfactors.errors import InputError, StorageError
from topicfactors.estimators.wording import RANKING
from topicfactors.export.card import model_card
from topicfactors.export.factors import FactorRow, column_name
from topicfactors.export.report.renaming import renamed
from topicfactors.export.tables import Table, dump_json, export_table
from topicfactors.files import whole_folder
from topicfactors.storage import load, save

WORDS = 10  # of a factor, in the tables of a run


class Run(NamedTuple):
    """A run that is read to be edited."""

    folder: Path
    pipeline: Any
    described: dict[str, Any]  # run.toml
    metrics: dict[str, Any]

    @property
    def model(self) -> Any:
        """The last step of the pipeline."""
        return model_of(self.pipeline)

    def with_model(self, model: Any) -> Any:
        """The pipeline with another last step."""
        if not isinstance(self.pipeline, Pipeline):
            return model
        return Pipeline([*self.pipeline.steps[:-1], (self.pipeline.steps[-1][0], model)])


def opened(folder: Path) -> Run:
    """The model and the facts of a run.

    Raises
    ------
    StorageError
        When there is no run, or it is damaged.
    InputError
        When it is a classifier's, whose classes are those of its labels.
    """
    pipeline = load(folder)
    if noun_of(model_of(pipeline)) == "class":
        raise InputError(
            f"{folder}: its classes are those of the labels of its documents, which say what they "
            "are called and which belong together; change the labels, and fit again"
        )
    described = _read(folder / MARK, tomllib.loads)
    if not {"options", "resolved", "corpus"} <= set(described):
        raise StorageError(f"{folder / MARK}: not that of a run; fit again")
    return Run(folder, pipeline, described, _read(folder / "metrics.json", json.loads))


def _read(path: Path, parse: Any) -> dict[str, Any]:
    try:
        found = parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        said = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise StorageError(f"{path}: cannot be read: {said}; fit again") from error
    if not isinstance(found, dict):
        raise StorageError(f"{path}: holds no table; fit again")
    return found


def edits_of(run: Run, edit: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What was done to a run before, and now: for its run.toml."""
    before = run.described.get("edits", [])
    return [*(before if isinstance(before, list) else []), {"run": str(run.folder), **edit}]


def write_renamed(
    run: Run, folder: Path, before: list[int | str], edit: Mapping[str, Any], force: bool
) -> list[FactorRow]:
    """Write a run whose model was given names, and nothing else; no document is read.

    Its page is that of the run with the new names; there is none where the run has none that can
    be read.

    ``before`` are the names so far, in the order of the factors.

    Raises
    ------
    StorageError
        When the folder exists or cannot be written.
    """
    model = run.model
    rows = rows_in(run.folder, model, RANKING, WORDS)
    metrics = {**run.metrics, **activity(model)}
    described = {**run.described, "edits": edits_of(run, edit)}
    table = _renamed(posteriors_in(run.folder), before, model.factor_names_, noun_of(model))
    texts = {
        "metrics.json": dump_json(metrics, 2) + "\n",
        MARK: tomli_w.dumps(described),
        "model_card.md": model_card(
            rows, metrics, described, reads_texts=isinstance(run.pipeline, Pipeline)
        ),
        **_page_of(run),
    }
    with whole_folder(folder, overwrite=force, mark=MARK) as temporary:
        save(run.pipeline, temporary / "model")
        write_factors(temporary, model, rows)
        if table is not None:
            export_table(table, temporary / "posteriors.csv")
        for name, text in texts.items():
            (temporary / name).write_text(text, encoding="utf-8")
    return rows


def _page_of(run: Run) -> dict[str, str]:
    """The page of a run, with the names that its model has now."""
    try:
        before = (run.folder / NAME).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return {}
    page = renamed(before, run.model.factor_names_)
    return {} if page is None else {NAME: page}


def _renamed(
    table: Table | None, before: list[int | str], after: list[int | str], noun: str
) -> Table | None:
    """The posteriors with other names of columns and, of a mixture, other best components."""
    if table is None or before == after:
        return table
    if noun == "factor":
        names = dict(zip(map(column_name, before), map(column_name, after), strict=True))
        return table._replace(columns=[names.get(name, name) for name in table.columns])
    pairs = list(zip(map(str, before), map(str, after), strict=True))
    names = {f"component_{old}": f"component_{new}" for old, new in pairs}
    columns = [names.get(name, name) for name in table.columns]
    place, best = list(table.columns).index("component"), dict(pairs)

    def rows() -> Iterator[list[list[Any]]]:
        for block in table.blocks:
            yield [[*row[:place], best[str(row[place])], *row[place + 1 :]] for row in block]

    return Table(columns, rows())
