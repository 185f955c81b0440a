"""A folder of texts: one file, one document."""

from __future__ import annotations

import os
from pathlib import Path

from topicfactors.corpus.documents import Document, clean_text
from topicfactors.corpus.text import decode
from topicfactors.errors import InputError


def read_file(root: Path, path: Path) -> Document:
    """One file as one document; its sub-folder is its label, its path in the folder its id."""
    name, _ = decode(os.fsencode(path.relative_to(root).as_posix()))
    label = name.rpartition("/")[0] or None
    try:
        data = path.read_bytes()
    except OSError as error:
        return Document("", name, label, problem=f"cannot be read: {error.strerror}")
    text, note = decode(data)
    if "\0" in text:
        return Document("", name, label, problem="is not text (it has NUL bytes)")
    text, problem = clean_text(text)
    return Document(text, name, label, problem=problem, note=note)


def folder_files(root: Path) -> list[Path]:
    """Files of a folder and its sub-folders that are texts: ``.txt`` or no suffix, sorted."""
    files = []
    for path in root.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
        if not hidden and path.suffix.lower() in ("", ".txt") and path.is_file():
            files.append(path)
    if not files:
        raise InputError(
            f"{root}: no texts in this folder; expected files that end in .txt or have no suffix, "
            "directly or in sub-folders (which become labels)"
        )
    return sorted(files)
