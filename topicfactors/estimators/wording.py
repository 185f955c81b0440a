"""Words of the factors, for the estimators."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from topicfactors.errors import ConfigurationError
from topicfactors.estimators.base import CountsEstimator
from topicfactors.insight.metrics import diversity, npmi
from topicfactors.insight.topics import Factors, rank, top_columns, word_lists
from topicfactors.values import is_whole

RANKING = "exclusive"  # the default; benchmarks/rankings.md


class WordingMixin(CountsEstimator):
    """top_words, coherence and diversity of a fitted model."""

    def factors(self) -> Factors:
        """Everything that a ranking reads."""
        raise NotImplementedError

    def top_words(
        self, n_words: int = 10, *, ranking: str = RANKING
    ) -> list[list[tuple[str, float]]]:
        """The words that stand for each factor, best first.

        Parameters
        ----------
        n_words
            Words a factor.
        ranking
            ``"exclusive"``, ``"evidence"``, ``"weight"``, ``"probability"`` or ``"lift"``; see
            :mod:`topicfactors.insight.topics`.

        Returns
        -------
        list
            One list of (word, score) per factor.
        """
        scores, columns = self._ranked(ranking, n_words)
        values = np.take_along_axis(scores, columns, 1)
        lists = word_lists(columns, self._words().tolist())
        return [
            list(zip(words, row.tolist(), strict=True))
            for words, row in zip(lists, values, strict=True)
        ]

    def coherence(
        self, X: Any, n_words: int = 10, *, ranking: str = RANKING
    ) -> NDArray[np.floating]:
        """NPMI of every factor's top words, by presence in the documents of ``X``, ``(D,)``."""
        _, columns = self._ranked(ranking, n_words)
        return npmi(self._validate(X), columns)

    def diversity(self, n_words: int = 10, *, ranking: str = RANKING) -> float:
        """Share of different words among the top words of all factors."""
        return diversity(self._ranked(ranking, n_words)[1])

    def _ranked(self, ranking: str, n_words: int) -> tuple[NDArray[np.floating], NDArray[np.int64]]:
        """Scores ``(D, V)``, and the columns of the best words ``(D, n_words)``."""
        check_is_fitted(self)
        if not is_whole(n_words) or n_words < 1:
            raise ConfigurationError(
                f"n_words must be a whole number of 1 or more, got {n_words!r}"
            )
        scores = rank(self.factors(), ranking)
        return scores, top_columns(scores, n_words)
