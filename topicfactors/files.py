"""Files and folders that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from topicfactors.errors import StorageError


def refuse_existing(path: Path, overwrite: bool) -> None:
    """Refuse to write where something is already, unless told to.

    Raises
    ------
    StorageError
        With the cure.
    """
    if path.exists() and not overwrite:
        raise StorageError(
            f"{path} exists and is kept; choose another name, or overwrite it (--force, or "
            "overwrite=True)"
        )


@contextlib.contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Write to a temporary name beside ``path``; it takes its place when the block ends well.

    Raises
    ------
    StorageError
        When the folder cannot be written to.
    """
    path = Path(path)
    temporary = _temporary(path, folder=False)
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise StorageError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(path: str | Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Fill a temporary folder beside ``path``; it takes its place when the block ends well.

    Raises
    ------
    StorageError
        When ``path`` exists and is not to be overwritten, or cannot be written.
    """
    path = Path(path)
    refuse_existing(path, overwrite)
    temporary = _temporary(path, folder=True)
    try:
        yield temporary
        if path.exists():
            aside = _temporary(path, folder=True)
            os.replace(path, aside / "old")
            os.replace(temporary, path)
            shutil.rmtree(aside)
        else:
            os.replace(temporary, path)
    except OSError as error:
        raise StorageError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _temporary(path: Path, folder: bool) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if folder:
            made = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
            made.chmod(0o777 & ~_umask())
            return made
        handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        os.close(handle)
        os.chmod(name, 0o666 & ~_umask())
        return Path(name)
    except OSError as error:
        raise StorageError(
            f"{path}: cannot be written here: {error.strerror or error}; "
            "choose a folder that you may write to"
        ) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
