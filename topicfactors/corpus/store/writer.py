"""Blocks of counts in, a store out: shards first, the manifest last."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import scipy.sparse

from topicfactors.corpus.store.finishing import Outcome, finish_addition, finish_new
from topicfactors.corpus.store.given import as_counts, as_words, described
from topicfactors.corpus.store.manifest import NAME, Shard
from topicfactors.corpus.store.reader import CountsStore
from topicfactors.corpus.store.shards import (
    Described,
    joined,
    part,
    shard_names,
    shard_of,
    write_counts,
    write_documents,
)
from topicfactors.corpus.store.statistics import Statistics
from topicfactors.corpus.store.unfinished import Workplace
from topicfactors.errors import InputError
from topicfactors.files import refuse_existing
from topicfactors.values import whole

if TYPE_CHECKING:
    from topicfactors.corpus.vectorizer import DocumentVectorizer

SHARD = 65_536  # documents


class StoreWriter:
    """Write blocks of counts into a store, in the order in which they come.

    The folder gets its name when all is written; until then there is one beside it whose name ends
    in ``.preparing``.

    Parameters
    ----------
    folder
        Where the store is to be.
    words
        The word of each column ``(V,)``. None takes those of the vectorizer, else those of the
        first block.
    vectorizer
        The fitted vectorizer that counts the texts, if there is one.
    shard_documents
        Documents of a shard: those that are in memory at once when the store is read.
    append
        Add to the store that is there; it keeps its words and its vectorizer.
    overwrite
        Replace a store that exists.

    Attributes
    ----------
    store
        What was written, opened; None until it is finished.

    Raises
    ------
    StorageError
        When something is there already, or nothing can be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with StoreWriter(f"{folder}/store", words=["steam", "engine"]) as writer:
    ...         writer.add([[1, 0], [0, 2]], ids=["a", "b"])
    ...     writer.store.shape, writer.store.ids(0)
    ((2, 2), ['a', 'b'])
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        words: Iterable[Any] | None = None,
        vectorizer: DocumentVectorizer | None = None,
        shard_documents: int = SHARD,
        append: bool = False,
        overwrite: bool = False,
    ) -> None:
        whole("shard_documents", shard_documents, 1)
        self.folder = Path(folder)
        before = CountsStore(self.folder) if append else None
        if before is None:
            refuse_existing(self.folder, overwrite, NAME)
        elif before.feature_names is not None:
            words, vectorizer = before.feature_names, None
        self.vectorizer, self.shard_documents = vectorizer, shard_documents
        names = words if vectorizer is None else vectorizer.get_feature_names_out()
        self.words: list[str] | None = None if names is None else as_words(names)
        self.place = Workplace(self.folder, None if before is None else len(before.sizes))
        self.place.enter({"written": "block by block"}, anew=overwrite)
        if self.place.new:  # what was not finished cannot go on: blocks come from anywhere
            shutil.rmtree(self.place.target, ignore_errors=True)
        self.shards: list[Shard] = []
        self.statistics = None if before is None else Statistics(before.shape[1])
        self.store: CountsStore | None = None
        self._counts: list[Any] = []
        self._known: list[Described] = []
        self._waiting, self._added = 0, 0 if before is None else len(before)
        self._labelled, self._columns = False, list[str]()

    def __enter__(self) -> StoreWriter:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None and self.store is None:
            self.finish()
        if kind is not None:
            self.discard()

    def add(
        self,
        counts: Any,
        ids: Sequence[Any] | None = None,
        labels: Sequence[str | None] | None = None,
        columns: Mapping[str, Sequence[Any]] | None = None,
    ) -> None:
        """Add some documents.

        Parameters
        ----------
        counts
            ``(n, V)``, sparse or an array; a CountsMatrix has its words with it.
        ids
            Their ids ``(n,)``; None numbers them from 0 through all blocks.
        labels, columns
            What else is known of each ``(n,)``.

        Raises
        ------
        InputError
            When a count is none, a word comes twice, or the columns or the numbers of things do
            not fit.
        """
        matrix = self._fitting(counts)
        size = matrix.shape[0]
        names = range(self._added, self._added + size) if ids is None else ids
        known = described(size, names, labels, columns or {})
        self._added += size
        begin = 0
        while begin < size:
            end = min(size, begin + self.shard_documents - self._waiting)
            self._counts.append(matrix[begin:end])
            self._known.append(part(known, begin, end))
            self._waiting += end - begin
            begin = end
            if self._waiting == self.shard_documents:
                self._write()

    def finish(self, notes: Sequence[str] = ()) -> CountsStore:
        """Write what is left and the manifest; the store, opened.

        Raises
        ------
        InputError
            When nothing was added.
        """
        self._write()
        if self.statistics is None or not self.shards:
            self.discard()
            raise InputError("there are no documents: expected at least one block of counts")
        facts = (self._labelled, self._columns, list(notes))
        outcome = Outcome(self.shards, self.statistics, *facts)
        try:
            if self.place.new:
                self.place.leave(lambda at: finish_new(at, outcome, self.words, self.vectorizer))
            else:
                self.place.leave(lambda at: finish_addition(at, outcome))
        finally:
            self.place.release()
        self.store = CountsStore(self.folder)
        return self.store

    def discard(self) -> None:
        """Leave nothing of what was written."""
        self.place.clear()

    def _fitting(self, counts: Any) -> Any:
        """A block as canonical CSR of the same columns as all others."""
        named = getattr(counts, "feature_names", None)
        matrix = as_counts(counts, self._added)
        if self.statistics is None:
            if self.words is None and named is not None:
                self.words = as_words(named)
            width = matrix.shape[1] if self.words is None else len(self.words)
            self.statistics = Statistics(width)
        width = len(self.statistics.totals)
        if matrix.shape[1] != width:
            raise InputError(
                f"from row {self._added}: counts of {matrix.shape[1]:,} words, expected {width:,}; "
                "every block must have the same columns"
            )
        if named is not None and self.words is not None and as_words(named) != self.words:
            raise InputError(
                f"from row {self._added}: the words of the columns are not those of the first block"
            )
        return matrix

    def _write(self) -> None:
        """Make a shard of what is waiting."""
        if not self._counts or self.statistics is None:
            return
        counts, known = scipy.sparse.vstack(self._counts, format="csr"), joined(self._known)
        number, folder = self.place.first + len(self.shards), self.place.target
        of_counts, of_documents = shard_names(number)
        write_counts(folder / of_counts, counts)
        write_documents(folder / of_documents, known)
        self.shards.append(shard_of(folder, number, counts))
        self.statistics.add(counts)
        self._labelled = self._labelled or any(label is not None for label in known.labels or ())
        self._columns += [name for name in known.columns if name not in self._columns]
        self._counts, self._known, self._waiting = [], [], 0
