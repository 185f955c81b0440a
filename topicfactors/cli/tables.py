"""Tables for the terminal."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from topicfactors.export.factors import PLURALS, FactorRow, listed_in

FULL = 80  # columns from which all scores are shown
HELD = "\u00a0"  # keeps two words on one line
WIDE = 70  # room for words, in columns, from which suppressed words are shown beside them
BOUNDS = {"ais": "AIS", "elbo": "ELBO", "iwae": "IWAE"}  # as people write them


def print_factors(
    rows: Sequence[FactorRow], *, beside: str | None = "suppressed", noun: str = "factor"
) -> None:
    """The factor table on stdout: words wrapped to the terminal, on one line where there is none.

    What is ``beside`` the words (``"suppressed"`` words, or representative ``"documents"``) is left
    out of a narrow terminal, but for documents, which were asked for. ``noun`` is what the rows
    are; components and classes share the documents out, and factors are on in them.
    """
    often = "on in" if noun == "factor" else "share"
    widest = max([len(noun), *(cell_len(str(row.factor)) for row in rows)])
    console = Console(soft_wrap=False, emoji=False)
    coherent = any(row.coherence is not None for row in rows)
    several = any(row.came_back is not None for row in rows)
    listed = [(_remark(row) + " ".join(row.words), _beside(row, beside)) for row in rows]
    room = console.width - widest - len("  on in  ") - (len("NPMI   ") if coherent else 0)
    room -= len("back in  ") if several else 0
    if not console.is_terminal:
        room = 3 * max(cell_len(cell) for cells in listed for cell in cells)
        console.width = room + 40
    elif beside == "suppressed" and room < WIDE:
        beside = None
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(noun, justify="right", no_wrap=True)
    table.add_column(often, justify="right", no_wrap=True)
    if coherent:
        table.add_column("NPMI", justify="right", no_wrap=True)
    if several:
        table.add_column("back in", justify="right", no_wrap=True)
    table.add_column("words", overflow="fold", max_width=room * 3 // 5 if beside else None)
    if beside:
        table.add_column(beside, style="dim", overflow="fold", max_width=room * 2 // 5)
    for row, (words, others) in zip(rows, listed, strict=True):
        cells = [str(row.factor), f"{row.prevalence:.1%}"]
        if coherent:
            cells.append("" if row.coherence is None else f"{row.coherence:+.2f}")
        if several:
            cells.append("" if row.came_back is None else f"{row.came_back:.0%}")
        cells += [words, others] if beside else [words]
        table.add_row(*map(escape, cells))
    console.print(table)


def _beside(row: FactorRow, beside: str | None) -> str:
    return " ".join(getattr(row, beside)) if beside else ""


def _remark(row: FactorRow) -> str:
    return "" if row.status == "active" else f"({row.status}) "


def print_lines(text: str) -> None:
    """Text on stdout; on a terminal long lines are broken, a word and its number kept together."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.print(text, soft_wrap=True)
        return
    for line in text.splitlines():
        console.print("\n".join(wrapped(line, console.width)), soft_wrap=True)


def wrapped(line: str, width: int) -> list[str]:
    """Lines no wider than asked, as far as words are; later ones are indented.

    >>> wrapped("for: engine +1.05, steam +0.90", 20)
    ['for: engine +1.05,', '  steam +0.90']
    """
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    together = re.sub(r"(?<=\S) (?=[+-]\d|\(\d)", HELD, line)
    broken = textwrap.wrap(
        together,
        width,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [part.replace(HELD, " ") for part in broken] or [""]


def print_samples(samples: Mapping[str, str]) -> None:
    """The sample corpora, a line each."""
    width = max(map(len, samples))
    print_lines("\n".join(f"{name:<{width}}  {about}" for name, about in samples.items()))


def print_columns(columns: Sequence[Sequence[str]]) -> None:
    """Columns of cells under their heads; the first is text, the others are numbers."""
    console = Console(emoji=False)
    if not console.is_terminal:
        console.width = sum(max(map(cell_len, column)) + 2 for column in columns)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, (head, *_) in enumerate(columns):
        table.add_column(escape(head), justify="right" if number else "left", no_wrap=not number)
    for row in list(zip(*columns, strict=True))[1:]:
        table.add_row(*map(escape, row))
    console.print(table)


def print_scores(bounds: Sequence[Mapping[str, Any]]) -> None:
    """Perplexities of each bound, those of the unigram below; no number is cut.

    Completion is of the unseen tokens, and has their unigram below it.
    """
    console = Console()
    whole = not console.is_terminal or console.width >= FULL
    if not console.is_terminal:
        console.width = max(FULL, console.width)
    table = Table(box=None, pad_edge=False, header_style="bold")
    names = ["bound", "states or draws", "nats a document", "perplexity", "± s.e.", "of the corpus"]
    for name in names if whole else ["bound", "nats", "perplexity", "corpus"]:
        table.add_column(name, justify="left" if name == "bound" else "right", no_wrap=True)
    completed = [scores for scores in bounds if scores["bound"] == "completion"]
    others = [scores for scores in bounds if scores["bound"] != "completion"]
    for group in (others, completed):
        for scores in group:
            table.add_row(*_scored(scores, whole))
        if group:
            document, error, corpus = _perplexities(group[0]["unigram"])
            rest = ["", "", document, error, corpus] if whole else ["", document, corpus]
            table.add_row("unigram", *rest)
    console.print(table)


def _scored(scores: Mapping[str, Any], whole: bool) -> list[str]:
    """The row of a bound; ``whole`` where there is room for all of it."""
    drawn = str(scores["samples"]) if scores["samples"] else "all"
    if scores["temperatures"]:
        drawn += f" x {scores['temperatures']}"
    name, nats = BOUNDS.get(scores["bound"], scores["bound"]), scores["nats_per_document"]
    document, error, corpus = _perplexities(scores["perplexity"])
    if not whole:
        return [name, f"{nats:.1f}", document, corpus]
    return [name, drawn, f"{nats:.1f} ± {scores['standard_error']:.1f}", document, error, corpus]


def _perplexities(found: Mapping[str, float]) -> tuple[str, str, str]:
    values = (found["per_document"], found["standard_error"], found["corpus"])
    return (f"{values[0]:.1f}", f"{values[1]:.1f}", f"{values[2]:.1f}")


def summary(metrics: Mapping[str, Any]) -> str:
    """A fit in one line: the first bound of the held-out documents, words, factors."""
    where, scores = "held-out", next(iter(metrics["held_out"].values()), None)
    if scores is None:
        where, scores = "training (none held out)", metrics["training"]
    bound = BOUNDS.get(scores["bound"], scores["bound"])
    model, unigram = (scores[name]["per_document"] for name in ("perplexity", "unigram"))
    what = listed_in(metrics)
    dead = metrics["dead_factors"] + metrics["always_on_factors"]
    which = f"{PLURALS[what] if len(dead) > 1 else what} {', '.join(map(str, dead))}"
    remark = f"; {which} tell{'s' if len(dead) == 1 else ''} no documents apart" if dead else ""
    return (
        f"{where} perplexity {model:.0f} a document (bound: {bound}; unigram {unigram:.0f}), "
        f"NPMI {metrics['npmi']:.2f}, diversity {metrics['diversity']:.2f}, "
        f"{metrics['active_factors']} active {PLURALS[what]}{remark}"
    )
