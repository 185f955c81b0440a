"""What a classifier tells: words of its classes, calibration, what to label next."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from scipy.special import entr
from sklearn.preprocessing import normalize
from sklearn.utils.validation import check_is_fitted

from topicfactors.errors import ConfigurationError, InputError, unknown_name
from topicfactors.estimators.class_learning import ClassLearningMixin
from topicfactors.estimators.contrasting import ContrastingMixin
from topicfactors.estimators.labels import read_labels
from topicfactors.estimators.observed import Observed
from topicfactors.estimators.wording import RANKING
from topicfactors.insight.calibration import Reliability, reliability
from topicfactors.insight.contrasts import Scores
from topicfactors.insight.topics import Factors, rank, shown, top_columns
from topicfactors.model.initial import clustered
from topicfactors.values import whole

REPRESENTATIVE = "representative"


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


def likeness(evidence: Any, groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """Cosine of every document ``(N, V)`` with the mean of its group, ``(N,)``."""
    unit = normalize(evidence)
    members = scipy.sparse.csr_matrix(
        (np.ones(len(groups)), (groups, np.arange(len(groups)))),
        shape=(int(groups.max()) + 1, len(groups)),
    )
    centres = normalize(members @ unit)
    return np.asarray(unit.multiply(centres[groups]).sum(1)).ravel()


STRATEGIES = {"doubt": _doubt, "entropy": _entropy, "margin": _margin}


class AdvisingMixin(ClassLearningMixin, ContrastingMixin):
    """top_words_of_classes, most_informative, calibration, explain."""

    _noun = "class"

    def _logs(self, evidence: Observed) -> NDArray[np.float64]:
        return self._log_classes(evidence)

    def _stands_for(self, n_words: int) -> list[list[tuple[str, float]]]:
        return list(self.top_words_of_classes(n_words).values())

    def _called(self) -> list[int | str]:
        return [str(label) for label in self.classes_]

    def _scores(self, evidence: Observed) -> list[Scores]:
        """The parts of what ``predict`` compares, divided by the temperature."""
        recognition = self.objective_.recognition
        if recognition is None:
            found = super()._scores(evidence)
            if self.components_per_class > 1 or self.n_factors:
                raise ConfigurationError(
                    "explain takes the recognition classifier apart, or one component a class; "
                    "with discriminative_weight=0 use components_per_class=1 and n_factors=0"
                )
        else:
            slopes = recognition.weight.cpu().numpy()
            bias, none = recognition.bias.cpu().numpy(), np.zeros(len(slopes))
            rows = (evidence[row] for row in range(evidence.shape[0]))
            found = [Scores(bias, none, slopes[:, part.indices] * part.data) for part in rows]
        return [Scores(*(part / self.temperature_ for part in each)) for each in found]

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

    def top_words_of_factors(self, n_words: int = 10) -> list[list[tuple[str, float]]]:
        """The words that stand for each factor that the classes share, ``n_words``, best first.

        Ranked by evidence; one list of (word, nats) a factor.

        Raises
        ------
        ConfigurationError
            When the model has no factors.
        """
        self._check_words(n_words)
        factors, every = self._factors(), self.factors()
        if factors == 0:
            raise ConfigurationError(
                "this classifier has no factors of its own; fit with n_factors above 0, or read "
                "top_words_of_classes"
            )
        loadings = self._joint().decoder.loadings()[:factors].cpu().double().numpy()
        told = self._told(loadings, np.asarray(every.background, np.float64))
        scores = rank(every._replace(loadings=loadings, log_odds=told), "evidence")
        return self._scored(scores, top_columns(scores, n_words))

    def _classes_as_factors(self) -> Factors:
        """Components of one class put together, as they share its documents."""
        every, weights = self.factors(), self.weights_.astype(np.float64)
        own = np.arange(len(self.classes_))[:, None] == self.class_of_component_
        shares = own * weights
        shares = shares / shares.sum(1, keepdims=True)
        words = shares @ every.on
        loadings = np.log(words) - np.log(every.background)
        told = self._told(loadings, np.asarray(every.background, np.float64))
        order = every.order if self.components_per_class == 1 else None
        known = (every.background, every.document_frequency, own @ every.prevalence)
        return Factors(loadings, words, *known, told, order)

    def most_informative(
        self, X: Any, n: int = 10, *, strategy: str = "representative"
    ) -> NDArray[np.int64]:
        """Rows of the documents that are worth a label next, ``(n,)``, the best first.

        Parameters
        ----------
        X
            Counts ``(N, V)`` of documents without a label.
        n
            How many.
        strategy
            ``"representative"``: one from each of ``n`` clusters of the documents, the one whose
            likeness to its cluster, times the root of how near the second class is to the first,
            is greatest (information density; Settles and Craven, 2008). Or doubt alone:
            ``"margin"`` (the two best classes are nearly as probable), ``"entropy"`` or ``"doubt"``
            (the best class is improbable), which ask for what is odd as well.
            benchmarks/few_labels.md compares them with chance.

        Raises
        ------
        InputError
            When there are fewer than ``n`` documents with words.
        ConfigurationError
            When there is no such strategy, or ``n`` is not a whole number of 1 or more.
        """
        check_is_fitted(self)
        whole("n", n, 1)
        if strategy not in (REPRESENTATIVE, *STRATEGIES):
            raise unknown_name("strategy", strategy, (REPRESENTATIVE, *STRATEGIES))
        counts = self._observed(X)
        rows = np.flatnonzero(np.diff(counts.indptr) > 0)
        if len(rows) < n:
            raise InputError(
                f"X has {len(rows)} documents with words, fewer than n={n}; ask for fewer"
            )
        evidence = self._evidence(counts[rows])
        probabilities = np.exp(self._log_classes(evidence))
        if strategy != REPRESENTATIVE:
            worth = STRATEGIES[strategy](probabilities)
            return np.asarray(rows[np.argsort(-worth, kind="stable")[:n]])
        groups = clustered(counts[rows].astype(np.float64), n, 0)
        worth = likeness(evidence, groups) * np.sqrt(1 + _margin(probabilities))
        order = np.argsort(-worth, kind="stable")
        _, first = np.unique(groups[order], return_index=True)  # the worthiest of each cluster
        others = np.setdiff1d(np.arange(len(order)), first)
        return np.asarray(rows[order[np.concatenate([np.sort(first), others])[:n]]])

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
