"""The steps of ``topicfactors label``."""

from __future__ import annotations

import os
import urllib.parse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import typer

from topicfactors.cli.console import exit_status, note
from topicfactors.cli.editing import refuse_output, rename, without_page
from topicfactors.cli.inputs import documents_of
from topicfactors.cli.opening import columns_of
from topicfactors.cli.readings import listed_of
from topicfactors.cli.rereading import source_of
from topicfactors.cli.rewriting import Run, opened
from topicfactors.cli.runs import rows_in
from topicfactors.corpus.columns import Columns
from topicfactors.corpus.count_readers import is_counts
from topicfactors.errors import InputError
from topicfactors.estimators.labelling import is_name
from topicfactors.estimators.wording import RANKING
from topicfactors.export.tables import dump_json
from topicfactors.insight.endpoints import INSTRUCTION, Answer, Endpoint, answers, prompt

EXCERPT = 400  # characters of a document
AGAINST = 5  # words that speak against a factor
FROM_WORDS = "words"


class Question(NamedTuple):
    """Where labels are asked for, and what is sent."""

    endpoint: str | None
    model: str | None
    key: str | None  # the variable that holds it
    send: bool
    top_words: int
    excerpts: int
    seed: int
    timeout: float
    documents: str | None


class Label(NamedTuple):
    """A label, and where it is from."""

    factor: int | str  # as it was called
    label: str
    source: str  # "words", or the model that was asked
    problem: str = ""  # why a model that was asked has none


