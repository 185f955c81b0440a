"""Pages of the documentation that are made from the code: ``python -m tests.pages`` writes them."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import typer

from tests.mistakes.happening import happen, page
from tests.mistakes.places import lay_out
from tests.mistakes.table import MISTAKES

DOCS = Path(__file__).parents[1] / "docs"
PARAMETERS = {
    "factors": "BinaryFactorModel.n_components",
    "inference": "BinaryFactorModel.inference",
    "posterior": "BinaryFactorModel.posterior",
    "likelihood": "BinaryFactorModel.likelihood",
    "decoder": "BinaryFactorModel.decoder",
    "prior": "BinaryFactorModel.prior",
    "encoder": "BinaryFactorModel.encoder",
    "init": "BinaryFactorModel.init",
    "runs": "BinaryFactorModel.n_runs",
    "response_family": "BinaryFactorModel.response",
    "epochs": "BinaryFactorModel.max_iter",
    "batch_size": "BinaryFactorModel.batch_size",
    "learning_rate": "BinaryFactorModel.learning_rate",
    "kl_warmup": "BinaryFactorModel.kl_warmup",
    "overlap_penalty": "BinaryFactorModel.overlap_penalty",
    "anchors": "BinaryFactorModel.anchors",
    "anchor_strength": "BinaryFactorModel.anchor_strength",
    "shrinkage": "BinaryFactorModel.shrinkage",
    "length_tempering": "BinaryFactorModel.length_tempering",
    "covariate": "BinaryFactorModel.covariates",
    "covariate_shrinkage": "BinaryFactorModel.covariate_shrinkage",
    "validation_fraction": "BinaryFactorModel.validation_fraction",
    "patience": "BinaryFactorModel.n_iter_no_change",
    "starts": "MixtureModel.n_init",
    "tempering": "MixtureModel.tempering",
    "smoothing": "MixtureModel.smoothing",
    "continuous_layers": "BinaryFactorModel.continuous_layers",
    "components_per_class": "SemiSupervisedClassifier.components_per_class",
    "shared_factors": "SemiSupervisedClassifier.n_factors",
    "unlabelled_weight": "SemiSupervisedClassifier.unlabelled_weight",
    "discriminative_weight": "SemiSupervisedClassifier.discriminative_weight",
    "class_prior": "SemiSupervisedClassifier.class_prior",
    "seed": "BinaryFactorModel.random_state",
    "device": "BinaryFactorModel.device",
    "threads": "BinaryFactorModel.n_jobs",
    "checkpoint_every": "Checkpoints.every",
    "resume": "Checkpoints.resume",
    "vocabulary_size": "DocumentVectorizer.max_features",
    "min_df": "DocumentVectorizer.min_df",
    "max_df": "DocumentVectorizer.max_df",
    "min_length": "DocumentVectorizer.min_length",
    "language": "DocumentVectorizer.language",
    "stop_words": "DocumentVectorizer.stop_words",
    "token_pattern": "DocumentVectorizer.token_pattern",
    "numbers": "DocumentVectorizer.numbers",
    "urls": "DocumentVectorizer.urls",
    "lemmas": "DocumentVectorizer.lemmatize",
    "spacy_model": "DocumentVectorizer.spacy_model",
    "pos": "DocumentVectorizer.pos",
    "phrases": "DocumentVectorizer.phrases",
}
ERRORS = """# Errors

A mistake ends with one line: what is wrong, where, what is allowed, what to do. On the command line
it is on standard error, after `topicfactors: `, with status 2 where you can mend it and 1 where
something failed; in Python it is an `InputError` or `ConfigurationError` (both are `ValueError`), a
`StorageError` or a `FitError`, all of them a `TopicFactorsError`. Nothing is lost: earlier results
stay as they were, and no half-written file is left.

This page is made by making the mistakes (`python -m tests.pages`), in a folder with a corpus
`notes/`, a table `table.csv`, counts `counts.mtx`, a run `run/` fitted to texts and a run
`counted/` fitted to counts; every line of it is a test.
"""
HEAD = """# Command line

This page is made from the code (`python -m tests.pages`). `topicfactors --help` and
`topicfactors COMMAND --help` say the same. Data go to standard output, progress and notes to
standard error.
"""
TAIL = """
## Options and parameters

