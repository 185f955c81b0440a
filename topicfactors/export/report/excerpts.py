"""The beginnings of texts that stream past, kept outside memory until a few are asked for."""

from __future__ import annotations

import tempfile
import weakref
import zlib
from array import array
from collections.abc import Iterable, Iterator
from typing import NamedTuple

KEPT = 4000  # characters of a text
ROOM = 2**29  # bytes of all of them, compressed
FAST = 1  # of zlib


class Excerpt(NamedTuple):
    """The beginning of a text."""

    text: str
    length: int  # characters of the whole


class Excerpts:
    """Beginnings of the texts of a corpus, in a temporary file that goes with the object.

    When half a GiB is full, or the disk, the texts that come later are not kept.

    >>> excerpts = Excerpts()
    >>> list(excerpts.watch(["steam", "engine"]))
    ['steam', 'engine']
    >>> len(excerpts), excerpts[1]
    (2, Excerpt(text='engine', length=6))
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115
        weakref.finalize(self, self._file.close)
        self._ends, self._lengths = array("Q", [0]), array("Q")
        self._full = False

    def __len__(self) -> int:
        return len(self._lengths)

    def __getitem__(self, row: int) -> Excerpt:
        self._file.seek(self._ends[row])
        packed = self._file.read(self._ends[row + 1] - self._ends[row])
        text = zlib.decompress(packed).decode("utf-8", "replace")
        return Excerpt(text, self._lengths[row])

    def watch(self, texts: Iterable[str]) -> Iterator[str]:
        """Yield the texts as they come, and keep how each begins."""
        for text in texts:
            self._add(text)
            yield text

    def _add(self, text: str) -> None:
        if self._full:
            return
        packed = zlib.compress(text[:KEPT].encode("utf-8", "replace"), FAST)
        end = self._ends[-1] + len(packed)
        try:
            self._full = end > ROOM
            if not self._full:
                self._file.seek(self._ends[-1])
                self._file.write(packed)
                self._file.flush()
        except OSError:
            self._full = True
        if not self._full:
            self._ends.append(end)
            self._lengths.append(len(text))
