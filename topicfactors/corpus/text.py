"""Bytes to text without losing any."""

from __future__ import annotations

import codecs

LATIN = "not UTF-8, read as Latin-1"
UTF16 = "in UTF-16"
NUL = "is not text (it has NUL bytes)"


def decode(data: bytes) -> tuple[str, str | None]:
    r"""Text of some bytes, and a note when they were not UTF-8.

    Latin-1 gives every byte a character, so nothing is lost by the fallback.

    >>> decode("Škoda".encode())
    ('Škoda', None)
    >>> decode(b"caf\xe9")
    ('café', 'not UTF-8, read as Latin-1')
    """
    if data.startswith(codecs.BOM_UTF8):
        data = data[len(codecs.BOM_UTF8) :]
    elif data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return data.decode("utf-16"), UTF16
        except UnicodeDecodeError:
            return data.decode("latin-1"), LATIN
    return decode_line(data)


def decode_line(data: bytes) -> tuple[str, str | None]:
    """The same of bytes that do not begin a file, where no byte order mark is due."""
    try:
        return data.decode("utf-8"), None
    except UnicodeDecodeError:
        return data.decode("latin-1"), LATIN


def without_surrogates(text: str) -> str:
    r"""A plain str that every file and the tokeniser can hold.

    Halves of surrogate pairs, which JSON and file names can smuggle in, are joined where they make
    a pair and replaced where they do not.

    >>> without_surrogates("half \ud83d, whole \ud83d\ude00")
    'half �, whole 😀'
    """
    text = str(text)  # numpy.str_ is a str, but not to compiled code
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
