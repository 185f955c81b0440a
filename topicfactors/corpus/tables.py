"""Tables of documents: .csv and .tsv, .jsonl, .parquet; compressed or remote too."""

from __future__ import annotations

import contextlib
import csv
import json
from collections.abc import Generator, Iterator
from typing import Any

from topicfactors.corpus.columns import Columns, document_of, needed, resolve
from topicfactors.corpus.documents import Document
from topicfactors.corpus.lines import BROKEN, lines_of, open_seekable, suffix_of
from topicfactors.errors import InputError

CSV_FIELD = 2**31 - 1  # characters; Python's own limit is 131,072
BATCH = 1024  # rows of a Parquet file held at once


def read_csv(path: str, columns: Columns) -> Iterator[Document]:
    """A table with a header, separated by commas, or by tabs where the suffix is .tsv."""
    tabs = suffix_of(path) == ".tsv"
    csv.field_size_limit(CSV_FIELD)
    notes: list[str] = []
    begun = 1
    with contextlib.closing(_heard(path, notes)) as lines:
        table = csv.reader(lines, delimiter="\t" if tabs else ",", strict=True)
        try:
            header = next(table, None)
            if header is None:
                raise InputError(f"{path}: the file is empty; expected a header line")
            columns = resolve(path, columns, header)
            for row, cells in enumerate(line for line in table if line):
                if len(cells) != len(header):
                    raise InputError(
                        f"{path}, line {table.line_num}: {len(cells)} cells where the header has "
                        f"{len(header)}; quote texts that contain the separator or line breaks"
                    )
                note = notes[0] if notes else None
                notes.clear()
                begun = table.line_num + 1
                yield document_of(dict(zip(header, cells, strict=True)), row, columns, note)
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
                raise InputError(
                    f"{path}, line {number}: not JSON ({_fault(error)}); every line must be one "
                    'object such as {"text": "…"}'
                ) from error
            if not isinstance(record, dict):
                raise InputError(
                    f"{path}, line {number}: must be a JSON object such as "
                    f'{{"text": "…"}}, got {type(record).__name__}'
                )
            resolved = resolved or resolve(path, columns, list(record))
            yield document_of(record, row, resolved, note)
            row += 1


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
            row = 0
            for batch in table.iter_batches(BATCH, columns=wanted):
                cells = (batch.column(name).to_pylist() for name in wanted)
                for record in zip(*cells, strict=True):
                    yield document_of(dict(zip(wanted, record, strict=True)), row, columns)
                    row += 1
        except (pyarrow.ArrowException, UnicodeDecodeError, *BROKEN) as error:
            reason = " ".join(str(error).split())
            raise InputError(f"{path}: no Parquet file, or a damaged one: {reason}") from error


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
        yield text
