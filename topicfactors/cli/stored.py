"""Documents of a store as the counts that a model reads, shard by shard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from topicfactors.corpus.count_readers import CountedCorpus
from topicfactors.corpus.matrix import CountsMatrix
from topicfactors.corpus.store import CountsStore
from topicfactors.errors import InputError, nearest


class Part(NamedTuple):
    """Some documents in a row."""

    ids: list[str]
    counts: CountsMatrix  # (n, V) of the model's words
    labels: list[str | None] | None
    columns: dict[str, list[Any]] | None


class Stored:
    """A store, with the words of a model.

    Parameters
    ----------
    source
        Its folder.
    run
        Where the model is from, for messages.
    words
        Those of the model; None where they have no names.
    width
        How many there are.
    covariates
        Columns that the model reads.

    Attributes
    ----------
    notes
        What a user should know of words that are not the model's.

    Raises
    ------
    StorageError
        When there is none, or it is not whole.
    InputError
        When it has none of the words, or not the columns.
    """

    def __init__(
        self,
        source: str,
        run: Path,
        words: Sequence[str] | None,
        width: int,
        covariates: Sequence[str] = (),
    ) -> None:
        self.store, self.words = CountsStore.open(source), words
        self.covariates = tuple(covariates)
        self.notes: list[str] = []
        for name in covariates:
            there = self.store.column_names
            if name not in there:
                listed = ", ".join(map(repr, there)) or "none"
                raise InputError(
                    f"{run}: was fitted with the covariate {name!r}, and {source} has no such "
                    f"column (it has {listed}); prepare it with --covariate {name}"
                    f"{nearest(name, there)}"
                )
        self.width = width
        self._places = self._matched(source, run)

    def parts(self, size: int) -> Iterator[Part]:
        """The documents in their order, so many at a time."""
        for number, documents in enumerate(self.store.sizes):
            counts, ids = self._fitting(self.store.shard(number)), self.store.ids(number)
            labels, known = self.store.labels(number), self.store.columns(number)
            for begin in range(0, documents, size):
                end = min(documents, begin + size)
                yield Part(
                    ids[begin:end],
                    counts[begin:end],
                    None if labels is None else labels[begin:end],
                    None
                    if not self.covariates or known is None
                    else {name: known[name][begin:end] for name in self.covariates},
                )

    def counted(self) -> CountedCorpus:
        """All of it at once."""
        parts = list(self.parts(max(1, len(self.store))))
        labels = [label for part in parts for label in part.labels or ()] or None
        counts = CountsMatrix(
            scipy.sparse.vstack([part.counts for part in parts], format="csr"),
            feature_names=parts[0].counts.feature_names,
        )
        known = {
            name: [value for part in parts for value in (part.columns or {})[name]]
            for name in self.covariates
        }
        ids = [name for part in parts for name in part.ids]
        return CountedCorpus(counts, ids, labels, self.notes, known or None)

    def _matched(self, source: str, run: Path) -> NDArray[np.int32] | None:
        """The column of the model of each word, -1 for none; None where they are the same."""
        own = self.store.feature_names
        if own is None or self.words is None:
            if self.store.shape[1] != self.width:
                raise InputError(
                    f"{source}: {self.store.shape[1]:,} columns, and {run} was fitted to "
                    f"{self.width:,} words; give counts of the same words"
                )
            return None
        if list(own) == list(self.words):
            return None
        known = {word: column for column, word in enumerate(self.words)}
        places = np.array([known.get(word, -1) for word in own], dtype=np.int32)
        found = int((places >= 0).sum())
        if not found:
            raise InputError(
                f"{source}: has none of the {self.width:,} words of {run}; prepare documents of "
                "its language and rules"
            )
        self.notes.append(
            f"{source} was counted by other words: {found:,} of its {len(own):,} are among the "
            f"{self.width:,} of the run, and the others are left out"
        )
        return places

    def _fitting(self, counts: CountsMatrix) -> CountsMatrix:
        """The same documents with the columns of the model."""
        if self._places is None:
            if counts.feature_names is None and self.words is not None:
                counts.feature_names = np.array(self.words, dtype=object)
            return counts
        columns = self._places[counts.indices]
        keep = columns >= 0
        before = np.concatenate([[0], np.cumsum(keep)])
        parts = (counts.data[keep], columns[keep], before[counts.indptr])
        shape = (counts.shape[0], self.width)
        found = CountsMatrix(parts, shape=shape, feature_names=self.words)
        found.sort_indices()
        return found
