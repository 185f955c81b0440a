"""A folder of texts: one file, one document."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from topicfactors.corpus.documents import Document, clean_text
from topicfactors.corpus.lines import suffix_of, unpacked
from topicfactors.corpus.text import NUL, decode
from topicfactors.errors import InputError


def read_file(root: Path, path: Path) -> Document:
    """One file as one document; its sub-folder is its label, its path in the folder its id."""
    parts = path.relative_to(root).parts
    try:
        data = path.read_bytes()
    except OSError as error:
        empty = document_of_bytes(parts, b"")
        return empty._replace(problem=f"cannot be read: {error.strerror}")
    return document_of_bytes(parts, data)


def document_of_bytes(parts: Sequence[str], data: bytes) -> Document:
    """A file's bytes as a document, by the parts of its path in the folder or archive."""
    name, _ = decode(os.fsencode("/".join(parts)))
    label = name.rpartition("/")[0] or None
    try:
        text, note = decode(unpacked(parts[-1], data))
    except InputError as error:
        return Document("", name, label, problem=str(error))
    if "\0" in text:
        return Document("", name, label, problem=NUL)
    text, problem = clean_text(text)
    return Document(text, name, label, problem=problem, note=note)


def is_visible(parts: Sequence[str]) -> bool:
    """Is a file neither hidden nor in a hidden folder, nor among what macOS adds to archives?"""
    return not any(part.startswith(".") or part == "__MACOSX" for part in parts)


def is_text(parts: Sequence[str]) -> bool:
    """Does a file's name say that it is a text: ``.txt``, also compressed, or no suffix?

    >>> [is_text([name]) for name in ("a.TXT", "00001", "b.txt.gz", "c.md", "d.gz")]
    [True, True, True, False, False]
    """
    name = PurePosixPath(parts[-1])
    return name.suffix == "" or suffix_of(str(name)) == ".txt"


def left_out(others: Sequence[tuple[str, ...]]) -> str | None:
    """What to say of files that are no texts, by the parts of their paths."""
    if not others:
        return None
    name, _ = decode(os.fsencode("/".join(min(others))))
    one, many = "1 file is no .txt and was", f"{len(others):,} files are no .txt and were"
    return f"{one if len(others) == 1 else many} not read (first: {name})"


class Files(NamedTuple):
    """What is in a folder."""

    texts: list[Path]
    remark: str | None


def folder_files(root: Path) -> Files:
    """Files of a folder and its sub-folders that are texts, sorted, and what to say of others."""
    texts: list[Path] = []
    others = []
    for path in root.rglob("*"):
        parts = path.relative_to(root).parts
        if is_visible(parts) and path.is_file():
            if is_text(parts):
                texts.append(path)
            else:
                others.append(parts)
    if not texts:
        raise InputError(
            f"{root}: no texts in this folder; expected files that end in .txt or have no suffix, "
            "directly or in sub-folders (which become labels)"
        )
    return Files(sorted(texts), left_out(others))
