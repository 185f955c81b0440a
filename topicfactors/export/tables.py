"""Tables to files, in blocks of rows, so that memory does not grow with the table.

An exporter is a function ``(table, path) -> None``; to add one, write it and put it into EXPORTERS
under its suffix.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from topicfactors.errors import ConfigurationError, InputError
from topicfactors.files import whole_file


class Table(NamedTuple):
    """Named columns and blocks of rows; the blocks are read once."""

    columns: Sequence[str]
    blocks: Iterable[Sequence[Sequence[Any]]]


def _cell(value: Any) -> Any:
    """Floats in six digits, lists as words with spaces between, None as nothing."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return "" if value is None else value


def _record(columns: Sequence[str], row: Sequence[Any]) -> str:
    rounded = [float(f"{v:.6g}") if isinstance(v, float) else v for v in row]
    return json.dumps(dict(zip(columns, rounded, strict=True)), ensure_ascii=False)


def write_csv(table: Table, stream: TextIO) -> None:
    """A header and a line for each row."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(table.columns)
    for block in table.blocks:
        writer.writerows([[_cell(value) for value in row] for row in block])


def write_jsonl(table: Table, stream: TextIO) -> None:
    """One JSON object a line."""
    for block in table.blocks:
        for row in block:
            stream.write(_record(table.columns, row) + "\n")


def write_json(table: Table, stream: TextIO) -> None:
    """One JSON array of objects, an object a line."""
    rows = (_record(table.columns, row) for block in table.blocks for row in block)
    stream.write("[\n" + ",\n".join(rows) + "\n]\n")


def _text(write: Callable[[Table, TextIO], None]) -> Callable[[Table, Path], None]:
    def to_path(table: Table, path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="") as stream:
            write(table, stream)

    return to_path


def write_parquet(table: Table, path: Path) -> None:
    """A Parquet file, a row group for each block; needs the extra ``parquet``."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise ConfigurationError(
            f"{path.name}: Parquet needs pyarrow; pip install 'topicfactors[parquet]'"
        ) from error
    writer = None
    try:
        for block in table.blocks:
            columns = [list(column) for column in zip(*block, strict=True)]
            schema = None if writer is None else writer.schema
            part = pyarrow.table(dict(zip(table.columns, columns, strict=True)), schema=schema)
            writer = writer or parquet.ParquetWriter(path, part.schema)
            writer.write_table(part)
        if writer is None:
            empty = pyarrow.table({name: [] for name in table.columns})
            writer = parquet.ParquetWriter(path, empty.schema)
    finally:
        if writer is not None:
            writer.close()


EXPORTERS: dict[str, Callable[[Table, Path], None]] = {
    ".csv": _text(write_csv),
    ".json": _text(write_json),
    ".jsonl": _text(write_jsonl),
    ".parquet": write_parquet,
}


def export_table(table: Table, path: str | Path) -> None:
    """Write a table in the format of the path's suffix, whole or not at all.

    Raises
    ------
    InputError
        When the suffix is not one of EXPORTERS.
    StorageError
        When the file cannot be written.
    """
    check_suffix(path)
    with whole_file(path) as temporary:
        EXPORTERS[Path(path).suffix.lower()](table, temporary)


def check_suffix(path: str | Path) -> None:
    """Refuse a path whose suffix no exporter writes, before any work is done."""
    if Path(path).suffix.lower() not in EXPORTERS:
        raise InputError(f"{path}: the name must end in one of {', '.join(EXPORTERS)}")


def read_csv_rows(path: Path, block: int = 1000) -> Table:
    """A table written by :func:`write_csv`, read back in blocks; numbers become floats."""
    with path.open(encoding="utf-8", newline="") as stream:
        columns = next(csv.reader(stream), [])

    def blocks() -> Iterator[list[list[Any]]]:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = csv.reader(stream)
            next(rows, None)
            part: list[list[Any]] = []
            for name, *numbers in rows:
                part.append([name, *map(float, numbers)])
                if len(part) == block:
                    yield part
                    part = []
            if part:
                yield part

    return Table(columns, blocks())
