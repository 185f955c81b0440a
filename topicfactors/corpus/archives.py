"""Archives of texts (.tar, also compressed): read as the folder that was packed into them."""

from __future__ import annotations

import contextlib
import sys
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from topicfactors.corpus.columns import Columns
from topicfactors.corpus.documents import Document
from topicfactors.corpus.folders import document_of_bytes, is_text, is_visible, left_out
from topicfactors.corpus.lines import BROKEN, is_compressed, open_bytes
from topicfactors.corpus.unpacking import room_of, too_large
from topicfactors.errors import InputError

BLOCK = 2**20  # bytes read at once to reach the end of an archive
MOST_NAME = 2**20  # bytes of a name or of what else is told of a member
TOLD = (
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
)
DAMAGED = (*BROKEN, tarfile.TarError, ValueError, OverflowError)
Parts = tuple[str, ...]


class _Header(tarfile.TarInfo):
    """A member's header that says when it is cut or damaged, where tarfile would see an end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Header:
        try:
            member = super().frombuf(buf, encoding, errors)
            if member.type in TOLD and member.size > MOST_NAME:
                raise tarfile.ReadError(f"a name of {member.size:,} bytes")
            return member
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(f"{error}, where a member or the end mark was due") from error


def read_tar(path: str, columns: Columns) -> Iterator[Document]:
    """Every text of an archive as a document, in the order of their names.

    Ids, labels and order are those of the folder when unpacked; a folder that surrounds everything
    does not count. A hard link is the text that it points to; other links, devices and names with
    ``..`` are not read. Nothing is written to disk. The archive is read twice: for the names, then
    for the texts. Where it is compressed, or comes from a place that cannot be read at will, texts
    that come too early are held in memory until their turn.
    """
    names = _names(path)
    texts = {parts: offset for parts, offset in names.items() if is_text(parts)}
    if not texts:
        raise InputError(
            f"{path}: no texts in this archive; expected files that end in .txt or have no suffix, "
            "directly or in sub-folders (which become labels)"
        )
    inside = _surrounding(names)
    remark = left_out([parts[inside:] for parts in names if not is_text(parts)])
    for parts, data in _in_order(path, texts):
        yield document_of_bytes(parts[inside:], data)._replace(remark=remark)


def _names(path: str) -> dict[Parts, int]:
    """Where each file starts, by the parts of its path; of two of one name, the later."""
    starts: dict[Parts, int] = {}
    sizes: dict[int, int] = {}
    with _opened(path) as (archive, _):
        total, room = 0, _room(path)
        for member in archive:
            if member.isreg():
                starts[_parts(member.name)] = member.offset
                sizes[member.offset] = member.size
            elif member.islnk() and _parts(member.linkname) in starts:
                starts[_parts(member.name)] = starts[_parts(member.linkname)]
            else:
                continue
            total += sizes[starts[_parts(member.name)]]
            if total > room:  # what is sparse, or linked often, is small in the file
                raise too_large(path, room)
    # ".." is taken for hidden
    return {parts: offset for parts, offset in starts.items() if parts and is_visible(parts)}


def _room(path: str) -> int:
    """Bytes that the texts of an archive may have; many where its size is not known."""
    local = "://" not in path and path != "-"
    return room_of(Path(path).stat().st_size) if local else sys.maxsize


def _parts(name: str) -> Parts:
    return tuple(part for part in name.split("/") if part not in ("", "."))


def _surrounding(names: Iterable[Parts]) -> int:
    """1 where one folder surrounds everything, else 0."""
    alone = len({parts[0] for parts in names}) == 1
    return int(alone and all(len(parts) > 1 for parts in names))


def _in_order(path: str, texts: Mapping[Parts, int]) -> Iterator[tuple[Parts, bytes]]:
    """Paths and bytes, sorted by path."""
    order = sorted(texts)
    with _opened(path) as (archive, anywhere):
        if anywhere:
            members = {member.offset: member for member in archive}
            yield from ((parts, _bytes(archive, members[texts[parts]])) for parts in order)
            return
        waiting: dict[int, bytes] = {}
        wanted = Counter(texts.values())  # several names may be of one text
        due = iter(order)
        parts = next(due, None)
        for member in archive:
            if member.offset in wanted:
                waiting[member.offset] = _bytes(archive, member)
            while parts is not None and (offset := texts[parts]) in waiting:
                yield parts, waiting[offset]
                wanted[offset] -= 1
                if not wanted[offset]:
                    del waiting[offset]
                parts = next(due, None)


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
        except InputError:
            raise
        except DAMAGED as error:
            raise InputError(f"{path}: no tar archive, or a damaged one: {error}") from error
