"""Lines of a file: local, compressed, remote or standard input, in whatever encoding."""

from __future__ import annotations

import codecs
import io
import lzma
import shutil
import sys
import tempfile
import zlib
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO, cast

from topicfactors.corpus.text import decode, decode_line
from topicfactors.corpus.unpacking import bounded, room_of, too_large
from topicfactors.errors import InputError

BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError)  # how damaged archives announce it
COMPRESSED = {".gz", ".bz2", ".xz", ".zst"}
PACKED = {".tgz": ".gz", ".tbz2": ".bz2", ".txz": ".xz"}  # archives that are compressed too


def suffix_of(path: str) -> str:
    """Suffix of a path or address, in lower case, without that of a compression.

    >>> suffix_of("https://host/Posts.CSV.gz?version=2")
    '.csv'
    """
    suffixes = _suffixes(path)
    if suffixes and suffixes[-1] in COMPRESSED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def is_compressed(path: str) -> bool:
    """Is it, by its name, to be decompressed on the way?"""
    return not COMPRESSED.union(PACKED).isdisjoint(_suffixes(path)[-1:])


def _suffixes(path: str) -> list[str]:
    name = Path(path.split("?")[0] if "://" in path else path)
    return [suffix.lower() for suffix in name.suffixes]


def open_bytes(path: str) -> BinaryIO:
    """Open a local, compressed or remote file, or standard input for ``-``.

    Raises
    ------
    InputError
        When it cannot be opened.
    """
    if path == "-":
        return sys.stdin.buffer
    import smart_open

    packing = PACKED.get(suffix_of(path), "infer_from_extension")
    try:
        source = smart_open.open(path, "rb", compression=packing)
    except (OSError, ValueError, NotImplementedError, ImportError) as error:
        raise InputError(f"{path}: cannot be opened: {_reason(error)}") from error
    return bounded(source, path) if is_compressed(path) else cast(BinaryIO, source)


def _reason(error: Exception) -> str:
    """Why, without the story of how often it was tried."""
    inner = getattr(error.args[0] if error.args else None, "reason", None)
    return str(inner or error).rpartition("): ")[2]


def open_seekable(path: str) -> BinaryIO:
    """The same for formats that are read from several places, as a copy where that is needed.

    Raises
    ------
    InputError
        When it cannot be opened, or breaks off.
    """
    source = open_bytes(path)
    if source.seekable() and not is_compressed(path):
        return source
    copy = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 — the caller closes it
    try:
        with source:
            shutil.copyfileobj(source, copy)
    except BROKEN as error:
        copy.close()
        raise InputError(f"{path}: cannot be read to its end: {error}") from error
    copy.seek(0)
    return copy


def unpacked(name: str, data: bytes) -> bytes:
    """Bytes without the compression that the suffix of a name tells of.

    Raises
    ------
    InputError
        When they are damaged, or what unpacks them is not installed.
    """
    if not is_compressed(name):
        return data
    from smart_open.compression import compression_wrapper

    suffix, room = Path(name).suffix.lower(), room_of(len(data))
    try:
        with compression_wrapper(io.BytesIO(data), "rb", suffix) as stream:
            whole: bytes = stream.read(room + 1)
    except (*BROKEN, ValueError, NotImplementedError, ImportError) as error:
        raise InputError(f"cannot be unpacked: {error}") from error
    if len(whole) > room:
        raise too_large(name, room)
    return whole


def shown(path: str) -> str:
    """A path as messages name it."""
    return "standard input" if path == "-" else path


def lines_of(path: str) -> Generator[tuple[str, str | None], None, None]:
    """Lines of a file with their ends, each with a note when it was not UTF-8.

    Raises
    ------
    InputError
        When it cannot be opened, or breaks off.
    """
    with open_bytes(path) as source:
        try:
            first = source.readline()
            if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                text, note = decode(first + source.read())  # its line ends are two bytes
                yield from ((line, note) for line in io.StringIO(text, newline="\n"))
                return
            if b"\0" in first:
                raise InputError(
                    f"{shown(path)}: is not text (NUL bytes in its first line); expected UTF-8, "
                    "Latin-1, or UTF-16 with a byte order mark"
                )
            if first:
                yield decode(first)
            yield from map(decode_line, source)
        except BROKEN as error:
            raise InputError(f"{shown(path)}: cannot be read to its end: {error}") from error
