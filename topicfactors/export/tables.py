"""Tables to files, in blocks of rows, so that memory does not grow with the table.

An exporter is a function ``(table, path) -> None``; to add one, write it and put it into EXPORTERS
under its suffix.
"""

from __future__ import annotations

import csv
import itertools
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from topicfactors.errors import ConfigurationError, InputError, StorageError
from topicfactors.files import whole_file

LEADING: dict[str, Callable[[str], Any]] = {"label": str, "component": int, "predicted": str}
"""Columns before the numbers of a table of documents, and what they hold."""
_NUMBERED = re.compile(r"^(component_\d+|response)$")


class Table(NamedTuple):
    """Named columns and blocks of rows; the blocks are read once."""

    columns: Sequence[str]
    blocks: Iterable[Sequence[Sequence[Any]]]


def _cell(value: Any) -> Any:
    """Floats in six digits, lists as words with spaces between, None and NaN as nothing."""
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.6g}"
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return "" if value is None else value


def _record(columns: Sequence[str], row: Sequence[Any]) -> str:
    rounded = [float(f"{v:.6g}") if isinstance(v, float) else v for v in row]
    return dump_json(dict(zip(columns, rounded, strict=True)))


def dump_json(value: Any, indent: int | None = None) -> str:
    """JSON that every reader takes: NaN and infinity, which JSON has not, become null.

    >>> dump_json({"npmi": float("nan"), "words": ["Škoda"]})
    '{"npmi": null, "words": ["Škoda"]}'
    """
    return json.dumps(_finite(value), ensure_ascii=False, allow_nan=False, indent=indent)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


def write_csv(table: Table, stream: TextIO) -> None:
    """A header and a line for each row."""
    writer = csv.writer(_LineFeeds(stream))  # csv quotes what has one of its own line ends in it
    writer.writerow(table.columns)
    for block in table.blocks:
        writer.writerows([[_cell(value) for value in row] for row in block])


class _LineFeeds:
    """A stream to which rows end in a line feed alone, though csv ends them in CR LF."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, row: str) -> None:
        """Write one row; csv calls this once for each."""
        self.stream.write(row.removesuffix("\r\n") + "\n")


def write_jsonl(table: Table, stream: TextIO) -> None:
    """One JSON object a line."""
    for block in table.blocks:
        for row in block:
            stream.write(_record(table.columns, row) + "\n")


def write_json(table: Table, stream: TextIO) -> None:
    """One JSON array of objects, an object a line."""
    rows = (_record(table.columns, row) for block in table.blocks for row in block)
    stream.write("[\n" + ",\n".join(rows) + "\n]\n")


def write_md(table: Table, stream: TextIO) -> None:
    """A table in Markdown; numbers in six digits, line breaks as spaces."""
    stream.write(f"| {' | '.join(map(_markdown, table.columns))} |\n")
    stream.write("|---" * len(table.columns) + "|\n")
    for block in table.blocks:
        for row in block:
            stream.write(f"| {' | '.join(map(_markdown, row))} |\n")


def _markdown(value: Any) -> str:
    """A cell that cannot end its column or its row."""
    return plain(str(_cell(value)))


def plain(text: str) -> str:
    r"""Text that Markdown shows as it is, on one line.

    >>> print(plain("a|b, __init__"))
    a\|b, \_\_init\_\_
    """
    return re.sub(r"([\\`*_<\[\]|])", r"\\\1", " ".join(text.split()))


def _text(write: Callable[[Table, TextIO], None]) -> Callable[[Table, Path], None]:
    def to_path(table: Table, path: Path) -> None:
        """Write the table to a text file in UTF-8."""
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
        for block in filter(None, table.blocks):
            columns = [_of_one_type(column) for column in zip(*block, strict=True)]
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


def _of_one_type(column: Sequence[Any]) -> list[Any]:
    """The cells, as text where some are numbers and some names."""
    kinds = {type(cell) for cell in column if cell is not None}
    return list(map(str, column)) if str in kinds and len(kinds) > 1 else list(column)


EXPORTERS: dict[str, Callable[[Table, Path], None]] = {
    ".csv": _text(write_csv),
    ".json": _text(write_json),
    ".jsonl": _text(write_jsonl),
    ".md": _text(write_md),
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
    """A table written by :func:`write_csv`, read back in blocks; numbers become floats.

    The first column is text, and so are those called ``label`` and ``predicted`` after it;
    ``component`` is a whole number, or text where some have names.

    Raises
    ------
    StorageError
        When it cannot be read, or a row (met later, while the blocks are read) is damaged.
    """
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            columns = next(csv.reader(stream), [])
    except (OSError, ValueError, csv.Error) as error:
        raise StorageError(f"{path}: cannot be read: {error}") from error
    known = list(itertools.takewhile(LEADING.__contains__, columns[1:]))
    leading: list[Callable[[str], Any]] = [str, *(LEADING[name] for name in known)]
    if "component" in known and not all(map(_NUMBERED.search, columns[1 + len(known) :])):
        leading[1 + known.index("component")] = str  # they have names
    return Table(columns, _csv_blocks(path, len(columns), leading, block))


def _csv_blocks(
    path: Path, width: int, leading: Sequence[Callable[[str], Any]], block: int
) -> Iterator[list[list[Any]]]:
    def read(row: list[str]) -> list[Any]:
        first = [kind(cell) for kind, cell in zip(leading, row, strict=False)]
        return [*first, *map(float, row[len(leading) :])]

    with path.open(encoding="utf-8", newline="") as stream:
        rows = csv.reader(stream, strict=True)
        next(rows, None)
        part: list[list[Any]] = []
        while True:
            try:
                part.extend(map(read, itertools.islice(rows, block)))
            except (ValueError, csv.Error) as error:
                where = f"{path}, line {rows.line_num}"
                raise StorageError(f"{where}: damaged: {str(error)[:200]}; fit again") from error
            if any(len(row) != width for row in part):
                raise StorageError(f"{path}: damaged: not all rows have {width} cells; fit again")
            if not part:
                return
            yield part
            part = []
