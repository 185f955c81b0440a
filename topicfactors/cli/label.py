"""``topicfactors label``: labels for the factors of a run, from their words or a language model."""

from __future__ import annotations

from typing import Annotated

import typer

from topicfactors.cli.edit import NewRun
from topicfactors.cli.options import Force, IdColumn, Json, Quiet, Run, TextColumn

ASKED = "Endpoint"


def label(
    run: Run,
    documents: Annotated[
        str | None,
        typer.Argument(
            metavar="DOCS",
            help="Where the excerpts of --excerpts are from (default: the corpus of the fit).",
        ),
    ] = None,
    output: NewRun = None,
    words: Annotated[
        int, typer.Option("--words", "-n", min=1, help="Words of a label that is made of words.")
    ] = 3,
    endpoint: Annotated[
        str | None,
        typer.Option(
            help="Base URL of an endpoint that speaks OpenAI's chat protocol, ending in /v1; "
            "https, or on this machine.",
            rich_help_panel=ASKED,
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Name of the model there.", rich_help_panel=ASKED)
    ] = None,
    api_key_env: Annotated[
        str | None,
        typer.Option(
            help="Variable of the environment that holds the key; it is neither shown nor stored.",
            rich_help_panel=ASKED,
        ),
    ] = None,
    send: Annotated[
        bool,
        typer.Option(
            "--send", help="Send the prompts; else they are shown alone.", rich_help_panel=ASKED
        ),
    ] = False,
    top_words: Annotated[
        int, typer.Option(min=1, help="Words of a factor that are sent.", rich_help_panel=ASKED)
    ] = 15,
    excerpts: Annotated[
        int,
        typer.Option(
            min=0,
            max=3,
            help="Representative documents of a factor whose beginnings are sent as well.",
            rich_help_panel=ASKED,
        ),
    ] = 0,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed that is asked for.", rich_help_panel=ASKED)
    ] = 0,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds for an answer.", rich_help_panel=ASKED)
    ] = 60.0,
    text_column: TextColumn = None,
    id_column: IdColumn = None,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Show a label for every factor (or component) of a run; with -o, keep them as names.

    Labels are made of the words that are most a factor's own. With --endpoint and --model a
    language model is asked instead: without --send the prompts are shown and nothing leaves this
    machine; with it they are shown and sent. What has no answer keeps the label from its words.

    Examples: topicfactors label run -o named;
    topicfactors label run --endpoint http://localhost:11434/v1 --model llama3.2
    """
    from topicfactors.cli.labelling import Question, label_run

    question = Question(
        endpoint, model, api_key_env, send, top_words, excerpts, seed, timeout, documents
    )
    label_run(run, output, words, question, (text_column, id_column), force, json, quiet)
