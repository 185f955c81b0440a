"""Words of the factors, for the estimators."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from topicfactors.estimators.base import CountsEstimator
from topicfactors.insight.metrics import diversity, npmi
from topicfactors.insight.topics import Factors, rank, top_columns, word_lists

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
        check_is_fitted(self)
        scores = rank(self.factors(), ranking)
        columns = top_columns(scores, n_words)
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
        check_is_fitted(self)
        columns = top_columns(rank(self.factors(), ranking), n_words)
        return npmi(self._validate(X), columns)

    def diversity(self, n_words: int = 10, *, ranking: str = RANKING) -> float:
        """Share of different words among the top words of all factors."""
        check_is_fitted(self)
        return diversity(top_columns(rank(self.factors(), ranking), n_words))
