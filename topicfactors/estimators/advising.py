"""What a classifier tells: words of its classes, calibration, what to label next."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr
from sklearn.utils.validation import check_is_fitted

from topicfactors.errors import InputError, unknown_name
from topicfactors.estimators.class_learning import ClassLearningMixin
from topicfactors.estimators.labels import read_labels
from topicfactors.estimators.wording import RANKING
from topicfactors.insight.calibration import Reliability, reliability
from topicfactors.insight.topics import Factors, rank, shown, top_columns
from topicfactors.model.initial import clustered
from topicfactors.values import whole

WIDER = 10  # times as many documents as are asked for, among which they are spread


def _entropy(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """−Σ p log p, ``(N,)`` nats."""
    return np.asarray(entr(probabilities).sum(1))


def _margin(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """How near the second class is to the first, ``(N,)``."""
    ordered = np.sort(probabilities, axis=1)
    return np.asarray(ordered[:, -2] - ordered[:, -1])


def _doubt(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """One minus the probability of the best class, ``(N,)``."""
    return np.asarray(1 - probabilities.max(1))


STRATEGIES = {"doubt": _doubt, "entropy": _entropy, "margin": _margin}


class AdvisingMixin(ClassLearningMixin):
    """top_words_of_classes, most_informative, calibration."""

    def top_words_of_classes(
        self, n_words: int = 10, *, ranking: str = RANKING
    ) -> dict[Any, list[tuple[str, float]]]:
        """The words that stand for each class, best first, as (word, score).

        With several components a class, these are of all of them together; ``top_words`` has each
        by itself.

        Parameters
        ----------
        n_words
            Words a class.
        ranking
            As for :meth:`BinaryFactorModel.top_words`.
        """
        self._check_words(n_words)
        found = self._classes_as_factors()
        columns = top_columns(rank(found, ranking), n_words)
        listed = self._scored(shown(found, ranking), columns)
        return dict(zip(self.classes_.tolist(), listed, strict=True))

    def _classes_as_factors(self) -> Factors:
        """Components of one class put together, as they share its documents."""
        every, weights = self.factors(), self.weights_.astype(np.float64)
        own = np.arange(len(self.classes_))[:, None] == self.class_of_component_
        shares = own * weights
        shares = shares / shares.sum(1, keepdims=True)
        words = shares @ every.on
        loadings = np.log(words) - np.log(every.background)
        told = self._told(loadings, np.asarray(every.background, np.float64))
        return every._replace(
            loadings=loadings, on=words, prevalence=own @ every.prevalence, log_odds=told
        )

    def most_informative(
        self, X: Any, n: int = 10, *, strategy: str = "margin", spread: bool = True
    ) -> NDArray[np.int64]:
        """Rows of the documents that are worth a label next, ``(n,)``, the best first.

        Parameters
        ----------
        X
            Counts ``(N, V)`` of documents without a label.
        n
            How many.
        strategy
            ``"margin"`` (the two best classes are nearly as probable), ``"entropy"`` or ``"doubt"``
            (the best class is improbable).
        spread
            Take them from different clusters of the ten times as many that come first, so that
            they are not ten times the same question.

        Raises
        ------
        InputError
            When there are fewer than ``n`` documents with words.
        ConfigurationError
            When there is no such strategy, or ``n`` is not a whole number of 1 or more.
        """
        check_is_fitted(self)
        whole("n", n, 1)
        if strategy not in STRATEGIES:
            raise unknown_name("strategy", strategy, STRATEGIES)
        counts = self._observed(X)
        with_words = np.flatnonzero(np.diff(counts.indptr) > 0)
        if len(with_words) < n:
            raise InputError(
                f"X has {len(with_words)} documents with words, fewer than n={n}; ask for fewer"
            )
        logs = self._log_classes(self._evidence(counts[with_words]))
        worth = STRATEGIES[strategy](np.exp(logs))
        order = np.argsort(-worth, kind="stable")
        if not spread or n == 1:
            return np.asarray(with_words[order[:n]])
        first = order[: WIDER * n]
        groups = clustered(counts[with_words[first]].astype(np.float64), n, 0)
        _, leaders = np.unique(groups, return_index=True)  # the worthiest of each cluster
        others = np.setdiff1d(np.arange(len(first)), leaders)
        chosen = np.concatenate([np.sort(leaders), others])[:n]
        return np.asarray(with_words[first[chosen]])

    def calibration(self, X: Any, y: Any, *, bins: int = 10) -> Reliability:
        """Whether the probabilities of ``predict_proba`` are true on documents with labels.

        Parameters
        ----------
        X
            Counts ``(N, V)``.
        y
            Their classes, ``(N,)``; those without one are left out.
        bins
            Of equal width.
        """
        check_is_fitted(self)
        whole("bins", bins, 1)
        counts = self._observed(X)
        codes = read_labels(y, counts.shape[0], self.classes_).codes
        rows = np.flatnonzero(codes >= 0)
        logs = self._log_classes(self._evidence(counts[rows]))
        return reliability(np.exp(logs), codes[rows], bins)
