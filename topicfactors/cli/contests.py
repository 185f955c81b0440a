"""The steps of ``topicfactors compare``: tokens, fits, and the table."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import typer

from topicfactors.cli.comparing import counts_of, named
from topicfactors.cli.console import note
from topicfactors.errors import CorpusWarning


class Corpus(NamedTuple):
    """A corpus as a user names it."""

    source: str
    vectorizer: Any  # None where it is counts
    text_column: str | None
    id_column: str | None
    vocabulary: Path | None
    strict: bool

    def read(self, quiet: bool) -> tuple[Any, list[list[str]] | None, list[str] | None]:
        """Its counts, and its tokens in their order and its texts where it has any."""
        from topicfactors.corpus.columns import Columns

        texts: list[str] = []
        counts = counts_of(
            self.source,
            self.vectorizer,
            Columns(self.text_column, self.id_column),
            vocabulary=self.vocabulary,
            texts=texts,
            strict=self.strict,
            quiet=quiet,
        )
        if self.vectorizer is None:
            return counts, None, None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CorpusWarning)  # of empty documents, said above
            return counts, list(self.vectorizer.tokenize(texts)), texts


def seeds_in(text: str) -> list[int]:
    """Seeds with commas between.

    >>> seeds_in("0,1, 2")
    [0, 1, 2]
    """
    try:
        return [int(part) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise typer.BadParameter(
            f"must be whole numbers with commas between, such as 0,1,2, got {text!r}",
            param_hint="--seeds",
        ) from error


def played(
    corpus: Corpus,
    topics: int,
    models: Sequence[str] | None,
    budget: Mapping[str, Any],
    quiet: bool,
) -> tuple[Any, BaseException | None]:
    """The study, and the interruption that ended it where one did."""
    from topicfactors.cli.progress import Display
    from topicfactors.studies.tournament import Tournament

    display, trials = Display(quiet), list[Any]()
    counts, tokens, texts = corpus.read(quiet)
    with named(corpus.source):
        tournament = Tournament(counts, topics, models, tokens=tokens, texts=texts, **budget)
    planned, began = len(tournament.plan), time.monotonic()
    display.say(f"{planned} fits, each in a process of its own")
    try:
        for trial in tournament:
            trials.append(trial)
            taken = f"{time.monotonic() - began:.0f} s"
            display.say(
                f"{len(trials)}/{planned} {trial.model}, seed {trial.seed}: {_said(trial)}"
                f" ({taken})"
            )
    except KeyboardInterrupt as interruption:
        if not trials:
            raise
        return tournament.study(trials), interruption
    return tournament.study(trials), None


def _said(trial: Any) -> str:
    if trial.npmi is None:
        return str(trial.remark)
    return f"NPMI {trial.npmi:.3f}, diversity {trial.diversity:.2f}, fit {trial.fit_seconds:.1f} s"


def write(study: Any, path: Path) -> None:
    """The table in a file: with its caption where people read it, every figure elsewhere."""
    from topicfactors.export.tables import export_table
    from topicfactors.files import whole_file

    if path.suffix.lower() != ".md":
        export_table(study.table(), path)
        return
    with whole_file(path) as temporary:
        temporary.write_text(study.markdown(), encoding="utf-8")


def show(study: Any, *, as_json: bool, quiet: bool) -> None:
    """The study on stdout, and on stderr what is not installed."""
    from topicfactors.studies.lineup import cure

    if as_json:
        from topicfactors.export.tables import dump_json

        print(dump_json(study.as_dict()))
    else:
        from rich.console import Console

        from topicfactors.cli.tables import print_columns, print_lines

        console, columns = Console(), list(zip(*study.cells(), strict=True))
        for part in parts(columns, console.width if console.is_terminal else None):
            print_columns(part)
            print_lines("")
        print_lines(study.caption())
    if study.missing:
        names = ", ".join(missing.model for missing in study.missing)
        note(f"note: not installed: {names}; {cure(study.missing)}", quiet=quiet)


def parts(columns: Sequence[Sequence[str]], width: int | None) -> list[list[Sequence[str]]]:
    """The columns in as few tables as fit into a width, each of which begins with the first one.

    >>> parts([("model", "a"), ("NPMI", "0.30"), ("fit, s", "1")], 16)
    [[('model', 'a'), ('NPMI', '0.30')], [('model', 'a'), ('fit, s', '1')]]
    """
    names, *others = columns
    found = [[names]]
    for column in others:
        wanted = sum(max(map(len, each)) + 2 for each in [*found[-1], column])
        if width is not None and wanted > width and len(found[-1]) > 1:
            found.append([names])
        found[-1].append(column)
    return found
