"""The folder in which a store is prepared, so that what was interrupted goes on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from topicfactors.corpus.store.manifest import MARK, unfinished
from topicfactors.errors import StorageError
from topicfactors.files import clear_left_over, put_in_place, whole_file


class Workplace:
    """A folder beside the store, with a file that says what is being prepared in it.

    Parameters
    ----------
    folder
        Where the store is to be.
    shards
        How many it has already, where some are to be added; None for a new store.

    Attributes
    ----------
    path, spool
        The folder, and the one in it for what nobody keeps.
    target
        Where the shards go: into the store, which does not know them until its manifest is
        replaced, or into a folder that becomes the store.
    first
        Number of the first shard.
    """

    def __init__(self, folder: Path, shards: int | None = None) -> None:
        self.folder, self.path = folder, unfinished(folder)
        self.spool, self.new, self.first = self.path / "spool", shards is None, shards or 0
        self.target = self.path / "store" if self.new else folder

    def enter(self, settings: Mapping[str, Any], anew: bool) -> None:
        """Make it, or go on in it.

        Parameters
        ----------
        settings
            Whatever changes the result, as JSON can hold it.
        anew
            Whether what was begun before is given up.

        Raises
        ------
        StorageError
            When something else was begun there, or it cannot be made.
        """
        told = json.loads(json.dumps(settings))
        if self.path.exists() and anew:
            self.clear()
        if self.path.exists():
            self._compare(told)
        try:
            self.spool.mkdir(parents=True, exist_ok=True)
            if (self.path / MARK).is_file():
                return
            with whole_file(self.path / MARK) as temporary:
                temporary.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        except StorageError:
            shutil.rmtree(self.path, ignore_errors=True)
            raise
        except OSError as error:
            raise StorageError(
                f"{self.folder}: cannot be written here: {error.strerror or error}; choose a "
                "folder that you may write to"
            ) from error

    def leave(self, finish: Callable[[Path], None]) -> None:
        """Write the last of the store with ``finish``, give it its name, and take the folder away.

        Raises
        ------
        StorageError
            When there is no room, or no right to write.
        """
        try:
            finish(self.target)
            clear_left_over(self.target)
            if self.new:
                put_in_place(self.target, self.folder)
        except OSError as error:
            raise StorageError(
                f"{self.folder}: cannot be written: {error.strerror or error}"
            ) from error
        self.clear()

    def clear(self) -> None:
        """Take it away, if it is one.

        Raises
        ------
        StorageError
            When it is somebody else's.
        """
        if not self.path.exists():
            return
        if not (self.path / MARK).is_file() and (
            not self.path.is_dir() or any(self.path.iterdir())
        ):
            raise StorageError(
                f"{self.path} holds something else, and is in the way; move it, or choose another "
                "name for the store"
            )
        shutil.rmtree(self.path, ignore_errors=True)

    @property
    def finished(self) -> int:
        """How many shards are spooled whole."""
        number = 0
        while (self.spool / f"{number:06d}.json").exists():
            number += 1
        return number

    def _compare(self, told: dict[str, Any]) -> None:
        """Refuse to go on with what was begun otherwise."""
        try:
            begun = json.loads((self.path / MARK).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise StorageError(
                f"{self.path} is in the way, and is no preparation of a store; move it, or choose "
                "another name for the store"
            ) from error
        begun = begun if isinstance(begun, dict) else {}
        if any(found.is_symlink() for found in self.path.rglob("*")):
            raise StorageError(
                f"{self.path}: holds links, which no preparation makes; begin anew (--force, or "
                "overwrite=True)"
            )
        for name in dict.fromkeys([*told, *begun]):
            if told.get(name) != begun.get(name):
                raise StorageError(
                    f"{self.path}: a preparation was begun there with {_shown(name, begun)}, not "
                    f"{_shown(name, told)}; go on as it was begun, or begin anew (--force, or "
                    "overwrite=True)"
                )


def _shown(name: str, settings: dict[str, Any]) -> str:
    return f"{name}={settings.get(name)!r}"[:80]
