"""Tables in memory: data frames, Hugging Face data sets, iterables of dicts or of texts."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from topicfactors.corpus.columns import (
    Columns,
    Records,
    document_of,
    needed,
    read_batches,
    resolve,
)
from topicfactors.corpus.documents import Document, check_texts, clean_text
from topicfactors.errors import InputError


def read_memory(source: Any, columns: Columns) -> Iterator[Document]:
    """Documents of a table in memory or of an iterable of texts, row by row.

    Parameters
    ----------
    source
        A pandas or polars data frame, a table or array of Arrow, a data set of Hugging Face's
        ``datasets``, an iterable of dicts, or an iterable of texts (a column of any of them, a
        list, a generator).
    columns
        As for a file; an iterable of texts has none.

    Raises
    ------
    InputError
        When it is none of these, or a column is not there.

    Examples
    --------
    >>> [document.id for document in read_memory([{"id": "a", "text": "steam"}], Columns())]
    ['a']
    """
    if isinstance(getattr(source, "column_names", None), Mapping):
        splits = ", ".join(map(repr, source.column_names))
        raise InputError(
            f"{type(source).__name__}: a data set in several splits ({splits}); pass one of them, "
            "as in source[split]"
        )
    if hasattr(source, "collect"):
        raise InputError(
            f"{type(source).__name__}: not in memory yet; pass what its collect() or toPandas() "
            "gives"
        )
    if hasattr(source, "to_pylist"):
        return _read_arrow(source, columns)
    if hasattr(source, "column_names"):
        return _read_data_set(source, columns)
    if hasattr(source, "columns"):
        return _read_frame(source, columns)
    return _read_iterable(source, columns)


def _read_frame(frame: Any, columns: Columns) -> Iterator[Document]:
    columns = resolve(type(frame).__name__, columns, list(frame.columns))
    wanted = needed(columns)
    cells = (frame[name] for name in wanted)
    for row, record in enumerate(zip(*cells, strict=True)):
        yield document_of(dict(zip(wanted, record, strict=True)), row, columns)


def _read_arrow(source: Any, columns: Columns) -> Iterator[Document]:
    """A table, a record batch, or an array of texts or structures."""
    if not hasattr(source, "schema"):
        return _read_iterable(source.to_pylist(), columns)
    columns = resolve(type(source).__name__, columns, list(source.schema.names))
    batches = source.to_batches() if hasattr(source, "to_batches") else [source]
    return read_batches(batches, columns)


def _read_data_set(source: Any, columns: Columns) -> Iterator[Document]:
    kind, header = type(source).__name__, source.column_names
    if header is not None:  # a streamed data set may not know it
        columns = resolve(kind, columns, list(header))
        if hasattr(source, "select_columns"):
            source = source.select_columns(needed(columns))
    return _read_records(source, columns, kind)


def _read_iterable(source: Any, columns: Columns) -> Iterator[Document]:
    """Dicts where the first item is one, else texts."""
    if isinstance(source, bytes | io.IOBase) or not hasattr(source, "__iter__"):
        raise InputError(
            f"source must be a path, a table or an iterable of texts, got {type(source).__name__}"
        )
    check_texts(source)
    items = iter(source)
    first = list(itertools.islice(items, 1))
    items = itertools.chain(first, items)
    kind = type(source).__name__
    if first and isinstance(first[0], Mapping):
        yield from _read_records(items, columns, kind)
        return
    if needed(columns):
        raise InputError(
            f"{kind}: no column {needed(columns)[0]!r}: these are texts without columns; pass a "
            "data frame or dicts, or name no column"
        )
    for row, value in enumerate(items):
        text, problem = clean_text(value)
        yield Document(text, str(row), problem=problem)


def _read_records(records: Iterable[Any], columns: Columns, kind: str) -> Iterator[Document]:
    """Dicts as documents; the column of the texts is taken from the first."""
    found = Records(columns)
    for row, record in enumerate(records):
        if not isinstance(record, Mapping):
            raise InputError(
                f'{kind}, row {row}: must be a dict such as {{"text": "…"}}, got '
                f"{type(record).__name__}"
            )
        yield found.document(record, row, f"{kind}, row {row}")
