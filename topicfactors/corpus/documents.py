"""Documents, and a corpus of them: rows never reorder and none is lost."""

from __future__ import annotations

import math
import numbers
import reprlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, overload

from topicfactors.corpus.text import without_surrogates
from topicfactors.errors import InputError


class Document(NamedTuple):
    """One row of a corpus."""

    text: str
    id: str
    label: str | None = None
    covariates: Mapping[str, Any] = {}
    problem: str | None = None  # why the text is empty although something else was there
    note: str | None = None  # what was done to read it
    remark: str | None = None  # what was done to read the whole source


class Problem(NamedTuple):
    """A document kept as an empty row, and why."""

    row: int  # from 0
    id: str
    reason: str


def clean_text(value: object) -> tuple[str, str | None]:
    """A text as it is, or an empty one and the reason.

    >>> clean_text(" a text ")
    (' a text ', None)
    >>> clean_text(float("nan"))
    ('', 'is NaN')
    """
    if isinstance(value, str):
        return (without_surrogates(value), None) if value.strip() else ("", "is empty")
    absent = missing(value)
    return "", absent or f"is not a text but {reprlib.repr(value)} ({type(value).__name__})"


def missing(value: object) -> str | None:
    """How a cell says that it holds nothing, or None where it holds something.

    >>> missing(float("nan")), missing("")
    ('is NaN', None)
    """
    if value is None:
        return "is None"
    if isinstance(value, numbers.Real) and not isinstance(value, int) and math.isnan(value):
        return "is NaN"
    return "is missing" if type(value).__name__ in ("NAType", "NaTType") else None


def check_texts(texts: object) -> None:
    """Refuse what is no iterable of texts, or iterates over something else.

    Raises
    ------
    InputError
        With what to pass instead.
    """
    if hasattr(texts, "columns") or getattr(texts, "ndim", 1) != 1:
        raise InputError(
            f"texts must be one column of texts, got a {type(texts).__name__}; "
            "pass the column, as in frame['text']"
        )
    if isinstance(texts, Mapping):
        raise InputError(
            f"texts must be an iterable of texts, got a {type(texts).__name__}; "
            "pass its values, as in list(texts.values())"
        )
    if not isinstance(texts, Iterable) and not hasattr(texts, "__getitem__"):
        raise InputError(f"texts must be an iterable of texts, got {type(texts).__name__}")


def how_many(number: int, what: str) -> str:
    """A number of things.

    >>> how_many(1, "document"), how_many(1200, "document")
    ('1 document', '1,200 documents')
    """
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def describe_problems(problems: Sequence[Problem], shown: int = 3, total: int | None = None) -> str:
    """One line: how many documents are kept as empty rows, and the first of them.

    ``total`` is their number where only the first are given.
    """
    number = len(problems) if total is None else total
    first = "; ".join(
        f"row {p.row} (id {' '.join(p.id.split())}) {p.reason}" for p in problems[:shown]
    )
    more = f"; and {number - shown} more" if number > shown else ""
    are = "is" if number == 1 else "are"
    return f"{how_many(number, 'document')} {are} kept as an empty row: {first}{more}"


OWN_IDS = (
    "give every document an id of its own, choose another column of ids, or read without strict"
)


def describe_repeated(name: str, first: int, again: int, others: int) -> str:
    """One line: an id that comes more than once, and how many others do."""
    more = f"; so do{'es' if others == 1 else ''} {others:,} more" if others else ""
    return f"id {name!r} comes more than once (rows {first} and {again}){more}"