def label_run(
    folder: Path,
    output: Path | None,
    words: int,
    question: Question,
    columns: tuple[str | None, str | None],
    force: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Make labels, or prompts; show them, and keep them where a new run is asked for."""
    target = None if output is None else refuse_output(folder, output, force)
    endpoint = _endpoint(question)
    if endpoint is not None and not question.send and target is not None:
        raise InputError("-o keeps labels, and without --send there are prompts alone; add --send")
    run = opened(folder)
    called, own = run.model.factor_names_, run.model.label_factors(words)
    prompts = [] if endpoint is None else _prompts(run, question, Columns(*columns))
    if endpoint is not None and not question.send:
        _show_prompts(listed_of(run.model), called, prompts, as_json)
        note(f"nothing was sent; --send sends this to {endpoint.address}", quiet=quiet)
        return
    stopped: BaseException | None = None
    labels = [Label(name, text, FROM_WORDS) for name, text in zip(called, own, strict=True)]
    if endpoint is not None:
        labels, stopped = _asked(endpoint, prompts, labels, listed_of(run.model), quiet)
    _show(listed_of(run.model), labels, as_json)
    if target is not None:
        edit = _record(labels, endpoint, prompts)
        rename(run, target, {place: told.label for place, told in enumerate(labels)}, edit, force)
        note(f"written to {target}{without_page(target)}", quiet=quiet)
    if stopped is not None:
        raise typer.Exit(exit_status(stopped))
    if endpoint is not None and all(label.source == FROM_WORDS for label in labels):
        note(f"{endpoint.address} gave no label; all are from words")
        raise typer.Exit(1)


def _endpoint(question: Question) -> Endpoint | None:
    """Where to ask, if anywhere.

    Raises
    ------
    InputError
        When something is missing, or was typed that nothing would come of.
    """
    if question.endpoint is None:
        typed = {
            "--model": question.model,
            "--api-key-env": question.key,
            "--send": question.send,
            "--excerpts": question.excerpts,
            "DOCS": question.documents,
        }
        idle = [name for name, value in typed.items() if value]
        if idle:
            raise InputError(f"{idle[0]} is of --endpoint; give one, or leave it out")
        return None
    if question.model is None:
        raise InputError("--endpoint: name the model that is to be asked with --model")
    if question.documents is not None and not question.excerpts:
        raise InputError("DOCS are what --excerpts are taken from; add it, or leave them out")
    key = None
    if question.key is not None:
        key = os.environ.get(question.key)
        if not key:
            raise InputError(
                f"--api-key-env: the environment has no variable {question.key}; set it to the "
                "key, or name another"
            )
    return Endpoint(
        question.endpoint, question.model, key, seed=question.seed, timeout=question.timeout
    )


def _prompts(run: Run, question: Question, columns: Columns) -> list[str]:
    """What is asked of each factor."""
    rows = rows_in(run.folder, run.model, RANKING, question.top_words)
    texts: Mapping[str, str] = {}
    if question.excerpts:
        wanted = {name for row in rows for name in row.documents[: question.excerpts]}
        texts = _texts(run, question.documents, columns, wanted)
    return [
        prompt(
            row.words,
            row.suppressed[:AGAINST],
            [texts[name] for name in row.documents[: question.excerpts] if name in texts],
        )
        for row in rows
    ]


def _texts(run: Run, documents: str | None, columns: Columns, wanted: set[str]) -> dict[str, str]:
    """The beginnings of some documents, by their ids.

    Raises
    ------
    InputError
        When there are no texts, or none of the documents is there.
    """
    source = source_of(run.folder, documents)
    if is_counts(source):
        raise InputError(f"{source}: counts have no texts to send; leave out --excerpts")
    found = {
        document.id: document.text[:EXCERPT]
        for document in documents_of(source, columns, columns_of(run.folder))[1]
        if document.id in wanted
    }
    if not found:
        raise InputError(f"{source}: has none of the representative documents of {run.folder}")
    return found


def _asked(
    endpoint: Endpoint, prompts: Sequence[str], labels: list[Label], noun: str, quiet: bool
) -> tuple[list[Label], BaseException | None]:
    """The labels that a model gives, in the place of those from words; an interruption if any."""
    note(f"sent to {endpoint.address} ({endpoint.model}), for each {noun}:", quiet=quiet)
    note(INSTRUCTION, quiet=quiet)
    for told, text in zip(labels, prompts, strict=True):
        note(f"{noun} {told.factor}:\n{text}", quiet=quiet)
    found: list[Answer] = []
    stopped: BaseException | None = None
    said: set[str] = set()
    try:
        for answer in answers(endpoint, prompts, is_name):
            found.append(answer)
            if answer.label is None and answer.problem not in said:
                said.add(answer.problem)
                name = labels[len(found) - 1].factor
                note(f"{noun} {name}: {answer.problem}; its label is from its words")
    except KeyboardInterrupt as interruption:
        stopped = interruption
        note(f"interrupted after {len(found)} of {len(prompts)}; the other labels are from words")
    found += [Answer(None, "not asked, as it was interrupted")] * (len(prompts) - len(found))
    return _joined(labels, found, endpoint.model), stopped


def _joined(labels: list[Label], found: list[Answer], model: str) -> list[Label]:
    """The answers, and the labels from words where there is none; no two alike."""
    taken = {answer.label for answer in found}
    joined = []
    for told, answer in zip(labels, found, strict=True):
        if answer.label is not None:
            joined.append(told._replace(label=answer.label, source=model))
            continue
        text = told.label
        while text in taken:
            text += " (words)"
        taken.add(text)
        joined.append(told._replace(label=text, problem=answer.problem))
    return joined


def _record(
    labels: Sequence[Label], endpoint: Endpoint | None, prompts: Sequence[str]
) -> dict[str, Any]:
    """What run.toml says of where names are from; of an endpoint its host, and never the key."""
    told: list[dict[str, Any]] = [
        {"factor": label.factor, "label": label.label, "source": label.source} for label in labels
    ]
    for entry, label in zip(told, labels, strict=True):
        if label.problem:
            entry["problem"] = label.problem
    if endpoint is None:
        return {"labels": told}
    for entry, text in zip(told, prompts, strict=True):
        entry["prompt"] = text
    asked = {
        "host": urllib.parse.urlsplit(endpoint.url).netloc,
        "model": endpoint.model,
        "seed": endpoint.seed,
        "temperature": 0,
        "instruction": INSTRUCTION,
    }
    return {"asked": asked, "labels": told}


def _show_prompts(
    noun: str, called: Sequence[int | str], prompts: Sequence[str], as_json: bool
) -> None:
    if as_json:
        listed = [{noun: name, "prompt": text} for name, text in zip(called, prompts, strict=True)]
        print(dump_json({"instruction": INSTRUCTION, "prompts": listed}))
        return
    print(INSTRUCTION)
    for name, text in zip(called, prompts, strict=True):
        print(f"\n{noun} {name}:\n{text}")


def _show(noun: str, labels: Sequence[Label], as_json: bool) -> None:
    if as_json:
        print(dump_json([label._asdict() for label in labels]))
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in (noun, "label", "from"):
        table.add_column(name, overflow="fold")
    for told in labels:
        table.add_row(escape(str(told.factor)), escape(told.label), escape(told.source))
    console = Console(emoji=False)
    if not console.is_terminal:
        console.width = 200
    console.print(table)
