"""Documents for the commands: texts or counts, from wherever the user names."""

from __future__ import annotations

import itertools
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from topicfactors.cli.console import note
from topicfactors.cli.covariates import told
from topicfactors.cli.readings import model_of
from topicfactors.corpus.columns import Columns
from topicfactors.corpus.count_readers import CountedCorpus, is_counts, read_counts
from topicfactors.corpus.documents import Document, Ledger
from topicfactors.corpus.lines import suffix_of
from topicfactors.corpus.readers import READERS, stream_documents
from topicfactors.corpus.store import is_store
from topicfactors.errors import CorpusWarning, InputError, nearest

BLOCK = 5000  # documents held at once
SHOWN = 5  # ids named in a message
NONE = Columns()


class Inputs:
    """Documents as the counts that a fitted pipeline reads, in blocks, with their ids.

    Parameters
    ----------
    run
        Where the pipeline is from, for messages.
    pipeline
        A vectorizer and a model, or a model that was fitted to counts.
    source
        What the user named.
    columns
        Which columns of a table hold what.
    known
        What the run was fitted with, for columns that are not named.
    strict
        Whether an empty document or a repeated id is an error.
    beside
        Further columns to be noted.

    Attributes
    ----------
    read
        Documents read so far.
    """

    def __init__(
        self,
        run: Path,
        pipeline: Any,
        source: str,
        columns: Columns,
        known: Columns = NONE,
        *,
        strict: bool = False,
        beside: Sequence[str] = (),
    ) -> None:
        self.source = source
        self.ledger, self.read = Ledger(strict), 0
        self.notes: list[str] = []
        self.watch: Callable[[Iterator[str]], Iterator[str]] = iter  # sees the texts pass
        self.counted_labels: list[str | None] | None = None
        self.vectorizer = vectorizer_of(pipeline)
        self.model = model_of(pipeline)
        stored = is_store(source)
        given = is_counts(source) or stored
        if self.vectorizer is None and not given:
            raise InputError(
                f"{run}: was fitted to counts and cannot read texts; give counts of the same words "
                "(.mtx, .npz, .svmlight or docword.NAME.txt), or fit a pipeline with a vectorizer"
            )
        if given and (columns != Columns() or strict):
            raise InputError(
                f"{source}: counts have no columns of texts and no empty texts; leave out "
                "--text-column, --id-column and --strict"
            )
        self.covariates = () if self.model.design_ is None else tuple(self.model.design_.names)
        if self.covariates and is_counts(source):
            raise InputError(
                f"{run}: was fitted with covariates {', '.join(map(repr, self.covariates))}, which "
                f"{source} does not hold; give the texts as a table that has these columns"
            )
        columns = columns._replace(covariates=(*self.covariates, *beside))
        self.documents = self.stored = None
        if stored:
            from topicfactors.cli.stored import Stored

            words, width = self._words(), self.model.n_features_in_
            self.stored = Stored(source, run, words, width, (*self.covariates, *beside))
            self.notes = self.stored.notes
        if not given:
            self.columns, self.documents = documents_of(source, columns, known)

    def blocks(self) -> Iterator[tuple[list[str], Any]]:
        """Ids and counts of some documents at a time, in their order."""
        if self.stored is not None:
            yield from self._stored_blocks(self.stored)
            return
        if self.documents is None:
            whole = self.counted()
            self.counted_labels = whole.labels
            for start in range(0, len(whole.ids), BLOCK):
                ids = whole.ids[start : start + BLOCK]
                self.read += len(ids)
                yield ids, whole.counts[start : start + BLOCK]
            return
        texts = self.watch(self.ledger.record(self.documents))
        while block := list(itertools.islice(texts, BLOCK)):
            self.read += len(block)
            yield self.ledger.ids[-len(block) :], self._observed(block)

    def _stored_blocks(self, stored: Any) -> Iterator[tuple[list[str], Any]]:
        if stored.store.labelled:
            self.counted_labels = labels = list[str | None]()
        for part in stored.parts(BLOCK):
            self.read += len(part.ids)
            if part.labels is not None:
                labels += part.labels
            known = part.columns
            chosen = {name: known[name] for name in self.covariates} if known else None
            try:
                yield part.ids, self.model._observed(part.counts, chosen)
            except InputError as error:
                begun = self.read - len(part.ids)
                raise InputError(f"{self.source}, from row {begun}: {error}") from error

    def _words(self) -> list[str] | None:
        """The words of the model, where they have names."""
        if self.vectorizer is not None:
            return list(map(str, self.vectorizer.get_feature_names_out()))
        named = getattr(self.model, "feature_names_in_", None)
        return None if named is None else list(map(str, named))

    @property
    def labels(self) -> list[str | None] | None:
        """Of the documents read so far, a list that grows with them; None where none has one."""
        if self.documents is None:
            return self.counted_labels
        known = self.ledger.labels
        return known if any(label is not None for label in known) else None

    def _observed(self, texts: list[str]) -> Any:
        """Counts of the texts read last, with their covariates."""
        known = told(self.ledger, self.source, self.covariates, last=len(texts))
        counts = self.vectorized(texts)
        try:
            return self.model._observed(counts, known)
        except InputError as error:
            begun = self.read - len(texts)
            place = f"{self.source}, from row {begun}" if begun else self.source
            raise InputError(f"{place}: {error}") from error

    def counted(self) -> CountedCorpus:
        """Counts read from a file, their columns checked against the words of the model."""
        if self.stored is not None:
            return self.stored.counted()
        words, width = getattr(self.model, "feature_names_in_", None), self.model.n_features_in_
        found = read_counts(self.source, columns=width)
        named = found.counts.feature_names is not None or words is not None
        self.notes = [note for note in found.notes if not (named and "by number" in note)]
        if found.counts.shape[1] != width:
            raise InputError(
                f"{self.source}: {found.counts.shape[1]} columns, and the run was fitted to "
                f"{width} words; give counts of the same words"
            )
        if found.counts.feature_names is None and words is not None:
            found.counts.feature_names = words
        return found

    def vectorized(self, texts: Iterable[str]) -> Any:
        """Counts of some texts; what is empty was noted by the ledger."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CorpusWarning)
            return self.vectorizer.transform(texts)

    def row(self, name: str) -> Any:
        """The counts ``(1, V)`` of the document with an id, in a file of counts or a store.

        Raises
        ------
        InputError
            When there is no such id.
        """
        some: list[str] = []
        for ids, counts in self.blocks():
            if name in ids:
                return counts[[ids.index(name)]]
            some += ids if len(some) < BLOCK else []
        raise _no_such_id(self.source, name, some, self.read)

    def report(self, quiet: bool) -> None:
        """Say what a user should know of how the documents were read."""
        for line in [*self.notes, *self.ledger.notes()]:
            note(f"note: {line}", quiet=quiet)


def documents_of(
    source: str, columns: Columns, known: Columns
) -> tuple[Columns, Iterator[Document]]:
    """Documents, and the columns they are read from: those named, else those of the fit.

    A table that has not the columns of the fit is read as any table is, and one without labels
    without them.
    """
    both = columns._replace(text=columns.text or known.text, id=columns.id or known.id)
    labelled = both if source == "-" else both._replace(label=columns.label or known.label)
    for tried in dict.fromkeys((labelled, both, columns)):
        documents = stream_documents(source, tried)
        try:
            begun = list(itertools.islice(documents, 1))
        except InputError:
            if tried == columns or source == "-":
                raise
            continue
        return tried, itertools.chain(begun, documents)
    raise AssertionError("the last that is tried returns or raises")


def vectorizer_of(pipeline: Any) -> Any:
    """The vectorizer of a pipeline, or None where there is none."""
    from sklearn.pipeline import Pipeline

    from topicfactors.corpus.vectorizer import DocumentVectorizer

    first = pipeline[0] if isinstance(pipeline, Pipeline) else None
    return first if isinstance(first, DocumentVectorizer) else None


def one_document(document: str, name: str | None, columns: Columns, known: Columns) -> Document:
    """A document that a user names: a text, a text file, ``-``, or an id in a corpus.

    Raises
    ------
    InputError
        When there is no such file or id, or it is a corpus and no id was named.
    """
    if name is not None:
        return _by_id(document, name, columns, known)
    if document == "-":
        from topicfactors.corpus.text import decode

        return Document(decode(sys.stdin.buffer.read())[0], document)
    if not document.strip():
        raise InputError("the text is empty; give a text file, '-', or a text in quotes")
    path = Path(document)
    if _exists(path):
        if path.is_file() and (suffix_of(document) == ".txt" or suffix_of(document) not in READERS):
            from topicfactors.corpus.folders import read_file

            read = read_file(path.parent, path)
            if read.problem is not None:
                raise InputError(f"{path}: {read.problem}; expected a text")
            return read
        raise InputError(f"{path}: holds many documents; name one of them with --id")
    if _like_a_path(document):
        raise InputError(f"{document}: no such file; give a text file, '-', or a text in quotes")
    return Document(document, document)


def _exists(path: Path) -> bool:
    """Is there something? A long text is no path, and no error."""
    try:
        return path.exists()
    except OSError:
        return False


def _like_a_path(document: str) -> bool:
    return not any(c.isspace() for c in document) and (
        "/" in document or Path(document).suffix not in ("", ".")
    )


def _by_id(corpus: str, name: str, columns: Columns, known: Columns) -> Document:
    ids = []
    for document in documents_of(corpus, columns, known)[1]:
        if document.id == name:
            return document
        ids.append(document.id)
    raise _no_such_id(corpus, name, ids)


def _no_such_id(
    corpus: str, name: str, ids: Sequence[str], number: int | None = None
) -> InputError:
    hint = nearest(name, ids) or f"; ids are such as {', '.join(ids[:SHOWN])}"
    many = len(ids) if number is None else number
    return InputError(f"{corpus}: none of {many:,} documents has the id {name!r}{hint}")
