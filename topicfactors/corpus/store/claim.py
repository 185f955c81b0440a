"""One process at a time in the folder of a preparation."""

from __future__ import annotations

import os
import weakref
from pathlib import Path
from typing import Any

from topicfactors.errors import StorageError

LOCK = "preparation.lock"


class Claim:
    """Held until it is released, or its process ends, however it does.

    Where the system has no such locks (Windows, some network drives), everybody holds it.

    Parameters
    ----------
    place
        The folder; a file is made in it.
    store
        What is prepared in it, for messages.

    Raises
    ------
    StorageError
        When another process holds it.
    OSError
        When the file cannot be made.
    """

    def __init__(self, place: Path, store: Path) -> None:
        self._handle: weakref.finalize[..., Any] | None = None
        try:
            import fcntl
        except ImportError:
            return
        handle = os.open(place / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        self._handle = weakref.finalize(self, os.close, handle)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.release()
            raise StorageError(
                f"{store}: another process is preparing it; wait until that has ended, or choose "
                "another name"
            ) from error
        except OSError:  # a drive without locks
            return
        if not _is_there(place / LOCK, handle):
            self.release()
            raise StorageError(
                f"{store}: another process has prepared it just now; look at it, then give the "
                "same command again"
            )

    def release(self) -> None:
        """Let others have it."""
        if self._handle is not None:
            self._handle()


def _is_there(path: Path, handle: int) -> bool:
    """Is an open file the one of that name, not one that was taken away?"""
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False
