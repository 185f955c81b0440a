"""A folder of texts: one file, one document."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from topicfactors.corpus.documents import Document, clean_text
from topicfactors.corpus.text import decode
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
    text, note = decode(data)
    if "\0" in text:
        return Document("", name, label, problem="is not text (it has NUL bytes)")
    text, problem = clean_text(text)
    return Document(text, name, label, problem=problem, note=note)


def is_visible(parts: Sequence[str]) -> bool:
    """Is a file neither hidden nor in a hidden folder, nor among what macOS adds to archives?"""
    return not any(part.startswith(".") or part == "__MACOSX" for part in parts)


def is_text(parts: Sequence[str]) -> bool:
    """Does a file's name say that it is a text: ``.txt``, or no suffix?"""
    return PurePosixPath(parts[-1]).suffix.lower() in ("", ".txt")


def folder_files(root: Path) -> list[Path]:
    """Files of a folder and its sub-folders that are texts: ``.txt`` or no suffix, sorted."""
    files = []
    for path in root.rglob("*"):
        parts = path.relative_to(root).parts
        if is_visible(parts) and is_text(parts) and path.is_file():
            files.append(path)
    if not files:
        raise InputError(
            f"{root}: no texts in this folder; expected files that end in .txt or have no suffix, "
            "directly or in sub-folders (which become labels)"
        )
    return sorted(files)
