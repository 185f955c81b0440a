"""Lines of a file: local, compressed, remote or standard input, in whatever encoding."""

from __future__ import annotations

import codecs
import io
import lzma
import sys
import zlib
from collections.abc import Generator
from typing import BinaryIO

from topicfactors.corpus.text import decode
from topicfactors.errors import InputError

BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError)  # how damaged archives announce it


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

    try:
        return smart_open.open(path, "rb")  # type: ignore[no-any-return]
    except (OSError, ValueError, NotImplementedError, ImportError) as error:
        raise InputError(f"{path}: cannot be opened: {error}") from error


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
            if first:
                yield decode(first)
            yield from map(decode, source)
        except BROKEN as error:
            raise InputError(f"{path}: cannot be read to its end: {error}") from error