@dataclass
class Ledger:
    """What is noted while documents stream past: ids, labels, covariates, problems.

    With ``strict``, a document that would be kept as an empty row, and an id that was there
    before, are errors.
    """

    strict: bool = False
    ids: list[str] = field(default_factory=list)
    labels: list[str | None] = field(default_factory=list)
    covariates: dict[str, list[Any]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    remarks: Counter[str] = field(default_factory=Counter)
    first_remark: dict[str, str] = field(default_factory=dict)
    repeated: dict[str, int] = field(default_factory=dict)  # ids, and the row of the second
    about: list[str] = field(default_factory=list)  # the whole source
    _seen: set[str] = field(default_factory=set, repr=False)

    def record(self, documents: Iterable[Document]) -> Iterator[str]:
        """Yield the texts of documents and keep everything else.

        Raises
        ------
        InputError
            When strict, at the first document that has a problem or an id that came before.
        """
        for document in documents:
            row = len(self.ids)
            self._record_id(row, without_surrogates(document.id))
            label = document.label
            self.labels.append(None if label is None else without_surrogates(label))
            for name, value in document.covariates.items():
                column = self.covariates.setdefault(name, [])
                column.extend([None] * (row - len(column)))  # of documents that had none
                column.append(value)
            if document.problem is not None:
                self._record_problem(Problem(row, self.ids[row], document.problem))
            if document.note is not None:
                self.remarks[document.note] += 1
                self.first_remark.setdefault(document.note, self.ids[row])
            if document.remark is not None and document.remark not in self.about:
                self.about.append(document.remark)
            yield document.text
        for column in self.covariates.values():
            column.extend([None] * (len(self.ids) - len(column)))
        if not self.ids:
            self.about.append("no documents in it")

    def _record_id(self, row: int, name: str) -> None:
        self.ids.append(name)
        if name not in self._seen:
            self._seen.add(name)
        elif name not in self.repeated:
            self.repeated[name] = row
            if self.strict:
                raise InputError(f"{self._describe_repeated()}; {OWN_IDS}")

    def _record_problem(self, problem: Problem) -> None:
        self.problems.append(problem)
        if self.strict:
            raise InputError(
                f"row {problem.row} (id {' '.join(problem.id.split())}) {problem.reason}; mend it "
                "or leave it out, or read without strict"
            )

    def _describe_repeated(self) -> str:
        name, row = next(iter(self.repeated.items()))
        return describe_repeated(name, self.ids.index(name), row, len(self.repeated) - 1)

    def notes(self) -> list[str]:
        """What a user should know of how the documents were read, a line each."""
        lines = [*self.about]
        if self.problems:
            lines.append(describe_problems(self.problems))
        for note, times in self.remarks.items():
            lines.append(f"{how_many(times, 'document')} {note} (first: {self.first_remark[note]})")
        return [*lines, self._describe_repeated()] if self.repeated else lines


class Corpus:
    """Texts with their ids, labels and covariates, in the order they came.

    Parameters
    ----------
    texts
        Sequence of N str.
    ledger
        What was noted while they were read; :func:`topicfactors.read_corpus` fills it.

    Attributes
    ----------
    texts
        Sequence of N str; for a folder they are read from disk when asked for.
    ids
        N str.
    labels
        N labels (None where a document has none), or None when no document has one.
    covariates
        Column name to N values.
    notes
        What a user should know of how the documents were read.
    """

    def __init__(self, texts: Sequence[str], ledger: Ledger) -> None:
        self.texts, self.ids = texts, ledger.ids
        labelled = any(label is not None for label in ledger.labels)
        self.labels = ledger.labels if labelled else None
        self.covariates = ledger.covariates
        self.problems = ledger.problems
        self.notes = ledger.notes()

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts)

    def __repr__(self) -> str:
        return f"<Corpus of {len(self):,} documents>"


class LazyTexts(Sequence[str]):
    """Texts read from their files each time they are asked for."""

    def __init__(self, paths: Sequence[Any], read: Any) -> None:
        self.paths, self.read = paths, read

    def __len__(self) -> int:
        return len(self.paths)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> LazyTexts: ...
    def __getitem__(self, index: int | slice) -> str | LazyTexts:
        if isinstance(index, slice):
            return LazyTexts(self.paths[index], self.read)
        text: str = self.read(self.paths[index]).text
        return text