What the options of `fit` set in Python; options that several models take set the parameter of the
same name in each. `--model` says which they are: `BinaryFactorModel` (factor), `MixtureModel`
(mixture) or `SemiSupervisedClassifier` (semisupervised); `Checkpoints` is a callback of each. A few
defaults differ, because a command line meets whole corpora: `--min-df` is 5 (2 in
`DocumentVectorizer`), `--seed` is 0, and 5% of the documents of a mixture are held out. `--config
FILE` reads the same options, with or without hyphens, from a TOML file such as a run.toml; what is
typed wins, and options there that the model does not take are left out.

| option of `fit` | parameter |
|---|---|
{rows}

## How it ends

| status | when |
|---|---|
| 0 | done |
| 1 | a failure: a full disk, an output that exists, a missing or damaged run, no convergence |
| 2 | a mistake in the call or the input: a wrong option, a missing corpus, a broken line |
| 130, 143 | Ctrl-C, SIGTERM; training saves first, and [goes on](interrupted.md) with `--resume` |

A mistake is one line on standard error: what was wrong, where, what is allowed, what to do; the
page of [errors](errors.md) has them all. `--debug`, anywhere on the line, shows the traceback as
well. `--force` replaces only what such a command has written (a run, an export, a file), never the
corpus or another folder.
"""


def cli_page() -> str:
    """docs/cli.md."""
    from topicfactors.cli.main import app

    root = typer.main.get_command(app)
    commands: dict[str, Any] = root.commands  # type: ignore[attr-defined]
    parts = [HEAD, *(_command(name, command) for name, command in commands.items())]
    rows = "\n".join(
        f"| `{_long(option)}` | {_parameter(option.name)} |"
        for option in commands["fit"].params
        if option.param_type_name == "option"
    )
    return "\n".join(parts) + TAIL.format(rows=rows)


def _parameter(name: str) -> str:
    return f"`{PARAMETERS[name]}`" if name in PARAMETERS else "—"


def _command(name: str, command: Any) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option"]
    usage = " ".join(argument.metavar for argument in arguments)
    lines = [f"## {name}", "", f"    topicfactors {name} {usage} [OPTIONS]", "", _help(command), ""]
    if arguments:
        lines += ["| argument | what |", "|---|---|"]
        lines += [f"| `{p.metavar}` | {_cell(p.help)} |" for p in arguments] + [""]
    lines += ["| option | default | what |", "|---|---|---|"]
    lines += [f"| {_spelt(p)} | {_default(p)} | {_cell(p.help)} |" for p in options]
    return "\n".join(lines) + "\n"


def _help(command: Any) -> str:
    text = re.sub(r"\n(?!\n)", " ", command.help.replace("\n\n", "\n\n\0")).replace("\0", "\n")
    paragraphs = [" ".join(part.split()) for part in text.split("\n") if part.strip()]
    return "\n\n".join(map(_examples, paragraphs))


def _examples(paragraph: str) -> str:
    """``Example: a; b`` with the commands set as code."""
    kind, colon, commands = paragraph.partition(": ")
    if kind not in ("Example", "Examples"):
        return paragraph
    return f"{kind}{colon}" + "; ".join(f"`{command}`" for command in commands.split("; "))


def _long(option: Any) -> str:
    return max(option.opts, key=len)


def _spelt(option: Any) -> str:
    names = [f"`{name}`" for name in sorted(option.opts, key=len, reverse=True)]
    return ", ".join(names + [f"`{name}`" for name in option.secondary_opts])


def _default(option: Any) -> str:
    value = option.default
    if value is None or value is False or not isinstance(value, str | int | float | bool):
        return ""
    return f"`{'on' if value is True else value}`"


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|").replace("<", "&lt;")


def errors_page() -> str:
    """docs/errors.md: every mistake is made, and what was said is written down."""
    import pytest

    with tempfile.TemporaryDirectory() as made, pytest.MonkeyPatch.context() as outer:
        start = Path(made).resolve() / "start"
        start.mkdir()
        outer.chdir(start)
        lay_out(start)
        said = []
        for number, mistake in enumerate(MISTAKES):
            place = start.parent / str(number)
            shutil.copytree(start, place)
            with pytest.MonkeyPatch.context() as patch:
                patch.chdir(place)
                if mistake.prepare is not None:
                    mistake.prepare(place)
                if mistake.patch is not None:
                    mistake.patch(patch)
                said.append((mistake, happen(mistake).line.replace(str(place), "…")))
        return ERRORS + "\n".join(page(said)) + "\n"


def main() -> None:
    """Write the pages."""
    (DOCS / "cli.md").write_text(cli_page(), encoding="utf-8")
    (DOCS / "errors.md").write_text(errors_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
