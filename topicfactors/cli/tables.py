"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from topicfactors.export.factors import FactorRow

WIDE = 70  # room for words, in columns, from which suppressed words are shown beside them
BOUNDS = {"elbo": "ELBO", "iwae": "IWAE"}  # as people write them


def print_factors(rows: Sequence[FactorRow], *, beside: str | None = "suppressed") -> None:
    """The factor table on stdout: as wide as the terminal, whole when it is not one.

    On a terminal a line holds as many words as fit; what is ``beside`` the words (``"suppressed"``
    words, or representative ``"documents"``) is shown where a third of the room is left to it.
    """
    console = Console(soft_wrap=False)
    coherent = any(row.coherence is not None for row in rows)
    listed = [(_remark(row) + " ".join(row.words), _beside(row, beside)) for row in rows]
    room = console.width - (len("factor  on in  ") + (len("NPMI  ") if coherent else 0))
    if console.is_terminal:
        beside = beside if room >= WIDE else None
        share = room * 2 // 3 if beside else room
        listed = [(fitting(a, share), fitting(b, room - share - 2)) for a, b in listed]
    else:
        console.width = 40 + max((cell_len(a) + cell_len(b) for a, b in listed), default=0)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("factor", justify="right", no_wrap=True)
    table.add_column("on in", justify="right", no_wrap=True)
    if coherent:
        table.add_column("NPMI", justify="right", no_wrap=True)
    table.add_column("words", no_wrap=True)
    if beside:
        table.add_column(beside, style="dim", no_wrap=True)
    for row, (words, others) in zip(rows, listed, strict=True):
        cells = [str(row.factor), f"{row.prevalence:.1%}"]
        if coherent:
            cells.append("" if row.coherence is None else f"{row.coherence:+.2f}")
        cells += [words, others] if beside else [words]
        table.add_row(*map(escape, cells))
    console.print(table)


def _beside(row: FactorRow, beside: str | None) -> str:
    return " ".join(getattr(row, beside)) if beside else ""


def fitting(words: str, width: int) -> str:
    """As many whole words as fit, at least one.

    >>> fitting("steam engine piston", 13)
    'steam engine'
    """
    kept = words.split(" ")
    while len(kept) > 1 and sum(map(cell_len, kept)) + len(kept) - 1 > width:
        kept.pop()
    return " ".join(kept)


def _remark(row: FactorRow) -> str:
    return "" if row.status == "active" else f"({row.status}) "


def print_lines(text: str) -> None:
    """Text on stdout, its long lines broken between words on a terminal and nowhere else."""
    console = Console(highlight=False, markup=False)
    console.print(text, soft_wrap=not console.is_terminal)


def print_samples(samples: Mapping[str, str]) -> None:
    """The sample corpora, a line each."""
    width = max(map(len, samples))
    print_lines("\n".join(f"{name:<{width}}  {about}" for name, about in samples.items()))


def print_scores(bounds: Sequence[Mapping[str, Any]]) -> None:
    """Perplexities of each bound, and those of the unigram in the last line."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("bound", no_wrap=True)
    for name in ("states or draws", "nats a document", "perplexity", "± s.e.", "of the corpus"):
        table.add_column(name, justify="right")
    for scores in bounds:
        found, drawn = scores["perplexity"], scores["samples"]
        table.add_row(
            BOUNDS.get(scores["bound"], scores["bound"]),
            str(drawn) if drawn else "all",
            f"{scores['nats_per_document']:.1f}",
            *_perplexities(found),
        )
    table.add_row("unigram", "", "", *_perplexities(bounds[0]["unigram"]))
    Console(width=None if Console().is_terminal else 100).print(table)


def _perplexities(found: Mapping[str, float]) -> tuple[str, str, str]:
    values = (found["per_document"], found["standard_error"], found["corpus"])
    return (f"{values[0]:.1f}", f"{values[1]:.1f}", f"{values[2]:.1f}")


def summary(metrics: Mapping[str, Any]) -> str:
    """A fit in one line: the first bound of the held-out documents, words, factors."""
    where, scores = "held-out", next(iter(metrics["held_out"].values()), None)
    if scores is None:
        where, scores = "training", metrics["training"]
    bound = BOUNDS.get(scores["bound"], scores["bound"])
    model, unigram = (scores[name]["per_document"] for name in ("perplexity", "unigram"))
    dead = metrics["dead_factors"] + metrics["always_on_factors"]
    remark = f"; not telling documents apart: {', '.join(map(str, dead))}" if dead else ""
    return (
        f"{where} perplexity {model:.0f} a document (bound: {bound}; unigram {unigram:.0f}), "
        f"NPMI {metrics['npmi']:.2f}, diversity {metrics['diversity']:.2f}, "
        f"{metrics['active_factors']} active factors{remark}"
    )
