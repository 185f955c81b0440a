"""Compressed files that turn out much larger than texts and counts do, refused on the way."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any, BinaryIO, cast

from topicfactors.errors import InputError

ROOM = 2**28  # bytes that anything may unpack to
TIMES = 200  # more than that: so many times its size; texts shrink to a tenth or so
BUFFER = 2**18


def room_of(size: int) -> int:
    """Bytes that so many compressed ones may become.

    >>> room_of(0), room_of(10**9)
    (268435456, 200268435456)
    """
    return ROOM + TIMES * size


def too_large(what: str, room: int) -> InputError:
    """The error for what becomes more than it may."""
    return InputError(
        f"{what}: unpacks to more than {room:,} bytes, over {TIMES} times its size, as no texts or "
        "counts do; unpack it yourself if it is to be read"
    )


def bounded(source: BinaryIO, path: str) -> BinaryIO:
    """A stream that unpacks a local file, refused with an InputError when it has no end."""
    try:
        room = room_of(Path(path).stat().st_size)
    except OSError:  # it comes from elsewhere
        return source
    return cast(BinaryIO, io.BufferedReader(_Bounded(source, path, room), BUFFER))


def check_archive(path: str, stream: Any) -> None:
    """Refuse a .zip that becomes much larger than it is; the stream is at its beginning after.

    Raises
    ------
    InputError
        When it does.
    """
    with zipfile.ZipFile(stream) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
        packed = sum(member.compress_size for member in archive.infolist())
    stream.seek(0)
    if unpacked > room_of(packed):
        raise too_large(path, room_of(packed))


class _Bounded(io.RawIOBase):
    def __init__(self, source: BinaryIO, path: str, room: int) -> None:
        self.source, self.path, self.room, self.left = source, path, room, room

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        data = self.source.read(len(view))
        self.left -= len(data)
        if self.left < 0:
            raise too_large(self.path, self.room)
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self.source.close()
        super().close()
