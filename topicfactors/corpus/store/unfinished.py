"""The folder in which a store is prepared, so that what was interrupted goes on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from topicfactors.corpus.store.claim import LOCK, Claim
from topicfactors.corpus.store.manifest import MARK, NAME, read_manifest, unfinished
from topicfactors.errors import StorageError
from topicfactors.files import clear_left_over, put_in_place, refuse_existing, whole_file

SPOOL = "spool"


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
        self.spool, self.new, self.first = self.path / SPOOL, shards is None, shards or 0
        self.target = self.path / "store" if self.new else folder
        self._claim: Claim | None = None

    def enter(self, settings: Mapping[str, Any], anew: bool) -> None:
        """Make it, or go on in it, as the only process that does.

        Parameters
        ----------
        settings
            Whatever changes the result, as JSON can hold it.
        anew
            Whether what was begun before is given up.

        Raises
        ------
        StorageError
            When something else was begun there, another process is at it, or it cannot be made.
        """
        told = json.loads(json.dumps(settings))
        self._refuse_others()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._claim = Claim(self.path, self.folder)
            self._begin(told, anew)
        except OSError as error:
            self._withdraw()
            raise StorageError(
                f"{self.folder}: cannot be written here: {error.strerror or error}; choose a "
                "folder that you may write to"
            ) from error
        except BaseException:
            self._withdraw()
            raise

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
        if self.path.exists():
            self._refuse_others()
            shutil.rmtree(self.path, ignore_errors=True)
        self.release()

    def release(self) -> None:
        """Let another process go on in it."""
        if self._claim is not None:
            self._claim.release()
            self._claim = None

    @property
    def finished(self) -> int:
        """How many shards are spooled whole."""
        number = 0
        while (self.spool / f"{number:06d}.json").exists():
            number += 1
        return number

    def _begin(self, told: dict[str, Any], anew: bool) -> None:
        """Go on in the folder, or begin in it, now that nobody else does."""
        if self.new:
            refuse_existing(self.folder, anew, NAME)
        elif len(read_manifest(self.folder).shards) != self.first:
            raise StorageError(
                f"{self.folder}: documents were added to it meanwhile; give the same command again"
            )
        if anew:
            for path in self.path.iterdir():
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                elif path.name != LOCK:
                    path.unlink()
        if (self.path / MARK).exists():
            self._compare(told)
        self.spool.mkdir(exist_ok=True)
        if not (self.path / MARK).exists():
            with whole_file(self.path / MARK) as temporary:
                temporary.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")

    def _withdraw(self) -> None:
        """Leave what another has begun, and nothing where nobody has."""
        if self._claim is not None and not (self.path / MARK).exists():
            self.clear()
        self.release()

    def _refuse_others(self) -> None:
        """Is what is there a preparation, or what a kill has left of the beginning of one?"""
        if not self.path.exists() or (self.path / MARK).is_file():
            return
        begun = (LOCK, SPOOL)
        if self.path.is_dir() and all(
            found.name in begun or found.name.startswith(f".{MARK}-")
            for found in self.path.iterdir()
        ):
            return
        raise StorageError(
            f"{self.path} is in the way, and is no preparation of a store; move it, or choose "
            "another name for the store"
        )

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
        if told.get("after") != begun.get("after"):
            raise StorageError(
                f"{self.folder}: is not what it was when {self.path} was begun; if it has the "
                f"documents of that by now, remove {self.path}, else begin anew (--force, or "
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
