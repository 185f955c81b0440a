"""Archives of texts (.tar, also compressed): read as the folder that was packed into them."""

from __future__ import annotations

import contextlib
import tarfile
from collections.abc import Iterator, Mapping

from topicfactors.corpus.columns import Columns
from topicfactors.corpus.documents import Document
from topicfactors.corpus.folders import document_of_bytes, is_text, is_visible
from topicfactors.corpus.lines import BROKEN, is_compressed, open_bytes
from topicfactors.errors import InputError

BLOCK = 2**20  # bytes read at once to reach the end of an archive
DAMAGED = (*BROKEN, tarfile.TarError, ValueError, OverflowError)
Parts = tuple[str, ...]


class _Header(tarfile.TarInfo):
    """A member's header that says when it is cut or damaged, where tarfile would see an end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Header:
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(f"{error}, where a member or the end mark was due") from error


def read_tar(path: str, columns: Columns) -> Iterator[Document]:
    """Every text of an archive as a document, in the order of their names.

    Ids, labels and order are those of the folder when unpacked; a folder that surrounds everything
    does not count. Links, devices and names with ``..`` are not read. Nothing is written to disk.
    The archive is read twice: for the names, then for the texts. Where it is compressed, or comes
    from a place that cannot be read at will, texts that come too early are held in memory until
    their turn.
    """
    names = _names(path)
    texts = {offset: parts for offset, parts in names.items() if is_text(parts)}
    if not texts:
        raise InputError(
            f"{path}: no texts in this archive; expected files that end in .txt or have no suffix, "
            "directly or in sub-folders (which become labels)"
        )
    inside = _surrounding(names)
    for parts, data in _in_order(path, texts):
        yield document_of_bytes(parts[inside:], data)


def _names(path: str) -> dict[int, Parts]:
    """Where each file starts, and the parts of its path; of two of one name, the later."""
    starts: dict[Parts, int] = {}
    with _opened(path) as (archive, _):
        for member in archive:
            parts = tuple(part for part in member.name.split("/") if part not in ("", "."))
            if member.isreg() and parts and is_visible(parts):  # ".." is taken for hidden
                starts[parts] = member.offset
    return {offset: parts for parts, offset in starts.items()}


def _surrounding(names: Mapping[int, Parts]) -> int:
    """1 where one folder surrounds everything, else 0."""
    alone = len({parts[0] for parts in names.values()}) == 1
    return int(alone and all(len(parts) > 1 for parts in names.values()))


def _in_order(path: str, texts: Mapping[int, Parts]) -> Iterator[tuple[Parts, bytes]]:
    """Paths and bytes, sorted by path."""
    order = sorted(texts, key=texts.__getitem__)
    with _opened(path) as (archive, anywhere):
        if anywhere:
            members = {member.offset: member for member in archive}
            yield from ((texts[offset], _bytes(archive, members[offset])) for offset in order)
            return
        waiting: dict[int, bytes] = {}
        due = iter(order)
        offset = next(due, None)
        for member in archive:
            if member.offset in texts:
                waiting[member.offset] = _bytes(archive, member)
            while offset in waiting:
                yield texts[offset], waiting.pop(offset)
                offset = next(due, None)


def _bytes(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    return file.read() if file is not None else b""


@contextlib.contextmanager
def _opened(path: str) -> Iterator[tuple[tarfile.TarFile, bool]]:
    """An archive, and whether it can be read in any order; damage is an InputError."""
    with open_bytes(path) as source:
        try:
            anywhere = source.seekable() and not is_compressed(path)
            with tarfile.open(
                fileobj=source,
                mode="r:" if anywhere else "r|",
                tarinfo=_Header,
                encoding="utf-8",
                errors="surrogateescape",
            ) as archive:
                yield archive, anywhere
            while not anywhere and source.read(BLOCK):
                pass  # a compression proves its contents at its end
        except DAMAGED as error:
            raise InputError(f"{path}: no tar archive, or a damaged one: {error}") from error
