"""Columns of a table: which of them hold the text, the id and the label of a document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from topicfactors.corpus.documents import Document, clean_text, missing
from topicfactors.errors import InputError, nearest

TEXT_COLUMNS = ("text", "texts", "document", "content", "body", "abstract", "message", "review")


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
    names = ", ".join(map(repr, header))
    if not header:
        raise InputError(f"{source}: there are no columns; expected at least one, of texts")
    for name in (columns.text, columns.id, columns.label, *columns.covariates):
        if name is not None and name not in header:
            known = [str(column) for column in header]
            raise InputError(f"{source}: no column {name!r}; it has {names}{nearest(name, known)}")
    by_lower = {name.lower().strip(): name for name in reversed(header) if isinstance(name, str)}
    text = columns.text
    if text is None:
        guesses = [by_lower[name] for name in TEXT_COLUMNS if name in by_lower]
        text = guesses[0] if guesses else header[0] if len(header) == 1 else None
    if text is None:
        raise InputError(
            f"{source}: which column holds the text? Name one of {names} "
            "(--text-column, or text_column=)"
        )
    free = {name: column for name, column in by_lower.items() if column != text}
    found = columns._replace(
        text=text,
        id=free.get("id") if columns.id is None else columns.id,
        label=free.get("label") if columns.label is None else columns.label,
    )
    for name in needed(found):
        if header.count(name) > 1:
            raise InputError(
                f"{source}: {header.count(name)} columns are named {name!r}; rename all but one"
            )
    return found


def needed(columns: Columns) -> list[Any]:
    """The columns that are read, each once."""
    wanted = (columns.text, columns.id, columns.label, *columns.covariates)
    return list(dict.fromkeys(name for name in wanted if name is not None))


def document_of(
    record: Mapping[Any, Any], row: int, columns: Columns, note: str | None = None
) -> Document:
    """A row of a table as a document; without an id of its own, the row's number is its id."""
    text, problem = clean_text(record.get(columns.text))
    name = None if columns.id is None else _filled(record.get(columns.id))
    return Document(
        text,
        str(row) if name is None else name,
        None if columns.label is None else _filled(record.get(columns.label)),
        {column: record.get(column) for column in columns.covariates},
        problem,
        note,
    )


def _filled(cell: object) -> str | None:
    """What a cell holds as text, or None for nothing."""
    return None if missing(cell) else str(cell) or None
