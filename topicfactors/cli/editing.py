"""The steps of ``topicfactors edit``."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from topicfactors.cli.console import note, notes_for_warnings
from topicfactors.cli.readings import listed_of
from topicfactors.cli.reports import NAME
from topicfactors.cli.rereading import Again, read_again
from topicfactors.cli.rewriting import Run, edits_of, opened, write_renamed
from topicfactors.cli.runs import MARK, write_run
from topicfactors.cli.tables import print_factors
from topicfactors.corpus.columns import Columns
from topicfactors.errors import InputError
from topicfactors.estimators.base import resolve_device
from topicfactors.estimators.edits import Edit, order_after, resolved_edit
from topicfactors.export.factors import PLURALS, FactorRow
from topicfactors.export.tables import dump_json
from topicfactors.files import refuse_existing, refuse_source, refuse_unwritable


class Wishes(NamedTuple):
    """What is asked for, as it is typed."""

    drop: list[str]
    merge: list[str]
    name: list[str]
    names: Path | None


def refuse_output(run: Path, output: Path | None, force: bool) -> Path:
    """The folder of the new run, where it can be one.

    Raises
    ------
    InputError
        When none is named, or it is the run itself.
    StorageError
        When it exists or cannot be written.
    """
    if output is None:
        raise InputError(f"name the folder of the new run with -o; {run} stays as it is")
    refuse_source(output, run)
    refuse_existing(output, force, MARK)
    refuse_unwritable(output)
    return output


def edited_run(
    folder: Path,
    documents: str | None,
    output: Path | None,
    wishes: Wishes,
    columns: tuple[str | None, str | None],
    machine: tuple[str, int | None],
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Do all of it; nothing is written unless all can be done."""
    target = refuse_output(folder, output, force)
    run = opened(folder)
    given = _names(run.model, wishes)
    if not (wishes.drop or wishes.merge):
        if not given:
            raise InputError("nothing to do; give --drop, --merge, --name or --names")
        if documents is not None:
            raise InputError(f"{documents}: names alone need no documents; leave them out")
        rows = rename(run, target, given, {"named": _spelt(given)}, force)
    else:
        edit = resolved_edit(
            run.model,
            [_keys(run.model, group) for group in wishes.merge],
            [key for text in wishes.drop for key in _keys(run.model, text)],
        )
        places = _places_after(run.model, edit, given)
        device, threads = machine
        run.model.set_params(n_jobs=threads)
        run.model.objective_.to(resolve_device(device))
        with notes_for_warnings(quiet):
            rows = _rewritten(run, target, documents, Columns(*columns), edit, places, force, quiet)
    if as_json:
        factors = [row._asdict() for row in rows]
        print(dump_json({"run": str(target), "factors": factors}))
    elif not quiet:
        print_factors(rows, beside=None, noun=listed_of(run.model))
    what = PLURALS[listed_of(run.model)]
    note(f"written to {target}: {len(rows)} {what}{without_page(target)}", quiet=quiet)


def without_page(target: Path) -> str:
    """What is said of a run that has no page, as the run it was made of has none."""
    if (target / NAME).exists():
        return ""
    return f"; no {NAME}, topicfactors report {target} makes one"


def rename(
    run: Run, target: Path, given: Mapping[int, str], edit: Mapping[str, Any], force: bool
) -> list[FactorRow]:
    """Write a run with other names, and say in its run.toml where they are from."""
    before = run.model.factor_names_
    run.model.set_names(dict(given))
    return write_renamed(run, target, before, edit, force)


def _rewritten(
    run: Run,
    target: Path,
    documents: str | None,
    columns: Columns,
    edit: Edit,
    places: Mapping[int, str],
    force: bool,
    quiet: bool,
) -> list[FactorRow]:
    """Edit, and write a run of the documents."""
    run.model._check_mergeable(edit)  # before they are read
    again = _those_of_the_fit(run, documents, columns, quiet)
    read = again.read
    made = run.model._edited(edit.merged, edit.dropped, read.counts)
    made.set_names(dict(places))
    made.objective_.cpu()
    done = {"merged": edit.merged, "dropped": edit.dropped, "named": _spelt(places)}
    options = run.described["options"]
    options = options if documents is None else {**options, "corpus": documents}
    further = {"resolved": run.described["resolved"], "edits": edits_of(run, done)}
    pipeline, paged = run.with_model(made), (run.folder / NAME).exists()
    rows, metrics = write_run(
        target,
        pipeline,
        read._replace(covariates=None),  # its counts have them
        again.fingerprint,
        options,
        overwrite=force,
        further=further,
        then=again.reporter.after(target, pipeline, read, options) if paged else None,
    )
    now = metrics["training"]["nats_per_document"]
    before = run.metrics.get("training", {}).get("nats_per_document")
    if isinstance(before, float):
        note(f"{now:.2f} nats a document, {before:.2f} before the edit", quiet=quiet)
    return rows


