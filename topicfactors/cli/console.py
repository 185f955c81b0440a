"""What is said on stderr, and how a mistake ends."""

from __future__ import annotations

import _thread
import contextlib
import math
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any

from topicfactors.errors import ConfigurationError, InputError, TopicFactorsError

MISTAKE, FAILURE, INTERRUPTED, TERMINATED = 2, 1, 130, 143
AS_ONE = 1.0  # seconds within which signals are one: torchrun passes each on twice
SOON = 0.1  # seconds after which a signal is heard again
FINISHING = b"finishing the step in progress, then saving; once more leaves at once\n"


class Terminated(KeyboardInterrupt):
    """SIGTERM, treated like Ctrl-C but for the exit status."""


def note(text: str, *, quiet: bool = False) -> None:
    """A line for the user on stderr."""
    if not quiet:
        print(text, file=sys.stderr, flush=True)


def exit_status(error: BaseException) -> int:
    """2 for what the user can mend, 1 for failures, 130 and 143 for interruptions."""
    if hasattr(error, "format_message"):  # how the command-line parser refuses arguments
        return MISTAKE
    if isinstance(error, Terminated):
        return TERMINATED
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    return MISTAKE if isinstance(error, InputError | ConfigurationError) else FAILURE


def describe(error: BaseException) -> str:
    """One line for any error."""
    if isinstance(error, KeyboardInterrupt):
        return str(error) or "interrupted; nothing was written"
    if hasattr(error, "format_message"):
        context = getattr(error, "ctx", None)
        command = context.command_path.partition(" ")[2] if context else ""
        usage = f"topicfactors {command} --help".replace("  ", " ")
        message = " ".join(error.format_message().split()).rstrip(".")
        return f"{message} (see: {usage})"
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, TopicFactorsError):
        return text
    if isinstance(error, MemoryError):
        return "out of memory; try fewer words (--vocabulary-size) or factors (-k)"
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}" if error.filename else text
    return f"unexpected {type(error).__name__}: {text} (--debug shows where)"


@contextlib.contextmanager
def when_interrupted(what: str) -> Iterator[None]:
    """Let the line of an interruption say what there is, as something was written."""
    try:
        yield
    except KeyboardInterrupt as interruption:
        interruption.args = (f"interrupted; {what}",)
        raise


@contextlib.contextmanager
def notes_for_warnings(quiet: bool) -> Iterator[None]:
    """Print our own warnings as one line each, and let none of the others out."""
    from topicfactors.errors import TopicFactorsWarning

    def show(message: Any, category: type[Warning], *rest: Any) -> None:
        if issubclass(category, TopicFactorsWarning):
            note(f"note: {message}", quiet=quiet)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", TopicFactorsWarning)
        warnings.showwarning = show  # type: ignore[assignment]
        yield


def terminate_like_interrupt() -> None:
    """Let SIGTERM save what there is, as Ctrl-C does; both wait until torch is loaded."""

    def handler(number: int, frame: object) -> None:
        if _loads_torch():
            _thread.start_new_thread(_once_more, (number,))
        else:
            raise Terminated if number == signal.SIGTERM else KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        return
    signal.signal(signal.SIGTERM, handler)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not what nohup ignores
        signal.signal(signal.SIGINT, handler)


def _loads_torch() -> bool:
    """Is it amid its import, whose C++ aborts the process when an interruption passes through?"""
    spec = getattr(sys.modules.get("torch"), "__spec__", None)
    return bool(getattr(spec, "_initializing", False))


def _once_more(number: int) -> None:
    time.sleep(SOON)
    signal.raise_signal(number)


@contextlib.contextmanager
def finishing_steps(checkpoints: Any) -> Iterator[None]:
    """While a training lasts, SIGINT and SIGTERM let its step end, and save; a second one leaves.

    Outside of a training they interrupt at once.
    """
    since = -math.inf

    def handler(number: int, frame: object) -> None:
        nonlocal since
        kind = Terminated if number == signal.SIGTERM else KeyboardInterrupt
        now = time.monotonic()
        if now - since < AS_ONE:
            return
        if not checkpoints.at_work:
            raise kind
        if checkpoints.interruption is not None:
            raise SystemExit(exit_status(kind()))
        since = now
        checkpoints.stop(kind())
        os.write(2, FINISHING)  # print may be what was interrupted

    heard = [signal.SIGINT, signal.SIGTERM]
    if threading.current_thread() is not threading.main_thread():
        heard = []
    before = {number: signal.getsignal(number) for number in heard}
    ours = [number for number, old in before.items() if callable(old)]  # not what nohup ignores
    for number in ours:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, before[number])
