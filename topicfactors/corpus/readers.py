"""Readers of corpora: a folder of texts, .csv and .tsv, .jsonl, lines; local, .gz or remote.

A reader is a function ``(path, columns) -> Iterator[Document]``; to add one, write it and put it
into READERS under its suffix.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from topicfactors.corpus.documents import (
    Corpus,
    Document,
    LazyTexts,
    Ledger,
    check_texts,
    clean_text,
)
from topicfactors.corpus.folders import folder_files, read_file
from topicfactors.corpus.lines import lines_of
from topicfactors.corpus.samples import SAMPLES, read_sample
from topicfactors.errors import InputError

COMPRESSED = {".gz", ".bz2", ".xz", ".zst"}
TEXT_COLUMNS = ("text", "texts", "document", "content", "body", "abstract", "message", "review")
CSV_FIELD = 2**31 - 1  # characters; Python's own limit is 131,072


class Columns(NamedTuple):
    """Which columns of a table hold what; None is guessed (``label`` and ``id`` by their names)."""

    text: str | None = None
    id: str | None = None
    label: str | None = None
    covariates: tuple[str, ...] = ()


Reader = Callable[[str, Columns], Iterator[Document]]


def read_folder(path: str, columns: Columns) -> Iterator[Document]:
    """Every file of a folder as a document."""
    root = Path(path)
    return (read_file(root, file) for file in folder_files(root))


def read_lines(path: str, columns: Columns) -> Iterator[Document]:
    """One document a line."""
    with contextlib.closing(lines_of(path)) as lines:
        for row, (raw, note) in enumerate(lines):
            text, problem = clean_text(raw.rstrip("\r\n"))
            yield Document(text, str(row), problem=problem, note=note)


def read_csv(path: str, columns: Columns) -> Iterator[Document]:
    """A table with a header, separated by commas, or by tabs where the suffix is .tsv."""
    tabs = _suffix(path) == ".tsv"
    csv.field_size_limit(CSV_FIELD)
    notes: list[str] = []
    begun = 1
    with contextlib.closing(_heard(path, notes)) as lines:
        table = csv.reader(lines, delimiter="\t" if tabs else ",", strict=True)
        try:
            header = next(table, None)
            if header is None:
                raise InputError(f"{path}: the file is empty; expected a header line")
            columns = _resolve(path, columns, header)
            for row, cells in enumerate(line for line in table if line):
                if len(cells) != len(header):
                    raise InputError(
                        f"{path}, line {table.line_num}: {len(cells)} cells where the header has "
                        f"{len(header)}; quote texts that contain the separator or line breaks"
                    )
                note = notes[0] if notes else None
                notes.clear()
                begun = table.line_num + 1
                yield _document(dict(zip(header, cells, strict=True)), row, columns, note)
        except csv.Error as error:
            raise InputError(
                f"{path}, in the row that starts on line {begun}: {error}; a quotation mark in a "
                "text is doubled, and the text put in quotation marks"
            ) from error


def read_jsonl(path: str, columns: Columns) -> Iterator[Document]:
    """One JSON object a line; the columns are taken from the first."""
    resolved: Columns | None = None
    with contextlib.closing(lines_of(path)) as lines:
        row = 0
        for number, (raw, note) in enumerate(lines, 1):
            if not raw.strip():
                continue
            try:
                record = json.loads(raw)
            except (ValueError, RecursionError) as error:
                raise InputError(f"{path}, line {number}: not JSON: {error}") from error
            if not isinstance(record, dict):
                raise InputError(
                    f"{path}, line {number}: must be a JSON object such as "
                    f'{{"text": "…"}}, got {type(record).__name__}'
                )
            resolved = resolved or _resolve(path, columns, list(record))
            yield _document(record, row, resolved, note)
            row += 1


def _heard(path: str, notes: list[str]) -> Generator[str, None, None]:
    """Lines as the csv module wants them; their notes go into a list."""
    for text, note in lines_of(path):
        if note is not None:
            notes.append(note)
        yield text


def _resolve(path: str, columns: Columns, header: list[str]) -> Columns:
    """Fill in the columns that were not named, and refuse those that are not there."""
    wanted = [columns.text, columns.id, columns.label, *columns.covariates]
    for name in wanted:
        if name is not None and name not in header:
            raise InputError(f"{path}: no column {name!r}; it has {', '.join(map(repr, header))}")
    by_lower = {name.lower().strip(): name for name in reversed(header)}
    text = columns.text
    if text is None:
        guesses = [by_lower[name] for name in TEXT_COLUMNS if name in by_lower]
        text = guesses[0] if guesses else header[0] if len(header) == 1 else None
    if text is None:
        raise InputError(
            f"{path}: which column holds the text? Name one of {', '.join(map(repr, header))} "
            "(--text-column, or text_column=)"
        )
    free = {name: column for name, column in by_lower.items() if column != text}
    return columns._replace(
        text=text,
        id=columns.id or free.get("id"),
        label=columns.label or free.get("label"),
    )


def _document(record: dict[str, Any], row: int, columns: Columns, note: str | None) -> Document:
    text, problem = clean_text(record.get(columns.text or ""))
    name = record.get(columns.id) if columns.id else None
    label = record.get(columns.label) if columns.label else None
    return Document(
        text,
        str(row) if name in (None, "") else str(name),
        None if label in (None, "") else str(label),
        {column: record.get(column) for column in columns.covariates},
        problem,
        note,
    )


READERS: dict[str, Reader] = {
    ".csv": read_csv,
    ".tsv": read_csv,
    ".jsonl": read_jsonl,
    ".ndjson": read_jsonl,
    ".txt": read_lines,
}


def _suffix(path: str) -> str:
    suffixes = Path(path.split("?")[0] if "://" in path else path).suffixes
    if suffixes and suffixes[-1].lower() in COMPRESSED:
        suffixes.pop()
    return suffixes[-1].lower() if suffixes else ""


def _exists(path: str) -> bool:
    """Is there a file or folder? A text given for a path is too long for one, and no error."""
    try:
        return bool(path) and Path(path).exists()
    except (OSError, ValueError):
        return False


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
            f"(those are {', '.join(SAMPLES)})"
        )
    if "://" not in path and Path(path).is_dir():
        return read_folder(path, columns)
    reader = READERS.get(_suffix(path))
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
    covariates: Iterable[str] = (),
) -> Corpus:
    """Read a corpus whole; the texts of a folder stay on disk until they are asked for.

    Parameters
    ----------
    source
        A folder of texts (sub-folders become labels), a .csv, .tsv, .jsonl or .txt file (one
        document a line), each also compressed or remote, ``"-"``, the name of a sample corpus, or
        any iterable of texts.
    text_column, id_column, label_column, covariates
        Columns of a table; the first three are guessed where they have an obvious name.

    Returns
    -------
    Corpus
        Rows in the order of the source. A document that is empty or no text is kept as an empty
        row and listed in ``problems``.

    Raises
    ------
    InputError
        When the source cannot be read.

    Examples
    --------
    >>> corpus = read_corpus(["steam engines", None, "pendulum clocks"])
    >>> len(corpus), corpus.notes
    (3, ['1 document is kept as an empty row: row 1 (id 1) is None'])
    """
    columns = Columns(text_column, id_column, label_column, tuple(covariates))
    ledger = Ledger()
    if not isinstance(source, str | Path):
        return Corpus(list(ledger.record(_from_texts(source))), ledger)
    if "://" not in str(source) and _exists(str(source)) and Path(source).is_dir():
        root = Path(source)
        files = folder_files(root)
        for _ in ledger.record(read_file(root, file) for file in files):
            pass
        return Corpus(LazyTexts(files, partial(read_file, root)), ledger)
    return Corpus(list(ledger.record(stream_documents(source, columns))), ledger)


def _from_texts(texts: Iterable[Any]) -> Iterator[Document]:
    if isinstance(texts, bytes | io.IOBase) or not hasattr(texts, "__iter__"):
        raise InputError(
            f"source must be a path or an iterable of texts, got {type(texts).__name__}"
        )
    check_texts(texts)
    for row, value in enumerate(texts):
        text, problem = clean_text(value)
        yield Document(text, str(row), problem=problem)
