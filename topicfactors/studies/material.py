"""The documents of a comparison: checked, divided, and ready for every model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import ArrayLike, NDArray

from topicfactors.errors import InputError
from topicfactors.estimators.factor_model import BinaryFactorModel
from topicfactors.estimators.halves import halves
from topicfactors.peers.shelf import Shelf
from topicfactors.studies.wordings import Wordings

SPLIT = 0  # seed of the documents held out: they are the same for every seed of the fits


class Material:
    """Counts, with the tokens and the texts that they are of where these are known.

    Parameters
    ----------
    X, feature_names, tokens, texts
        As for :func:`topicfactors.studies.compare`.

    Raises
    ------
    InputError
        When the counts are no whole numbers, or the tokens or texts are not theirs.
    """

    def __init__(
        self,
        X: Any,
        feature_names: ArrayLike | None,
        tokens: Iterable[Sequence[str]] | None,
        texts: Iterable[str] | None,
    ) -> None:
        self.checks = BinaryFactorModel()
        counts = self.checks._counted(X, feature_names, None)
        self.words = [str(word) for word in self.checks._words()]
        check_whole(counts)
        self.counts = plain(counts)
        self.tokens = None if tokens is None else [list(words) for words in tokens]
        self.texts = None if texts is None else list(texts)
        check_rows(counts.shape[0], tokens=self.tokens, texts=self.texts)

    def divided(self, X_held_out: Any, share: float) -> tuple[Shelf, Wordings]:
        """What models see, and what their words are scored against: all that is trained on.

        A document without a word is none to a model.
        """
        held_texts = None
        if X_held_out is None:
            rows, kept = rows_of(self.counts.shape[0], share)
            held_out, held_texts = self.counts[kept], chosen(self.texts, kept)
        else:
            rows, held_out = np.arange(self.counts.shape[0]), self.checks._validate(X_held_out)
            check_whole(held_out, "X_held_out")
        shelf = self._shelf(rows, plain(held_out), held_texts)
        tokens = chosen(self.tokens, rows)
        return shelf, Wordings(self.counts[rows], self.words, tokens, shelf.held_out)

    def _shelf(
        self, rows: NDArray[np.int64], held_out: Any, held_texts: Sequence[str] | None
    ) -> Shelf:
        rows = rows[np.diff(self.counts.indptr)[rows] > 0]
        order = None
        if self.tokens is not None:
            order = chosen(columns_of(self.tokens, self.words, self.counts), rows)
        told = np.flatnonzero(np.diff(held_out.indptr) > 0)
        held_out = held_out[told]
        if (np.asarray(held_out.sum(axis=1)).ravel() < 2).all():
            raise InputError(
                "no held-out document has two tokens, of which one is to be predicted; give more "
                "documents, or longer ones as X_held_out"
            )
        seen, unseen = halves(held_out)
        return Shelf(
            self.counts[rows],
            held_out,
            plain(seen),
            plain(unseen),
            self.words,
            order,
            chosen(self.texts, rows),
            chosen(held_texts, told),
        )


def chosen(listed: Sequence[Any] | None, rows: NDArray[np.int64]) -> list[Any] | None:
    """Some rows of what is known, if it is."""
    return None if listed is None else [listed[row] for row in rows]


def plain(counts: Any) -> Any:
    """Counts as a plain CSR matrix of float64."""
    return scipy.sparse.csr_matrix(counts, dtype=np.float64)


def rows_of(documents: int, share: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows to train on and rows held out, always the same ones, in their order.

    >>> trained, held_out = rows_of(20, 0.1)
    >>> len(trained), len(held_out)
    (18, 2)
    """
    few = max(1, round(share * documents))
    if documents <= few:
        raise InputError(
            f"X has {documents} document, of which some are held out; give 2 or more, or X_held_out"
        )
    rows = np.random.default_rng(SPLIT).permutation(documents)
    return np.sort(rows[few:]), np.sort(rows[:few])


def columns_of(
    tokens: Sequence[Sequence[str]], words: Sequence[str], counts: Any
) -> list[NDArray[np.int64]]:
    """The columns of each document's tokens; words that are not counted have none.

    Raises
    ------
    InputError
        When they are not the tokens that were counted.
    """
    places = {word: column for column, word in enumerate(words)}
    found = [
        np.array([places[word] for word in listed if word in places], np.int64) for listed in tokens
    ]
    rows = np.repeat(np.arange(len(found)), [len(columns) for columns in found])
    columns = np.concatenate(found)
    again = scipy.sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), counts.shape)
    different = (again != plain(counts)).nonzero()[0]
    if len(different):
        raise InputError(
            f"tokens must be those that X counts, and row {different.min()} has others; take them "
            "from the vectorizer's own tokenize, or leave them out"
        )
    return found


def check_rows(documents: int, **lists: Sequence[Any] | None) -> None:
    """Refuse lists that have not a row for each document."""
    for name, rows in lists.items():
        if rows is not None and len(rows) != documents:
            raise InputError(
                f"{name} must have a row for each of the {documents} documents of X, got "
                f"{len(rows)}"
            )


def check_whole(counts: Any, name: str = "X") -> None:
    """Refuse counts that are no numbers of tokens."""
    broken = np.flatnonzero(counts.data != np.floor(counts.data))
    if len(broken):
        row = int(np.searchsorted(counts.indptr, broken[0], side="right")) - 1
        raise InputError(
            f"{name} must be whole numbers, as peers count tokens, got "
            f"{counts.data[broken[0]]:g} in row {row}; give counts rather than tf-idf"
        )
