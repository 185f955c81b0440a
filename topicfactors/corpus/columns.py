"""Columns of a table: which of them hold the text, the id and the label of a document."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from topicfactors.corpus.documents import Document, clean_text, missing
from topicfactors.corpus.text import NUL, decode
from topicfactors.errors import InputError, nearest

TEXT_COLUMNS = ("text", "texts", "document", "content", "body", "abstract", "message", "review")
KEYS_SHOWN = 5  # of a record without a text
SHOWN, SHORT = 40, reprlib.Repr()  # columns that messages name, and how
SHORT.maxstring = SHORT.maxother = 60


class Columns(NamedTuple):
    """Which columns of a table hold what; None is guessed (``label`` and ``id`` by their names)."""

    text: str | None = None
    id: str | None = None
    label: str | None = None
    covariates: tuple[str, ...] = ()


def resolve(source: str, columns: Columns, header: Sequence[Any]) -> Columns:
    """Fill in the columns that were not named.

    Parameters
    ----------
    source
        The path, or the type, that messages name.
    columns
        Those that the user has named.
    header
        All that there are; names that are no text can be named, but are not guessed.

    Raises
    ------
    InputError
        When a column is not there, is there twice, or the one of the texts cannot be guessed.

    Examples
    --------
    >>> resolve("notes.csv", Columns(), ["ID", "body", "year"])
    Columns(text='body', id='ID', label=None, covariates=())
    """
    names = ", ".join(map(SHORT.repr, header[:SHOWN])) + (", …" if len(header) > SHOWN else "")
    if not header:
        raise InputError(f"{source}: there are no columns; expected at least one, of texts")
    for name in (columns.text, columns.id, columns.label, *columns.covariates):
        if name is not None and name not in header:
            known = [str(column) for column in header]
            raise InputError(f"{source}: no column {name!r}; it has {names}{nearest(name, known)}")
    by_lower = _by_lower(header)
    text = columns.text
    if text is None:
        guesses = [by_lower[name] for name in TEXT_COLUMNS if name in by_lower]
        text = guesses[0] if guesses else header[0] if len(header) == 1 else None
    if text is None:
        raise InputError(
            f"{source}: which column holds the text? Name one of {names} "
            "(--text-column, or text_column=)"
        )
    found = _guessed(columns._replace(text=text), header)
    for name in needed(found):
        if header.count(name) > 1:
            raise InputError(
                f"{source}: {header.count(name)} columns are named {SHORT.repr(name)}; rename all "
                "but one"
            )
    return found


def _by_lower(header: Sequence[Any]) -> dict[str, str]:
    return {name.lower().strip(): name for name in reversed(header) if isinstance(name, str)}


def _guessed(columns: Columns, header: Sequence[Any]) -> Columns:
    """Columns with the ids and labels that nobody named but that are there by name."""
    free = {name: column for name, column in _by_lower(header).items() if column != columns.text}
    return columns._replace(
        id=free.get("id") if columns.id is None else columns.id,
        label=free.get("label") if columns.label is None else columns.label,
    )


def needed(columns: Columns) -> list[Any]:
    """The columns that are read, each once."""
    wanted = (columns.text, columns.id, columns.label, *columns.covariates)
    return list(dict.fromkeys(name for name in wanted if name is not None))


def document_of(
    record: Mapping[Any, Any], row: int, columns: Columns, note: str | None = None
) -> Document:
    """A row of a table as a document; where there are no ids, the row's number is its id."""
    cell = record.get(columns.text)
    binary = isinstance(cell, bytes)
    if isinstance(cell, bytes):
        cell, note = decode(cell)
    text, problem = clean_text(cell)
    if columns.text not in record:
        keys = ", ".join(SHORT.repr(key) for key in list(record)[:KEYS_SHOWN])
        problem = f"has no {columns.text!r} (it has {keys or 'nothing'})"
    document = Document(
        text,
        str(row) if columns.id is None else id_of(record.get(columns.id), row),
        None if columns.label is None else name_of(record.get(columns.label)),
        {column: record.get(column) for column in columns.covariates},
        problem,
        note,
    )
    return without_nul(document) if binary else document


def without_nul(document: Document) -> Document:
    """An empty row instead of a text that has NUL bytes."""
    return document._replace(text="", problem=NUL) if "\0" in document.text else document


class Records:
    """Records that need not all have the same keys, as documents.

    The column of the texts is that of the first record; ids and labels that were not named are
    looked for in each.

    Parameters
    ----------
    columns
        Those that the user has named.
    """

    def __init__(self, columns: Columns) -> None:
        self.asked, self.named = columns, False
        self._found: dict[tuple[Any, ...], Columns] = {}

    def document(
        self, record: Mapping[Any, Any], row: int, place: str, note: str | None = None
    ) -> Document:
        """One of them, at a place that messages name.

        Raises
        ------
        InputError
            When the columns of the first cannot be told.
        """
        keys = tuple(record)
        if not self._found:
            self._found[keys] = resolve(place, self.asked, keys)
            self.asked = self.asked._replace(text=self._found[keys].text)
        if keys not in self._found:
            self._found[keys] = _guessed(self.asked, keys)
        columns = self._found[keys]
        self.named = self.named or columns.id is not None
        found = document_of(record, row, columns, note)
        return found._replace(id=id_of(None, row)) if self.named and columns.id is None else found


def read_batches(batches: Iterable[Any], columns: Columns) -> Iterator[Document]:
    """Documents of Arrow's record batches, row by row; the columns are known."""
    wanted, row = needed(columns), 0
    for batch in batches:
        cells = (batch.column(name).to_pylist() for name in wanted)
        for record in zip(*cells, strict=True):
            yield document_of(dict(zip(wanted, record, strict=True)), row, columns)
            row += 1


def id_of(cell: object, row: int) -> str:
    """What a cell of a column of ids says, or an id that is nobody's number.

    >>> id_of(7.0, 3), id_of(None, 3)
    ('7', 'row 3')
    """
    name = name_of(cell)
    return f"row {row}" if name is None else name


def name_of(cell: object) -> str | None:
    """What a cell holds as text, or None for nothing.

    Whole numbers that a column with gaps has made floats are whole again.

    >>> name_of(1712.0), name_of(0.5), name_of(float("nan")), name_of("")
    ('1712', '0.5', None, None)
    """
    if missing(cell):
        return None
    if isinstance(cell, float | np.floating) and float(cell).is_integer():
        cell = int(cell)
    return str(cell) or None
