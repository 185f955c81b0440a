"""Readers of corpora: folders and archives of texts, tables, lines; local, compressed or remote.

A reader is a function ``(path, columns) -> Iterator[Document]``; to add one, write it and put it
into READERS under its suffix.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from topicfactors.corpus.archives import read_tar
from topicfactors.corpus.columns import Columns as Columns  # of the signature of every reader
from topicfactors.corpus.columns import without_nul
from topicfactors.corpus.documents import Corpus, Document, LazyTexts, Ledger, clean_text
from topicfactors.corpus.folders import folder_files, read_file
from topicfactors.corpus.frames import read_memory
from topicfactors.corpus.lines import COMPRESSED, lines_of, suffix_of
from topicfactors.corpus.samples import SAMPLES, read_sample
from topicfactors.corpus.tables import read_csv, read_json, read_jsonl, read_parquet
from topicfactors.errors import InputError, nearest

Reader = Callable[[str, Columns], Iterator[Document]]


def read_folder(path: str, columns: Columns) -> Iterator[Document]:
    """Every file of a folder as a document."""
    return _documents(Path(path), *_files(Path(path)))


def _files(root: Path) -> tuple[list[Path], str | None]:
    from topicfactors.corpus.store.manifest import is_store

    if is_store(root):
        raise InputError(
            f"{root}: is a store of counts, which has no texts any more; give the corpus that it "
            "was prepared from, or leave it to fit, transform, evaluate and explain"
        )
    return folder_files(root)


def _documents(root: Path, files: Iterable[Path], remark: str | None) -> Iterator[Document]:
    return (read_file(root, file)._replace(remark=remark) for file in files)


def read_lines(path: str, columns: Columns) -> Iterator[Document]:
    """One document a line."""
    with contextlib.closing(lines_of(path)) as lines:
        for row, (raw, note) in enumerate(lines):
            text, problem = clean_text(raw.rstrip("\r\n"))
            yield without_nul(Document(text, str(row), problem=problem, note=note))


READERS: dict[str, Reader] = {
    ".csv": read_csv,
    ".tsv": read_csv,
    ".json": read_json,
    ".jsonl": read_jsonl,
    ".ndjson": read_jsonl,
    ".parquet": read_parquet,
    ".tar": read_tar,
    ".tgz": read_tar,
    ".tbz2": read_tar,
    ".txz": read_tar,
    ".txt": read_lines,
}


def _exists(path: str) -> bool:
    """Is there a file or folder? A text given for a path is too long for one, and no error."""
    try:
        return bool(path) and Path(path).exists()
    except (OSError, ValueError):
        return False


def _siblings(path: str) -> list[str]:
    """What there is in the folder of a path, written as the path is."""
    try:
        return [str(Path(path).parent / found.name) for found in Path(path).parent.iterdir()]
    except (OSError, ValueError):
        return []


def stream_documents(source: str | Path, columns: Columns | None = None) -> Iterator[Document]:
    """Documents of a folder, file, ``-`` (standard input) or sample corpus, one at a time.

    Raises
    ------
    InputError
        When there is nothing there, or it is not something that can be read.
    """
    path, columns = str(source), columns or Columns()
    if path == "-":
        return read_lines(path, columns)
    if "://" not in path and not _exists(path):
        if path in SAMPLES:
            return read_sample(path)
        shown = path if len(path) < 200 else f"{path[:200]}…"
        raise InputError(
            f"{shown or repr(path)}: no such file or folder, and no sample corpus of that name "
            f"(those are {', '.join(SAMPLES)}){nearest(path, [*SAMPLES, *_siblings(path)])}"
        )
    if "://" not in path and Path(path).is_dir():
        return read_folder(path, columns)
    reader = READERS.get(suffix_of(path))
    if reader is None:
        raise InputError(
            f"{path}: cannot tell how to read this; expected a folder of texts or a file that "
            f"ends in {', '.join(READERS)} (and perhaps {', '.join(sorted(COMPRESSED))})"
        )
    return reader(path, columns)


def read_corpus(
    source: str | Path | Iterable[Any],
    *,
    text_column: str | None = None,
    id_column: str | None = None,
    label_column: str | None = None,
    covariates: str | Iterable[str] = (),
    strict: bool = False,
) -> Corpus:
    """Read a corpus whole; the texts of a folder stay on disk until they are asked for.

    Parameters
    ----------
    source
        A folder of texts (sub-folders become labels) or a .tar of one, a .csv, .tsv, .json, .jsonl
        or .parquet table, or a .txt file (one document a line), each also compressed or remote;
        ``"-"``, the name of a sample corpus; a data frame, an Arrow table, a Hugging Face data
        set, an iterable of dicts, or any iterable of texts.
    text_column, id_column, label_column, covariates
        Columns of a table; the first three are guessed where they have an obvious name.
    strict
        Refuse a document that is empty or no text, and an id that comes twice.

    Returns
    -------
    Corpus
        Rows in the order of the source. A document that is empty or no text is kept as an empty
        row and listed in ``problems``.

    Raises
    ------
    InputError
        When the source cannot be read, or, if strict, at the first such document.

    Examples
    --------
    >>> corpus = read_corpus(["steam engines", None, "pendulum clocks"])
    >>> len(corpus), corpus.notes
    (3, ['1 document is kept as an empty row: row 1 (id 1) is None'])
    """
    told = (covariates,) if isinstance(covariates, str) else tuple(covariates)
    columns = Columns(text_column, id_column, label_column, told)
    ledger = Ledger(strict)
    if not isinstance(source, str | Path):
        return Corpus(list(ledger.record(read_memory(source, columns))), ledger)
    if "://" not in str(source) and _exists(str(source)) and Path(source).is_dir():
        root = Path(source)
        files, remark = _files(root)
        for _ in ledger.record(_documents(root, files, remark)):
            pass
        return Corpus(LazyTexts(files, partial(read_file, root)), ledger)
    return Corpus(list(ledger.record(stream_documents(source, columns))), ledger)
