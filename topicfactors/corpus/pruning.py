"""Which columns of counts are kept: CountVectorizer's bounds on document frequency."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from topicfactors.corpus.documents import how_many
from topicfactors.errors import ConfigurationError, InputError
from topicfactors.values import is_number, is_whole


class Pruning(NamedTuple):
    """Bounds in documents (int) or as a share of them (float); at most so many words."""

    min_df: float
    max_df: float
    max_features: int | None

    def check(self) -> None:
        """Refuse what is no bound.

        Raises
        ------
        ConfigurationError
            With what is allowed.
        """
        for name in ("min_df", "max_df"):
            value = getattr(self, name)
            share = is_number(value) and not is_whole(value) and 0.0 <= value <= 1.0
            if not share and not (is_whole(value) and value >= 1):
                raise ConfigurationError(
                    f"{name} must be a whole number of documents (1 or more) or a share between "
                    f"0.0 and 1.0, got {value!r}"
                )
        most = self.max_features
        if most is not None and not (is_whole(most) and most >= 1):
            raise ConfigurationError(f"max_features must be a whole number above 0, got {most!r}")

    def columns(self, counts: Any) -> NDArray[np.int64]:
        """Columns of counts ``(N, V)`` within the bounds, the most frequent, ascending."""
        each = np.bincount(counts.indices, minlength=counts.shape[1])
        columns = self.within(each, counts.shape[0])
        if self.max_features is not None and len(columns) > self.max_features:
            columns = self.most_frequent(columns, np.asarray(counts.sum(axis=0)).ravel())
        return columns

    def within(self, each: NDArray[np.int64], documents: int) -> NDArray[np.int64]:
        """Words within the bounds, ascending; ``each (V,)`` of them in so many documents."""
        keep = each >= _documents(self.min_df, documents)
        keep &= each <= _documents(self.max_df, documents)
        return np.flatnonzero(keep)

    def most_frequent(self, columns: NDArray[np.int64], totals: NDArray[Any]) -> NDArray[np.int64]:
        """Those that come most often, ascending; of those that come alike the first."""
        order = np.argsort(-totals[columns], kind="stable")
        return np.sort(columns[order[: self.max_features]])

    def nothing_left(self, documents: int, words: int) -> InputError:
        """The error for a corpus of which no word is kept."""
        if _documents(self.min_df, documents) > _documents(self.max_df, documents):
            return InputError(
                f"no word can be kept: min_df={self.min_df} asks for more documents than "
                f"max_df={self.max_df} allows, of {documents:,}; lower min_df, or raise max_df"
            )
        return InputError(
            f"none of {how_many(words, 'word')} is left: min_df={self.min_df} and "
            f"max_df={self.max_df} leave out all of them; lower min_df, raise max_df, or give more "
            f"than {how_many(documents, 'document')}"
        )


def _documents(bound: float, documents: int) -> float:
    return bound if is_whole(bound) else bound * documents
