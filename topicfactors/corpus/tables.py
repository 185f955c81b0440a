"""Tables of documents: .csv and .tsv, .jsonl, .parquet; compressed or remote too."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import json
from collections.abc import Generator, Iterable, Iterator
from typing import Any

from topicfactors.corpus.columns import (
    Columns,
    Records,
    document_of,
    id_of,
    needed,
    read_batches,
    resolve,
    without_nul,
)
from topicfactors.corpus.documents import Document
from topicfactors.corpus.lines import BROKEN, lines_of, open_bytes, open_seekable, suffix_of
from topicfactors.corpus.text import NUL, decode
from topicfactors.corpus.unpacking import room_of, too_large
from topicfactors.errors import InputError

CSV_FIELD = 2**31 - 1  # characters; Python's own limit is 131,072
BATCH = 256  # rows of a Parquet file held at once


def read_csv(path: str, columns: Columns) -> Iterator[Document]:
    """A table with a header, separated by commas, or by tabs where the suffix is .tsv.

    Where the header of a .csv has no comma but semicolons or tabs, these separate, and it is said.
    """
    csv.field_size_limit(CSV_FIELD)
    notes: list[str] = []
    with contextlib.closing(_heard(path, notes)) as lines:
        first = next(lines, "")
        delimiter = "\t" if suffix_of(path) == ".tsv" else _delimiter(first)
        usual = suffix_of(path) == ".tsv" or delimiter == ","
        remark = None if usual else f"read with {_SPELLED[delimiter]} between the cells"
        table = csv.reader(itertools.chain([first], lines), delimiter=delimiter, strict=True)
        rows = _rows(path, table)
        header = next(rows, None) if first else None
        if header is None:
            raise InputError(f"{path}: the file is empty; expected a header line")
        columns = resolve(path, columns, header)
        filled = (cells or [""] for cells in rows if cells or len(header) == 1)
        for row, cells in enumerate(filled):
            if len(cells) != len(header):
                raise InputError(
                    f"{path}, line {table.line_num}: {len(cells)} cells where the header has "
                    f"{len(header)}; quote texts that contain the separator or line breaks"
                )
            note = notes[0] if notes else None
            notes.clear()
            document = document_of(dict(zip(header, cells, strict=True)), row, columns, note)
            yield without_nul(document)._replace(remark=remark)


_SPELLED = {";": "';'", "\t": "tabs"}


def _delimiter(header: str) -> str:
    """What separates the cells of a .csv: another sign only where its header has no comma."""
    others = [sign for sign in _SPELLED if sign in header]
    return max(others, key=header.count) if others and "," not in header else ","


def _rows(path: str, table: Any) -> Iterator[list[str]]:
    """The rows of a csv reader; its complaint names the line where the row begins."""
    begun = 1
    try:
        for cells in table:
            yield cells
            begun = table.line_num + 1
    except csv.Error as error:
        raise InputError(
            f"{path}, in the row that starts on line {begun}: {error}; a quotation mark in a "
            "text is doubled, and the text put in quotation marks"
        ) from error


def read_jsonl(path: str, columns: Columns) -> Iterator[Document]:
    """One JSON object a line; the column of the texts is taken from the first."""
    records = Records(columns)
    with contextlib.closing(lines_of(path)) as lines:
        row = 0
        for number, (raw, note) in enumerate(lines, 1):
            if not raw.strip():
                continue
            if "\0" in raw:
                yield Document("", id_of(None, row) if records.named else str(row), problem=NUL)
            else:
                place = f"{path}, line {number}"
                yield records.document(_object(raw, place), row, place, note)
            row += 1


def read_json(path: str, columns: Columns) -> Iterator[Document]:
    """One JSON array of objects, read whole."""
    with open_bytes(path) as source:
        try:
            text, note = decode(source.read())
        except BROKEN as error:
            raise InputError(f"{path}: cannot be read to its end: {error}") from error
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        lines = str(error).startswith("Extra data") and text.lstrip().startswith("{")
        hint = "; one object a line is .jsonl: rename the file" if lines else ""
        raise InputError(
            f"{path}: not JSON ({_fault(error)}); must be one array of objects such as "
            f'[{{"text": "…"}}]{hint}'
        ) from error
    if not isinstance(found, list):
        raise InputError(
            f'{path}: must be one JSON array of objects such as [{{"text": "…"}}], got '
            f"{type(found).__name__}; one object a line is .jsonl"
        )
    records = Records(columns)
    for row, record in enumerate(found):
        place = f"{path}, entry {row}"
        yield records.document(_checked(record, place), row, place, note)


def _object(raw: str, place: str) -> dict[str, Any]:
    try:
        record = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{place}: not JSON ({_fault(error)}); every line must be one "
            'object such as {"text": "…"}'
        ) from error
    return _checked(record, place)


def _checked(record: Any, place: str) -> dict[str, Any]:
    if isinstance(record, dict):
        return record
    raise InputError(
        f'{place}: must be a JSON object such as {{"text": "…"}}, got {type(record).__name__}'
    )


def _fault(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.colno}"
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


def read_parquet(path: str, columns: Columns) -> Iterator[Document]:
    """A Parquet table, some rows of the columns that are needed at a time."""
    pyarrow = _pyarrow(path)
    with contextlib.closing(open_seekable(path)) as source:
        try:
            table = pyarrow.parquet.ParquetFile(source)
            columns = resolve(path, columns, table.schema_arrow.names)
            wanted = needed(columns)
            batches = table.iter_batches(BATCH, columns=wanted)
            yield from read_batches(_bounded(path, source, batches), columns)
        except (pyarrow.ArrowException, UnicodeDecodeError, *BROKEN) as error:
            reason = " ".join(str(error).split())
            raise InputError(f"{path}: no Parquet file, or a damaged one: {reason}") from error


def _bounded(path: str, source: Any, batches: Iterable[Any]) -> Iterator[Any]:
    """Batches that do not become much larger than the file."""
    left = room = room_of(source.seek(0, 2))
    for batch in batches:
        left -= batch.nbytes
        if left < 0:
            raise too_large(path, room)
        yield batch


def _pyarrow(path: str) -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise InputError(
            f"{path}: reading .parquet needs pyarrow: pip install 'topicfactors[parquet]'"
        ) from error
    return pyarrow


def _heard(path: str, notes: list[str]) -> Generator[str, None, None]:
    """Lines as the csv module wants them; their notes go into a list."""
    for text, note in lines_of(path):
        if note is not None:
            notes.append(note)
        if "\r" in text[:-2]:  # lines of an old Mac end so
            yield from io.StringIO(text, newline="")
        else:
            yield text
