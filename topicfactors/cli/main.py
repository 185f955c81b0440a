"""The ``topicfactors`` command: its sub-commands, and one line for every mistake."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from typing import Annotated

import typer

from topicfactors import __version__
from topicfactors.cli import (
    compare,
    corpora,
    edit,
    evaluate,
    explain,
    export,
    fit,
    gradients,
    intervene,
    label,
    prepare,
    report,
    topics,
    transform,
)
from topicfactors.cli.console import describe, exit_status, terminate_like_interrupt
from topicfactors.cli.sweep import SeveralNumbers, sweep

app = typer.Typer(
    name="topicfactors",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_commands: dict[str, tuple[Callable[..., None], str]] = {
    "fit": (fit.fit, "Fit factors, clusters or classes to a corpus; leaves a RUN."),
    "topics": (topics.topics, "Show the factors of a run and their words."),
    "report": (report.report, "Write a run as one HTML page to look at."),
    "explain": (explain.explain, "Say which factors are on in a document, and why."),
    "intervene": (intervene.intervene, "Switch factors, and see the words that come then."),
    "evaluate": (evaluate.evaluate, "Score a run on documents."),
    "transform": (transform.transform, "Write P(factor on) of every document."),
    "export": (export.export, "Write the tables of a run in another format."),
    "label": (label.label, "Show labels for the factors of a run, or keep them."),
    "edit": (edit.edit, "Merge, drop and name factors, as a new run."),
    "prepare": (prepare.prepare, "Count a corpus into a store: larger than memory, or read often."),
    "sweep": (sweep, "Choose a number of factors."),
    "compare": (compare.compare, "Compare topic models on a corpus, ours beside others."),
    "gradients": (gradients.gradients, "Compare estimators of the gradient on a corpus."),
    "corpora": (corpora.corpora, "List the sample corpora, or write one to a file."),
}
for _name, (_command, _short) in _commands.items():
    _kind = SeveralNumbers if _name == "sweep" else None
    app.command(_name, cls=_kind, short_help=_short)(_command)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"topicfactors {__version__}")
        raise typer.Exit


@app.callback(
    epilog="Example: [bold]topicfactors fit pydocs -k 20 -o run[/bold], "
    "then [bold]topicfactors topics run[/bold]."
)
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Readable factors from text corpora: first fit, then topics.

    From topics to edit, commands read the RUN that fit leaves; prepare counts a corpus that is
    larger than memory, and sweep to gradients study one.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; always ends in SystemExit.

    Status 0 when done, 2 for bad usage or input, 1 for a failure, 130 after Ctrl-C and 143 after
    SIGTERM.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    terminate_like_interrupt()
    try:
        _run([argument for argument in arguments if argument != "--debug"])
        sys.stdout.flush()
    except typer.Exit as leaving:
        sys.exit(leaving.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (Exception, KeyboardInterrupt) as error:
        if "--debug" in arguments:
            traceback.print_exc()
        elif type(error).__name__ != "NoArgsIsHelpError":  # the help was shown instead
            print(f"topicfactors: {describe(error)}", file=sys.stderr)
        sys.exit(exit_status(error))
    sys.exit(0)


def _run(arguments: list[str]) -> None:
    """Parse and do; typer's own way of ending would swallow the interruptions' exit statuses."""
    command = typer.main.get_command(app)
    with command.make_context("topicfactors", arguments) as context:
        command.invoke(context)
