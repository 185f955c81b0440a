"""``topicfactors sweep``: how many factors, by held-out score, coherence and stability."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from topicfactors.cli.fit import fit
from topicfactors.cli.model_options import MODEL
from topicfactors.cli.options import Device, Force, Json, Quiet, was_typed
from topicfactors.cli.sharing import defaults_of, taking

NUMBERS = re.compile(r"[\d,\s]+")
NAMES = ("-k", "--factors")
LEFT_OUT = (
    *("runs", "label_column", "threads", "config", "response", "response_family"),
    *("components_per_class", "shared_factors", "unlabelled_weight", "discriminative_weight"),
    *("class_prior", "engine", "workers"),
)
"""Options of ``fit`` that are of one fit, or of classifiers, alone."""


class SeveralNumbers(TyperCommand):
    """A command whose ``-k`` may have several numbers after it: ``-k 10 20 50``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the numbers after ``-k`` into one, then parse as ever."""
        return list(super().parse_args(ctx, joined(args)))


def joined(arguments: list[str]) -> list[str]:
    """Arguments in which the numbers that follow ``-k`` are one, with commas between.

    >>> joined(["-k", "10", "20", "notes", "-k", "50"])
    ['-k', '10,20', 'notes', '-k', '50']
    """
    found: list[str] = []
    numbers: list[str] | None = None
    for place, argument in enumerate(arguments):
        if argument == "--":
            return [*found, *arguments[place:]]
        if numbers is not None and NUMBERS.fullmatch(argument):
            numbers.append(argument)
            found[len(found) - (len(numbers) > 1) :] = [",".join(numbers)]
            continue
        numbers = [] if argument in NAMES else None
        found.append(argument)
    return found


@taking(fit, LEFT_OUT)
def sweep(
    context: typer.Context,
    corpus: Annotated[
        str,
        typer.Argument(
            metavar="CORPUS",
            help="A folder, a table or a file of texts or counts, '-' or a sample, as for fit.",
        ),
    ],
    factors: Annotated[
        list[str],
        typer.Option(
            "--factors",
            "-k",
            metavar="NUMBERS",
            help="Numbers of factors, or of a mixture's components: 10 20 50, or 10,20,50. (A "
            "corpus whose name is a number comes before them.)",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Folder where every fit is noted, and at the end sweep.csv, .json and .html; the "
            "same command goes on there after an interruption (none: print alone).",
        ),
    ] = None,
    runs: Annotated[
        int, typer.Option("--runs", "--seeds", min=1, help="Fits of each number, a seed each.")
    ] = 3,
    held_out: Annotated[
        float, typer.Option(help="Share of the documents that no fit sees, at most 2,000.")
    ] = 0.2,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1, help="Fits at the same time, of one thread each (default: one a core; a GPU: 1)."
        ),
    ] = None,
    model: Annotated[
        str, typer.Option("--model", help="factor or mixture.", rich_help_panel=MODEL)
    ] = "factor",
    seed: Annotated[
        int, typer.Option(min=0, max=2**32 - 1, help="First seed; the others follow it.")
    ] = 0,
    device: Device = "auto",
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
    **options: Any,
) -> None:
    """Choose a number of factors: fit several, several times each, and compare.

    A table on stdout (completion of held-out documents, bound, coherence, diversity, agreement of
    the factors between seeds) and a recommendation that says why; docs/number-of-factors.md says
    how it is read. Ctrl-C keeps the fits that were finished.

    Examples: topicfactors sweep pydocs -k 10 20 50 -o sweep; topicfactors sweep notes.csv
    -k 5,10,20 --model mixture --runs 5
    """
    from topicfactors.cli.sweeping import Sweep

    mine = {"output", "runs", "held_out", "jobs", "force", "json", "quiet"}
    given = {name: value for name, value in context.params.items() if name not in mine}
    typed = {name for name in given if was_typed(context, name)}
    chosen = {**defaults_of(fit), **given}
    work = Sweep(chosen, typed, quiet, json, numbers_in(factors))
    work.sweep(output, force, runs=runs, held_out=held_out, jobs=jobs)


def numbers_in(texts: list[str]) -> list[int]:
    """The numbers of texts such as ``10``, ``10,20`` and ``10 20``.

    Raises
    ------
    typer.BadParameter
        When one is no number of 1 or more.
    """
    found = []
    for text in texts:
        for part in text.replace(",", " ").split():
            if not part.isdecimal() or int(part) < 1:
                raise typer.BadParameter(
                    f"must be numbers of 1 or more, as in 10 20 50, got {part!r}",
                    param_hint="-k",
                )
            found.append(int(part))
    if not found:
        raise typer.BadParameter("must have a number, as in 10 20 50", param_hint="-k")
    return sorted(set(found))
