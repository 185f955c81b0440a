"""Words of the factors, for the estimators."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from topicfactors.errors import ConfigurationError, InputError, unknown_name
from topicfactors.estimators.base import CountsEstimator
from topicfactors.insight.metrics import Company, c_v, diversity, npmi
from topicfactors.insight.topics import Factors, rank, shown, suppressed, top_columns, word_lists
from topicfactors.insight.word_order import word_order
from topicfactors.training.trainer import History
from topicfactors.values import is_whole

MEASURES = ("c_v", "npmi")
RANKING = "coherent"  # the default; benchmarks/rankings.md


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
            ``"coherent"``, ``"exclusive"``, ``"evidence"``, ``"frex"``, ``"lift"``,
            ``"probability"``, ``"relevance"`` or ``"weight"``; see
            :mod:`topicfactors.insight.topics`. ``"coherent"`` knows which words came together in
            the documents of ``fit``; after ``partial_fit`` it is ``"exclusive"`` until
            :meth:`order_words` was called.

        Returns
        -------
        list
            One list of (word, score) per factor.
        """
        return self._scored(shown(self.factors(), ranking), self._ranked(ranking, n_words))

    def order_words(self, X: Any) -> Self:
        """Learn from documents which words come together, for ``ranking="coherent"``.

        ``fit`` does it with its own documents; a model of ``partial_fit`` needs to be told, and any
        model may be told of other documents, more than it was fitted to. Nothing else changes.

        Parameters
        ----------
        X
            Counts ``(N, V)``, of which presence is read.

        Raises
        ------
        InputError
            When they are not counts of the model's words.
        """
        check_is_fitted(self)
        self._order_words(self._validate(X))
        return self

    def _order_words(self, counts: Any) -> None:
        self.word_order_ = None
        self.word_order_ = word_order(counts, self.factors())

    def _order_words_after(self, counts: Any, history: History) -> None:
        """The same after a training, which an interruption of it must not lose."""
        try:
            self._order_words(counts)
        except KeyboardInterrupt as interruption:
            history.interruption = history.interruption or interruption

    def suppressed_words(self, n_words: int = 10) -> list[list[tuple[str, float]]]:
        """The words that speak most against each factor, strongest first.

        Returns
        -------
        list
            One list of (word, score) per factor; the score is the evidence of one occurrence
            against the factor, in nats of log-odds. Fewer words where fewer speak against it.
        """
        self._check_words(n_words)
        scores = suppressed(self.factors())
        listed = self._scored(scores, top_columns(scores, n_words))
        return [[(word, score) for word, score in words if score > 0] for words in listed]

    def coherence(
        self, X: Any, n_words: int = 10, *, ranking: str = RANKING, measure: str = "npmi"
    ) -> NDArray[np.floating]:
        """How well every factor's top words go together in some documents, ``(D,)``.

        Parameters
        ----------
        X
            For ``"npmi"`` counts ``(N, V)``, of which presence is read. For ``"c_v"`` the documents
            as lists of words in their order, as ``DocumentVectorizer.tokenize`` gives them.
        n_words
            Words a factor.
        ranking
            As for :meth:`top_words`.
        measure
            ``"npmi"`` (Bouma, 2009), pairs never together −1; or ``"c_v"`` (Röder, Both and
            Hinneburg, 2015), gensim's, NaN where a word is in no document.

        Raises
        ------
        ConfigurationError
            When there is no such measure or ranking.
        InputError
            When ``X`` is not what the measure reads.
        """
        if measure not in MEASURES:
            raise unknown_name("measure", measure, MEASURES)
        columns = self._ranked(ranking, n_words)
        if measure == "npmi":
            return npmi(self._validate(X), columns)
        return c_v(_token_lists(X), word_lists(columns, self._words().tolist()))

    def diversity(self, n_words: int = 10, *, ranking: str = RANKING) -> float:
        """Share of different words among the ``n_words`` top words of all factors.

        They are those of :meth:`top_words` under the ``ranking``; 1 where no word comes twice.
        """
        return diversity(self._ranked(ranking, n_words))

    def _company(self) -> Company:
        """How often the ten words of each factor come together, of documents to be added."""
        return Company(self._ranked(RANKING, 10))

    def _ranked(self, ranking: str, n_words: int) -> NDArray[np.int64]:
        """Columns of the best words of each factor, ``(D, n_words)``."""
        self._check_words(n_words)
        return top_columns(rank(self.factors(), ranking), n_words)

    def _check_words(self, n_words: int) -> None:
        check_is_fitted(self)
        if not is_whole(n_words) or n_words < 1:
            raise ConfigurationError(
                f"n_words must be a whole number of 1 or more, got {n_words!r}"
            )

    def _scored(
        self, scores: NDArray[np.floating], columns: NDArray[np.int64]
    ) -> list[list[tuple[str, float]]]:
        """The words of columns ``(D, n)``, each with its score."""
        values = np.take_along_axis(scores, columns, 1)
        lists = word_lists(columns, self._words().tolist())
        return [
            list(zip(words, row.tolist(), strict=True))
            for words, row in zip(lists, values, strict=True)
        ]


def _token_lists(documents: Any) -> Iterator[list[str]]:
    """Documents as lists of words, or the error that says what came instead."""
    if isinstance(documents, str) or not isinstance(documents, Iterable):
        raise InputError(
            "c_v reads documents as lists of words, as DocumentVectorizer.tokenize gives them, got "
            f"a {type(documents).__name__}"
        )
    for row, words in enumerate(documents):
        if not isinstance(words, list | tuple):
            raise InputError(
                f"c_v reads documents as lists of words, got a {type(words).__name__} in row {row}"
            )
        yield list(words)
