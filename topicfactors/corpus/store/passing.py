"""Documents on their way into a store: cut into pieces, with what is noted of them kept in bounds.

A :class:`~topicfactors.corpus.documents.Ledger` keeps the ids of all documents; here they leave
with their piece.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from topicfactors.corpus.documents import Document, Problem, describe_problems, how_many
from topicfactors.corpus.store.shards import Described, cell
from topicfactors.corpus.text import without_surrogates
from topicfactors.errors import InputError

PIECE = 400_000  # characters that a process gets at once
EACH = 200  # added for each document: short ones have their price too
SHARD_CHARACTERS = 1 << 26  # after so many a shard ends, however few its documents
SHOWN = 3  # problems that are told one by one


class Piece(NamedTuple):
    """A few documents of one shard."""

    texts: list[str]
    known: Described
    source: str | None  # SHA-256 of the documents of the shard, where it ends here


class Passing:
    """Cuts a stream of documents into pieces and shards, and notes what a user should know.

    Parameters
    ----------
    documents
        Read once.
    shard_documents
        Documents of a shard, at most.
    strict
        Whether a document without a text is an error.

    Attributes
    ----------
    read
        Documents read so far.
    """

    def __init__(
        self, documents: Iterable[Document], shard_documents: int, strict: bool = False
    ) -> None:
        self.documents, self.shard_documents, self.strict = iter(documents), shard_documents, strict
        self.read = self.empty = 0
        self._problems: list[Problem] = []
        self._remarks: dict[str, tuple[int, str]] = {}  # how often, and the first id
        self._about: dict[str, None] = {}

    def skip(self, number: int) -> str | None:
        """Read so many documents; the SHA-256 of them, or None where there are fewer."""
        digest = hashlib.sha256()
        for _ in range(number):
            document = next(self.documents, None)
            if document is None:
                return None
            self._note(document)
            digest.update(_bytes_of(document))
        return digest.hexdigest()

    def pieces(self) -> Iterator[Piece]:
        """What is left, piece by piece."""
        digest, held, characters = hashlib.sha256(), 0, 0  # of the shard
        texts: list[str] = []
        known: list[Document] = []
        size = 0
        for document in self.documents:
            self._note(document)
            digest.update(_bytes_of(document))
            texts.append(document.text)
            known.append(document._replace(text=""))
            size += len(document.text) + EACH
            held, characters = held + 1, characters + len(document.text)
            full = held == self.shard_documents or characters >= SHARD_CHARACTERS
            if full or size > PIECE:
                yield Piece(texts, _described(known), digest.hexdigest() if full else None)
                texts, known, size = [], [], 0
            if full:
                digest, held, characters = hashlib.sha256(), 0, 0
        if held:
            yield Piece(texts, _described(known), digest.hexdigest())

    def notes(self) -> list[str]:
        """What a user should know of how the documents were read, a line each."""
        lines = list(self._about)
        if self.empty:
            lines.append(describe_problems(self._problems, total=self.empty))
        for note, (times, first) in self._remarks.items():
            lines.append(f"{how_many(times, 'document')} {note} (first: {first})")
        return lines

    def _note(self, document: Document) -> None:
        row = self.read
        self.read += 1
        if document.problem is not None:
            problem = Problem(row, without_surrogates(document.id), document.problem)
            self.empty += 1
            if len(self._problems) < SHOWN:
                self._problems.append(problem)
            if self.strict:
                raise InputError(
                    f"row {row} (id {' '.join(problem.id.split())}) {problem.reason}; mend it or "
                    "leave it out, or read without strict"
                )
        if document.note is not None:
            times, first = self._remarks.get(document.note, (0, document.id))
            self._remarks[document.note] = (times + 1, first)
        if document.remark is not None:
            self._about.setdefault(document.remark)


def _described(documents: list[Document]) -> Described:
    labels = [
        None if document.label is None else without_surrogates(document.label)
        for document in documents
    ]
    names = dict.fromkeys(name for document in documents for name in document.covariates)
    columns = {
        name: [cell(document.covariates.get(name)) for document in documents] for name in names
    }
    return Described([without_surrogates(d.id) for d in documents], labels, columns)


def _bytes_of(document: Document) -> bytes:
    """A document as bytes that no other has."""
    columns = [[name, cell(value)] for name, value in document.covariates.items()]
    beside = json.dumps([document.id, document.label, columns]).encode()
    text = document.text.encode("utf-8", "surrogatepass")
    return b"%d %d %s%s" % (len(text), len(beside), beside, text)
