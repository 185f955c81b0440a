"""Files and folders that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from topicfactors.errors import InputError, StorageError

_BEGUN = re.compile(r"\..+\.(json|safetensors|txt)-[a-z0-9_]{8}")  # see _temporary


def refuse_existing(path: Path, overwrite: bool, mark: str | None = None) -> None:
    """Refuse to write where something is already, unless told to.

    Parameters
    ----------
    path
        Where something is to be written.
    overwrite
        Whether it may be replaced.
    mark
        The file by which a folder that may be replaced is known: other people's folders, full of
        other things, are not replaced whatever ``overwrite`` says.

    Raises
    ------
    StorageError
        With the cure.
    """
    if not path.exists():
        return
    if not overwrite:
        raise StorageError(
            f"{path} exists and is kept; choose another name, or overwrite it (--force, or "
            "overwrite=True)"
        )
    if mark is None or (path / mark).is_file():
        return
    if not path.is_dir() or any(path.iterdir()):
        raise StorageError(
            f"{path} exists, holds something else (there is no {mark} in it), and is kept; choose "
            "another name"
        )


def refuse_unwritable(path: Path) -> None:
    """Refuse to start what could not be written at its end.

    Raises
    ------
    StorageError
        When the nearest folder above the path that exists is none, or may not be written to.
    """
    above = next(folder for folder in path.absolute().parents if folder.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        why = "may not be written to" if above.is_dir() else "is no folder"
        raise StorageError(
            f"{path}: cannot be written, as {above} {why}; choose a folder that you may write to"
        )


def refuse_source(path: Path, source: Path) -> None:
    """Refuse to replace what is still to be read, or a folder around it.

    Raises
    ------
    InputError
        With the cure.
    """
    if source.exists() and source.resolve().is_relative_to(path.resolve()):
        raise InputError(f"{path} would replace {source}, which is read; choose another name")


@contextlib.contextmanager
def whole_file(path: str | Path, *, durable: bool = False) -> Iterator[Path]:
    """Write to a temporary name beside ``path``; it takes its place when the block ends well.

    What is ``durable`` has reached the disk by then: no power cut leaves half of it.

    Raises
    ------
    StorageError
        When the folder cannot be written to.
    """
    path = Path(path)
    temporary = _temporary(path, folder=False)
    try:
        yield temporary
        if durable:
            _flush(temporary)
        os.replace(temporary, path)
        if durable and os.name == "posix":
            _flush(path.parent)
    except OSError as error:
        raise StorageError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(
    path: str | Path, *, overwrite: bool = False, mark: str | None = None
) -> Iterator[Path]:
    """Fill a temporary folder beside ``path``; it takes its place when the block ends well.

    Raises
    ------
    StorageError
        When ``path`` exists and is not to be overwritten (see :func:`refuse_existing`), or cannot
        be written.
    """
    path = Path(path)
    refuse_existing(path, overwrite, mark)
    temporary = _temporary(path, folder=True)
    try:
        yield temporary
        put_in_place(temporary, path)
    except StorageError as error:  # of something in it, by a name that nobody knows
        raise StorageError(str(error).replace(str(temporary), str(path))) from error
    except OSError as error:
        raise StorageError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def clear_left_over(folder: Path) -> None:
    """Take away what a process that was killed had begun to write into a folder, and below it.

    These are files under the temporary names of :func:`whole_file`; nothing else is touched.
    """
    for path in folder.rglob(".*"):
        if _BEGUN.fullmatch(path.name) and path.is_file() and not path.is_symlink():
            path.unlink(missing_ok=True)


def put_in_place(temporary: Path, path: Path) -> None:
    """Move a folder to its name; what was there goes last, and comes back if that fails.

    Raises
    ------
    OSError
        When it cannot be moved.
    """
    if not path.exists():
        os.replace(temporary, path)
        return
    aside = _temporary(path, folder=True)
    old = aside / "old"
    try:
        os.replace(path, old)
        os.replace(temporary, path)
    except BaseException:
        if old.exists() and not path.exists():
            os.replace(old, path)
        raise
    finally:
        if path.exists():
            shutil.rmtree(aside, ignore_errors=True)


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


def _flush(path: Path) -> None:
    """Wait until what was written to a file, or which names a folder has, is on the disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
