"""What is said on stderr, and how a mistake ends."""

import os
import signal
import subprocess
import sys
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


AMID_ITS_IMPORT = """
import os, sys

within = ""

def hurt(frame, event, argument):
    global within
    if event == "c_call":
        within = argument.__name__
    elif event == "call" and within == "_dist_autograd_init":  # C++ of torch, which imports
        sys.setprofile(None)
        os.kill(os.getpid(), int(sys.argv[1]))

from topicfactors.cli.main import main
assert "torch" not in sys.modules
sys.setprofile(hurt)
main(["fit", "revolution", "-o", sys.argv[2]])
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"]
)
def test_a_signal_waits_until_torch_is_loaded(tmp_path, number, status):
    ended = subprocess.run(
        [sys.executable, "-c", AMID_ITS_IMPORT, str(int(number)), str(tmp_path / "run")],
        capture_output=True,
        text=True,
        timeout=300,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (
        status,
        "topicfactors: interrupted; nothing was written\n",
    )
