"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from topicfactors.export.factors import FactorRow

BOUNDS = {"elbo": "ELBO", "iwae": "IWAE"}  # as people write them


def print_factors(rows: Sequence[FactorRow]) -> None:
    """The factor table on stdout: as wide as the terminal, whole when it is not one."""
    console = Console(soft_wrap=False)
    if not console.is_terminal:
        console.width = max(console.width, 110)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("factor", justify="right")
    table.add_column("on in", justify="right")
    coherent = any(row.coherence is not None for row in rows)
    if coherent:
        table.add_column("NPMI", justify="right")
    table.add_column("words")
    for row in rows:
        remark = "" if row.status == "active" else f"[dim]({row.status})[/dim] "
        cells = [str(row.factor), f"{row.prevalence:.1%}"]
        if coherent:
            cells.append("" if row.coherence is None else f"{row.coherence:+.2f}")
        table.add_row(*cells, remark + escape_words(row.words))
    console.print(table)


def escape_words(words: Sequence[str]) -> str:
    """Words that rich must not read as markup."""
    from rich.markup import escape

    return escape(" ".join(words))


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