def _those_of_the_fit(run: Run, documents: str | None, columns: Columns, quiet: bool) -> Again:
    """The documents that the tables of an edited model are of.

    Raises
    ------
    InputError
        When they are not there, cannot be read, or are others than those of the fit and were not
        named.
    """
    response = run.described["options"].get("response") if documents is None else None
    beside = () if response is None else (response,)
    again = read_again(run.folder, run.pipeline, documents, columns, beside=beside, quiet=quiet)
    if again.changed and documents is None:
        raise InputError(
            f"{again.source}: has changed since {run.folder} was fitted to it (another sha256); "
            "name the documents that the tables are to be of behind the run"
        )
    if again.changed:
        note(f"note: {again.source}: other documents than those of the fit", quiet=quiet)
    return again


def _spelt(names: Mapping[int, str]) -> dict[str, str]:
    return {str(place): name for place, name in names.items()}


def _keys(model: Any, text: str) -> list[int | str]:
    """Numbers or names with commas between, or one name that has commas in it."""
    if text in model._names():
        return [text]
    return [part.strip() for part in text.split(",")]


def _names(model: Any, wishes: Wishes) -> dict[int, str]:
    """The new names, by the number of the factor in the run.

    Raises
    ------
    InputError
        When one has no name, or two.
    """
    pairs: list[tuple[Any, str]] = [] if wishes.names is None else list(_read(wishes.names))
    for text in wishes.name:
        key, equals, name = text.partition("=")
        if not equals:
            raise InputError(
                f"--name: expected a number or name, '=' and the new name, as in 3=steam, got "
                f"{text!r}"
            )
        pairs.append((key.strip(), name))
    given: dict[int, str] = {}
    for key, name in pairs:
        place = model._number_of(key)
        if place in given:
            raise InputError(f"{model._noun} {place} is named twice; name it once")
        given[place] = name
    model._wanted_names(given)  # refused before anything is read
    return given


def _read(path: Path) -> Iterable[tuple[Any, str]]:
    """Pairs of number (or name so far) and name.

    Raises
    ------
    InputError
        When the file cannot be read as such.
    """
    shape = 'expected {"3": "steam", …} in a .json, or rows of number and name in a .csv'
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    if path.suffix.lower() == ".json":
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path}: not JSON: {error}; {shape}") from error
        if not isinstance(found, dict):
            raise InputError(f"{path}: {shape}, got a {type(found).__name__}")
        return found.items()
    if path.suffix.lower() != ".csv":
        raise InputError(f"{path}: {shape}")
    return _csv_pairs(path, text, shape)


def _csv_pairs(path: Path, text: str, shape: str) -> list[tuple[str, str]]:
    rows = csv.reader(text.splitlines())
    pairs: list[tuple[str, str]] = []
    try:
        for row in rows:
            if not row or (not pairs and row[:2] in HEADS):
                continue
            if len(row) != 2:
                raise InputError(f"{path}, line {rows.line_num}: {len(row)} cells; {shape}")
            pairs.append((row[0].strip(), row[1]))
    except csv.Error as error:
        raise InputError(f"{path}, line {rows.line_num}: {error}; {shape}") from error
    return pairs


HEADS: Sequence[list[str]] = (["factor", "name"], ["component", "name"], ["factor", "label"])
"""First rows of a file of names that are not names."""


def _places_after(model: Any, edit: Edit, given: Mapping[int, str]) -> dict[int, str]:
    """Where the names are to go when the others are gone.

    Raises
    ------
    InputError
        When a factor that is dropped is named, or a group twice.
    """
    first = {place: group[0] for group in edit.merged for place in group}
    now = {int(before): place for place, before in enumerate(order_after(edit))}
    places: dict[int, str] = {}
    for place, name in given.items():
        if place in edit.dropped:
            raise InputError(f"{model._noun} {place} is dropped and cannot be named {name!r}")
        found = now[first.get(place, place)]
        if found in places:
            raise InputError(
                f"the {model._noun} that {place} is merged into is named twice; name it once"
            )
        places[found] = name
    return places
