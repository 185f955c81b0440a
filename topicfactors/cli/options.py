"""Options that several commands share, and the file that can hold them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from topicfactors.errors import InputError, nearest

RANKINGS_HELP = "coherent, exclusive, evidence, frex, lift, probability, relevance or weight."

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but results.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
Threads = Annotated[
    int | None, typer.Option(min=1, help="Threads and processes (default: all cores).")
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite an output that exists.")]
TextColumn = Annotated[
    str | None, typer.Option(help="Column of the text in a table (default: guessed by its name).")
]
IdColumn = Annotated[str | None, typer.Option(help="Column of the id (default: 'id', or the row).")]
Strict = Annotated[
    bool,
    typer.Option("--strict", help="Refuse empty documents and repeated ids; else they are kept."),
]
Words = Annotated[int, typer.Option("--words", "-n", min=1, help="Words shown for a factor.")]
Ranking = Annotated[str, typer.Option(help=RANKINGS_HELP)]
Refine = Annotated[
    str,
    typer.Option(
        help="Steps of search, or of coordinate ascent where the posterior is not searched; 0: the "
        "encoder's guess, fastest; exact: the posterior itself, to 20 factors; or auto."
    ),
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Run = Annotated[Path, typer.Argument(metavar="RUN", help="Folder that fit has written.")]
Documents = Annotated[
    str, typer.Argument(metavar="DOCS", help="Folder, file, '-' or sample, as for fit.")
]


def read_config(context: typer.Context, path: Path | None) -> Path | None:
    """Take defaults from the [options] of a TOML file such as a run.toml.

    Raises
    ------
    InputError
        When the file cannot be read or names an option that does not exist.
    """
    if path is None:
        return None
    try:
        options = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: cannot be read as TOML: {error}") from error
    options = options.get("options", options)
    if not isinstance(options, dict):
        raise InputError(f"{path}: [options] must be a table of options, got {options!r}")
    known = {parameter.name or "" for parameter in context.command.params}
    for name in options:
        if name.replace("-", "_") not in known:
            raise InputError(
                f"{path}: unknown option {name!r}; expected names such as "
                f"{', '.join(sorted(known)[:6])}{nearest(name, known)}"
            )
    defaults: dict[str, Any] = {n.replace("-", "_"): value for n, value in options.items()}
    context.default_map = {**(context.default_map or {}), **defaults}
    return path


def document_bound(text: str, option: str) -> float:
    """``"5"`` is a number of documents, ``"0.5"`` a share."""
    try:
        return float(text) if "." in text or "e" in text.lower() else int(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"must be a number of documents such as 5 or a share such as 0.5, got {text!r}",
            param_hint=option,
        ) from error


def number_of_factors(text: str) -> Any:
    """A number of 1 or more, or ``auto`` with its options as it is."""
    if str(text).partition(":")[0] == "auto":
        return text
    try:
        number = int(str(text))
    except ValueError:
        number = 0
    if number < 1:
        raise typer.BadParameter(f"must be a number of 1 or more, or auto, got {text!r}")
    return number


def number_or_auto(text: str, number: type) -> Any:
    """A number, or the text as it is: ``"auto"``, or what the estimator refuses in its words."""
    try:
        return number(text)
    except ValueError:
        return text


def stop_words_of(choice: str, language: str) -> Any:
    """What the vectorizer takes for ``language``, ``none``, a file of words, or ``+`` and a file.

    Raises
    ------
    InputError
        When it is none of these.
    """
    if choice in ("language", "none"):
        return None if choice == "none" else "language"
    try:
        words = Path(choice.removeprefix("+")).read_text(encoding="utf-8").split()
    except (OSError, ValueError) as error:
        raise InputError(
            "--stop-words must be 'language', 'none', a readable UTF-8 file of words, or + and "
            f"such a file to add them to the language's, got {choice!r}"
        ) from error
    if not choice.startswith("+"):
        return words
    from topicfactors.corpus.pipelines import language_stop_words

    return [*words, *language_stop_words(language)]


def was_typed(context: typer.Context, name: str) -> bool:
    """Did the user write this option, rather than leave it to its default?"""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
