"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from topicfactors.export.factors import FactorRow


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
