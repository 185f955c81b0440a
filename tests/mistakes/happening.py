"""A mistake, what comes of it, and its line in the page of errors."""

from __future__ import annotations

import contextlib
import io
import shlex
import signal
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.mistakes.places import FIT

PYTHON = """import numpy as np
from topicfactors import BinaryFactorModel, DocumentVectorizer, explain, load, read_corpus, save
pipeline = load("run/model")
counts = np.eye(8, 5)
"""


class Mistake(NamedTuple):
    """One mistake; ``shown`` is a command if it begins with ``topicfactors``, else Python."""

    section: str
    title: str
    shown: str
    said: str
    status: int = 2  # of a command
    prepare: Callable[[Path], None] | None = None
    patch: Callable[[Any], None] | None = None  # given pytest's monkeypatch


class Outcome(NamedTuple):
    """How a mistake ended."""

    status: int | None  # of a command
    out: str
    err: str  # what was said, in Python by the exception

    @property
    def line(self) -> str:
        """The line that says what is wrong."""
        return self.err.strip().splitlines()[-1].removeprefix("topicfactors: ")


def happen(mistake: Mistake) -> Outcome:
    """Make the mistake, in the folder that is the current one."""
    if not mistake.shown.startswith("topicfactors"):
        return Outcome(None, "", _raised(mistake.shown))
    from topicfactors.cli.main import main

    before = signal.getsignal(signal.SIGTERM)
    out, err = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main(shlex.split(mistake.shown)[1:])
    except SystemExit as ended:
        return Outcome(int(ended.code or 0), out.getvalue(), err.getvalue())
    finally:
        signal.signal(signal.SIGTERM, before)
    raise AssertionError("the command line always ends in SystemExit")


def _raised(code: str) -> str:
    from topicfactors import TopicFactorsError

    namespace: dict[str, Any] = {}
    exec(PYTHON, namespace)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # numpy's, of making infinity
            exec(code, namespace)
    except TopicFactorsError as error:
        return str(error)
    raise AssertionError(f"nothing was refused: {code}")


def page(outcomes: Iterable[tuple[Mistake, str]]) -> Iterator[str]:
    """Lines of docs/errors.md from what every mistake ended with."""
    section = ""
    for mistake, line in outcomes:
        if mistake.section != section:
            section = mistake.section
            head = "| mistake | how | said | status |" if section != "In Python" else ""
            yield f"\n## {section}\n"
            yield head or "| mistake | how | said |"
            yield "|---" * (head.count("|") - 1 if head else 3) + "|"
        yield row(mistake, line)


def row(mistake: Mistake, line: str) -> str:
    """The line of a mistake in the page."""
    shown = mistake.shown.removesuffix(f" {FIT}").replace("|", "\\|")
    said = line.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
    status = f" {mistake.status} |" if mistake.shown.startswith("topicfactors") else ""
    return f"| {mistake.title} | `{shown}` | {said} |{status}"
