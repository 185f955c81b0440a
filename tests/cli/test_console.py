"""What is said on stderr, and how a mistake ends."""

import os
import signal
import warnings

import pytest

from topicfactors.cli.console import (
    FAILURE,
    INTERRUPTED,
    MISTAKE,
    TERMINATED,
    Terminated,
    describe,
    exit_status,
    note,
    notes_for_warnings,
    terminate_like_interrupt,
)
from topicfactors.errors import (
    ConfigurationError,
    CorpusWarning,
    FitError,
    FitWarning,
    InputError,
    StorageError,
)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InputError("x"), MISTAKE),
        (ConfigurationError("x"), MISTAKE),
        (StorageError("x"), FAILURE),
        (FitError("x"), FAILURE),
        (ValueError("x"), FAILURE),
        (OSError("x"), FAILURE),
        (MemoryError(), FAILURE),
        (KeyboardInterrupt(), INTERRUPTED),
        (Terminated(), TERMINATED),
    ],
)
def test_every_error_has_its_status(error, status):
    assert exit_status(error) == status


def test_the_statuses_are_those_of_the_shell():
    assert (MISTAKE, FAILURE, INTERRUPTED, TERMINATED) == (2, 1, 128 + 2, 128 + 15)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (InputError("two\n  lines"), "two lines"),
        (KeyboardInterrupt(), "interrupted; nothing was written"),
        (Terminated(), "interrupted; nothing was written"),
        (FileNotFoundError(2, "No such file", "a.txt"), "a.txt: No such file"),
        (OSError("odd"), "odd"),
        (KeyError("x"), "unexpected KeyError: 'x' (--debug shows where)"),
        (RuntimeError(), "unexpected RuntimeError: RuntimeError (--debug shows where)"),
        (MemoryError(), "out of memory; try fewer words (--vocabulary-size) or factors (-k)"),
    ],
)
def test_every_error_is_one_line(error, line):
    assert describe(error) == line


def test_notes_go_to_stderr_unless_quiet(capsys):
    note("one")
    note("two", quiet=True)
    assert capsys.readouterr() == ("", "one\n")


@pytest.mark.parametrize("quiet", [True, False])
def test_only_our_warnings_are_shown_a_line_each(capsys, quiet):
    with notes_for_warnings(quiet):
        warnings.warn("theirs", UserWarning, stacklevel=1)
        warnings.warn("rows", CorpusWarning, stacklevel=1)
        warnings.warn("weights", FitWarning, stacklevel=1)
    expected = "" if quiet else "note: rows\nnote: weights\n"
    assert capsys.readouterr() == ("", expected)
    with pytest.warns(UserWarning, match="theirs"):
        warnings.warn("theirs", UserWarning, stacklevel=1)


def test_sigterm_ends_like_an_interrupt():
    terminate_like_interrupt()
    with pytest.raises(Terminated):
        os.kill(os.getpid(), signal.SIGTERM)
