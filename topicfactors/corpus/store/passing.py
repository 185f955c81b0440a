"""Documents on their way into a store: cut into pieces, with what is noted of them kept in bounds.

A :class:`~topicfactors.corpus.documents.Ledger` keeps the ids of all documents; here they leave
with their piece.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from topicfactors.corpus.documents import Document, Problem, describe_problems, how_many
from topicfactors.corpus.store.shards import Described, cell
from topicfactors.corpus.text import without_surrogates
from topicfactors.errors import InputError

PIECE = 400_000  # characters that a process gets at once
EACH = 200  # added for each document: short ones have their price too
SHARD_CHARACTERS = 1 << 26  # after so many a shard ends, however few its documents
SHOWN = 3  # problems that are told one by one
PLAIN = (None, None, None)  # problem, note and remark of most documents


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
    pieces
        What is left of them, piece by piece.
    """

    def __init__(
        self, documents: Iterable[Document], shard_documents: int, strict: bool = False
    ) -> None:
        self.documents, self.shard_documents, self.strict = iter(documents), shard_documents, strict
        self.read = self.empty = 0
        self._problems: list[Problem] = []
        self._remarks: dict[str, tuple[int, str]] = {}  # how often, and the first id
        self._about: dict[str, None] = {}
        self.pieces = self._cut()

    def skip(self) -> str | None:
        """Read the documents of a shard and pass over them; the SHA-256 of them, None for none."""
        for piece in self.pieces:
            if piece.source is not None:
                return piece.source
        return None

    def _cut(self) -> Iterator[Piece]:
        digest, held, characters = hashlib.sha256(), 0, 0  # of the shard
        texts: list[str] = []
        known: list[Document] = []
        size = 0
        for document in self.documents:
            if document[4:] != PLAIN:
                self._note(document)
            self.read += 1
            texts.append(document.text)
            known.append(document)
            length = len(document.text)
            held, characters, size = held + 1, characters + length, size + length + EACH
            full = held == self.shard_documents or characters >= SHARD_CHARACTERS
            if full or size > PIECE:
                described = _described(known)
                _include(digest, texts, described)
                yield Piece(texts, described, digest.hexdigest() if full else None)
                texts, known, size = [], [], 0
            if full:
                digest, held, characters = hashlib.sha256(), 0, 0
        if held:
            described = _described(known)
            _include(digest, texts, described)
            yield Piece(texts, described, digest.hexdigest())

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
    ids = [without_surrogates(document.id) for document in documents]
    labels = [
        None if document.label is None else without_surrogates(document.label)
        for document in documents
    ]
    names = dict.fromkeys(itertools.chain.from_iterable(d.covariates for d in documents))
    columns = {
        name: [cell(document.covariates.get(name)) for document in documents] for name in names
    }
    return Described(ids, labels, columns)


def _include(digest: Any, texts: list[str], known: Described) -> None:
    """Hash a piece, as bytes that no other has."""
    lengths = [len(text) for text in texts]
    digest.update(json.dumps([lengths, *known]).encode())
    digest.update("".join(texts).encode("utf-8", "surrogatepass"))
