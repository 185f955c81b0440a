"""What the processes of a training say to the one that started them, and what it asks of them."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable
from typing import Any

PAUSE = 0.5  # seconds between two looks


class Relay:
    """Lives in a process of its own, and outlives those that it serves."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []
        self.starts: dict[int, int] = {}
        self.mistake: Exception | None = None
        self.status: int | None = None
        self.stop = ""

    def begin(self, rank: int) -> int:
        """How often a process of this number has begun before."""
        self.starts[rank] = self.starts.get(rank, -1) + 1
        return self.starts[rank]

    def tell(self, stream: str, text: str) -> None:
        """Text for ``stdout`` or ``stderr`` of the one that started them."""
        self.said.append((stream, text))

    def heard(self) -> list[tuple[str, str]]:
        """What was told since this was last asked."""
        said, self.said = self.said, []
        return said

    def fail(self, mistake: Exception) -> None:
        """A mistake that no new beginning mends; the first one counts."""
        self.mistake = self.mistake or mistake

    def end(self, status: int) -> None:
        """The exit status of a work that is done."""
        self.status = status

    def ask(self, stop: str) -> None:
        """Ask those who train to save and leave."""
        self.stop = stop

    def asked(self) -> str:
        """Is anything asked of those who train?"""
        return self.stop

    def outcome(self) -> tuple[int | None, Exception | None]:
        """Exit status and mistake."""
        return self.status, self.mistake


class Voice(io.TextIOBase):
    """A stream whose lines are told to a relay, the last one when it is closed."""

    def __init__(self, relay: Any, stream: str) -> None:
        self.relay, self.stream = relay, stream
        self.waiting = ""
        self.lock = threading.Lock()

    def write(self, text: str) -> int:
        """Tell all lines that are whole."""
        with self.lock:
            lines, mark, self.waiting = (self.waiting + text).rpartition("\n")
        if mark:
            self.relay.tell.remote(self.stream, lines + mark)
        return len(text)

    def close(self) -> None:
        """Tell what has no end of line."""
        if self.waiting and not self.closed:
            self.relay.tell.remote(self.stream, self.waiting)
        super().close()

    def writable(self) -> bool:
        """It is."""
        return True


class Member:
    """One process of a training that an engine has started.

    Attributes
    ----------
    first
        Is it the one that speaks and writes?
    restarted
        Has it, or one in its place, begun before?
    """

    def __init__(self, relay: Any, first: bool, restarted: bool, get: Callable[[Any], Any]) -> None:
        self.relay, self.first, self.restarted, self.get = relay, first, restarted, get

    def listen(self, stop: Callable[[str], None]) -> None:
        """Call a function, from a thread, when the training is asked to end."""

        def wait() -> None:
            while not (asked := self.get(self.relay.asked.remote())):
                time.sleep(PAUSE)
            stop(asked)

        threading.Thread(target=wait, name="topicfactors-listener", daemon=True).start()
