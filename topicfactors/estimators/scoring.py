"""Held-out scores: the same definitions for every estimator, the unigram always beside them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from topicfactors.contracts import CountBatch
from topicfactors.corpus.counts import Counts
from topicfactors.errors import ConfigurationError, InputError, unknown_name
from topicfactors.estimators.base import CountsEstimator, threads
from topicfactors.inference import bounds
from topicfactors.inference.noise import document_keys, document_noise
from topicfactors.insight.metrics import Perplexity, perplexity, unigram_log_prob
from topicfactors.training.batches import in_order
from topicfactors.values import is_whole

ENUMERABLE = 20  # most factors for which log p(x) is summed exactly
BLOCK = 2**24  # floats of a table of states that are held at once
BOUNDS = ("elbo", "exact", "iwae")


class Evaluation(NamedTuple):
    """How well some documents are predicted, and how well the unigram predicts them."""

    bound: str  # elbo, iwae or exact
    samples: int  # draws a document; 0 where nothing is drawn
    log_prob: float  # mean bound on log p(x), nats a document
    perplexity: Perplexity
    unigram: Perplexity  # of the training frequencies


class ScoringMixin(CountsEstimator):
    """score, perplexity and evaluate, from the objective that ``fit`` has left."""

    word_totals_: NDArray[np.float64]

    def score_samples(self, X: Any, *, bound: str = "elbo", samples: int = 32) -> Any:
        """Lower bound on log p(x) of every document.

        Parameters
        ----------
        X
            Counts ``(N, V)``.
        bound
            ``"elbo"``, ``"iwae"`` (importance-weighted, tighter with more samples) or ``"exact"``
            (log p(x) itself, for at most 20 factors). All with hard factors; the noise of a
            document depends on its words only.
        samples
            Draws a document.

        Returns
        -------
        ndarray
            float64 ``(N,)``, nats.

        Raises
        ------
        ConfigurationError
            When there is no such bound, or too many factors for ``"exact"``.
        """
        check_is_fitted(self)
        self._check_bound(bound, samples)
        return self._log_prob(self._validate(X), bound, samples)

    def score(self, X: Any, y: object = None) -> float:
        """Mean ELBO of the documents, nats a document; higher is better."""
        return float(np.mean(self.score_samples(X)))

    def perplexity(self, X: Any, *, bound: str = "elbo", samples: int = 32) -> float:
        """Per-document perplexity, exp(−mean log p(x)/tokens), over documents with words.

        See :meth:`score_samples` for the bounds and :meth:`evaluate` for the corpus perplexity,
        standard error and unigram.
        """
        return self.evaluate(X, bound=bound, samples=samples).perplexity.per_document

    def evaluate(self, X: Any, *, bound: str = "elbo", samples: int = 32) -> Evaluation:
        """Perplexities under a bound, with those of the unigram on the same documents."""
        check_is_fitted(self)
        self._check_bound(bound, samples)
        return self._evaluated(self._validate(X), bound, samples, self.word_totals_)

    def completion_perplexity(self, X_seen: Any, X_unseen: Any, *, samples: int = 32) -> float:
        """Perplexity of unseen tokens given the others of the same documents.

        Parameters
        ----------
        X_seen, X_unseen
            Counts ``(N, V)`` of the two parts of every document, row by row.
        samples
            Draws from the posterior of the seen part over which word probabilities are averaged.

        Returns
        -------
        float
            exp(−Σ log p / Σ unseen tokens).
        """
        check_is_fitted(self)
        _check_samples(samples)
        seen, unseen = self._validate(X_seen), self._validate(X_unseen)
        if seen.shape[0] != unseen.shape[0]:
            raise InputError(
                f"X_seen and X_unseen must have the same documents, got {seen.shape[0]} and "
                f"{unseen.shape[0]} rows"
            )
        if unseen.sum() == 0:
            raise InputError("X_unseen has no tokens; expected counts above 0 to predict")
        device, total = self._device(), 0.0
        other = Counts.from_scipy(unseen, device)
        with threads(self.n_jobs), torch.no_grad():
            self.objective_.eval()
            for batch in in_order(Counts.from_scipy(seen, device), self._rows("completion")):
                target, q = self.objective_.condition(batch)
                noise = self._noise(batch.counts, samples)
                words = other.select(batch.rows)
                total += float(bounds.completion(target, q, words, samples, noise).double().sum())
        return float(np.exp(-total / unseen.sum()))

    def _evaluated(
        self, counts: Any, bound: str, samples: int, totals: NDArray[np.float64]
    ) -> Evaluation:
        """Scores beside those of the unigram with these word totals."""
        logs = self._log_prob(counts, bound, samples)
        lengths = np.asarray(counts.sum(axis=1)).ravel()
        unigram = perplexity(unigram_log_prob(totals, counts), lengths)
        drawn = 0 if bound == "exact" or self._enumerates() else samples
        return Evaluation(bound, drawn, float(logs.mean()), perplexity(logs, lengths), unigram)

    def _log_prob(self, counts: Any, bound: str, samples: int) -> NDArray[np.float64]:
        batches = in_order(Counts.from_scipy(counts, self._device()), self._rows(bound))
        return np.concatenate([self._bound(batch, bound, samples) for batch in batches])

    def _bound(self, batch: Any, bound: str, samples: int) -> NDArray[np.float64]:
        with threads(self.n_jobs), torch.no_grad():
            self.objective_.eval()
            target, q = self.objective_.condition(batch)
            if bound == "exact" or self._enumerates():
                result = bounds.exact(target)
            else:
                method = bounds.elbo if bound == "elbo" else bounds.iwae
                result = method(target, q, samples, self._noise(batch.counts, samples))
        return np.asarray(result.double().cpu().numpy())

    def _noise(self, counts: CountBatch, samples: int) -> torch.Tensor:
        return document_noise(document_keys(counts), samples, self._factors())

    def _rows(self, bound: str) -> int:
        """Documents a batch: few where each needs a table of states."""
        if bound == "exact" or self._enumerates():
            return max(1, BLOCK >> self._factors())
        return 512

    def _check_bound(self, bound: str, samples: int) -> None:
        if bound not in BOUNDS:
            raise unknown_name("bound", bound, BOUNDS)
        _check_samples(samples)
        if bound == "exact" and self._factors() > ENUMERABLE:
            raise ConfigurationError(
                f"bound='exact' sums over 2^D states and serves at most {ENUMERABLE} factors, "
                f"this model has {self._factors()}; use bound='iwae'"
            )


def _check_samples(samples: object) -> None:
    if not is_whole(samples) or samples < 1:
        raise ConfigurationError(f"samples must be a whole number of 1 or more, got {samples!r}")
