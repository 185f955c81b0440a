"""Held-out scores: the same definitions for every estimator, the unigram always beside them."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from topicfactors.corpus.counts import Counts
from topicfactors.corpus.store.reader import CountsStore
from topicfactors.errors import ConfigurationError
from topicfactors.estimators.base import threads
from topicfactors.estimators.bounding import Measure
from topicfactors.estimators.halves import check_halves, halves
from topicfactors.estimators.measuring import MeasuringMixin
from topicfactors.estimators.observed import Observed
from topicfactors.estimators.parts import frequencies
from topicfactors.estimators.shards import (
    by_shard,
    columns_of,
    is_store,
    refuse_beside,
    shards_of,
)
from topicfactors.insight.metrics import Perplexity, perplexity
from topicfactors.values import is_whole


class Evaluation(NamedTuple):
    """How well some documents are predicted, and how well the unigram predicts them."""

    bound: str  # elbo, iwae, truncated, ais or exact; completion, which is no bound
    samples: int  # draws, chains or states of a document; 0 for all states
    temperatures: int  # of ais; 0 for the others
    log_prob: float  # mean bound on log p(x), or log p(unseen half | seen half), nats a document
    standard_error: float  # of log_prob, over documents
    perplexity: Perplexity  # of the unseen tokens where the bound is completion
    unigram: Perplexity  # of the training frequencies, on the same tokens


class Scored(NamedTuple):
    """Some documents, scored."""

    logs: NDArray[np.float64]  # (N,) nats
    unigram: NDArray[np.float64]  # (N,) log p(x) of the unigram
    lengths: NDArray[np.float64]  # (N,) tokens


def scored(model: Any, counts: Any, logs: NDArray[np.float64], measure: Measure) -> Scored:
    """Log-probabilities ``(N,)`` of counts as scores, the training unigram beside them.

    Where the measure is completion the counts are those of the unseen halves.
    """
    lengths = np.asarray(counts.sum(axis=1)).ravel()
    known = frequencies(model.word_totals_, model.document_frequency_, model.n_documents_)
    if measure.bound == "completion":
        unigram = counts @ known.shares().log().numpy()
    else:
        with threads(model.n_jobs), torch.no_grad():
            likelihood = copy.deepcopy(model._joint().likelihood).cpu().double()
            unigram = likelihood.unigram(Counts.from_scipy(counts), known).numpy()
    return Scored(logs, np.asarray(unigram), lengths)


def summed_up(parts: Sequence[Scored], measure: Measure) -> Evaluation:
    """Documents that were scored part by part, as one evaluation."""
    logs, unigram, lengths = (np.concatenate(each) for each in zip(*parts, strict=True))
    scores, plain = perplexity(logs, lengths), perplexity(unigram, lengths)
    error = float(logs.std()) / math.sqrt(len(logs))
    found = (measure.bound, measure.samples, measure.temperatures)
    return Evaluation(*found, float(logs.mean()), error, scores, plain)


class ScoringMixin(MeasuringMixin):
    """score, perplexity and evaluate, from the objective that ``fit`` has left."""

    word_totals_: NDArray[np.float64]
    document_frequency_: NDArray[np.float64]
    n_documents_: int

    @by_shard
    def score_samples(
        self,
        X: Any,
        *,
        covariates: Any = None,
        bound: str = "auto",
        samples: int | None = None,
        temperatures: int | None = None,
    ) -> Any:
        """Lower bound on log p(x) of every document (docs/scores.md says which to quote).

        Parameters
        ----------
        X, covariates
            Counts ``(N, V)``, and the covariates of the documents where the model has any.
        bound
            ``"exact"``: log p(x) itself, for at most 20 factors (10 under ``polya``).
            ``"truncated"``: the states that a search finds, whichever inference fitted the model;
            tighter with more of them. ``"elbo"`` and ``"iwae"`` (importance-weighted, tighter with
            more samples) of the encoder's posterior. ``"ais"``: annealed importance sampling,
            which asks no encoder, tighter with more chains and temperatures. ``"completion"``: no
            bound, but log p(unseen half | seen half) of a split that never changes. ``"own"``: the
            inference's own, exact where it is, truncated for ``"truncated"``, else the ELBO.
            ``"auto"``: the tightest affordable one, exact up to 12 factors (6 under ``polya``),
            above truncated where a search fitted the model, else the IWAE of 100 draws. An exact
            inference has no elbo, iwae or truncated bound but the exact one. All with hard factors
            but ``"smoothed-iwae"``, the importance-weighted bound over the smoothed bits of
            ``inference="dvae"`` at the β they were left with (and the continuous layers), which
            compares with published figures and not with hard bits. A document's score depends on
            its words and covariates only.
        samples
            Draws a document, or chains or states of it; None for 32 draws, 16 chains, or as many
            states as the inference looks for.
        temperatures
            Of ``"ais"``; None for 100.

        Returns
        -------
        ndarray
            float64 ``(N,)``, nats.

        Raises
        ------
        ConfigurationError
            When there is no such bound, or too many factors for ``"exact"``.
        InputError
            When counts are to be split in halves and are not whole numbers.
        """
        check_is_fitted(self)
        measure = self._resolved(bound, samples, temperatures)
        return self._logs(self._observed(X, covariates), measure)[0]

    def score(self, X: Any, y: object = None, *, covariates: Any = None) -> float:
        """Mean of the inference's own bound over counts ``X (N, V)``, nats a document.

        Higher is better; quick, and what early stopping watches. :meth:`evaluate` has the tightest
        bound. ``covariates`` are those of the documents, if the model has any.
        """
        return float(np.mean(self.score_samples(X, covariates=covariates, bound="own")))

    def perplexity(
        self,
        X: Any,
        *,
        covariates: Any = None,
        bound: str = "auto",
        samples: int | None = None,
        temperatures: int | None = None,
    ) -> float:
        """Per-document perplexity, exp(−mean log p(x)/tokens), over documents with words.

        Counts ``X (N, V)``, ``covariates``, ``bound``, ``samples`` and ``temperatures`` are those
        of :meth:`score_samples`; see :meth:`evaluate` for the name of the bound, the corpus
        perplexity, the standard error and the unigram.
        """
        asked: dict[str, Any] = {"bound": bound, "samples": samples, "temperatures": temperatures}
        return self.evaluate(X, covariates=covariates, **asked).perplexity.per_document

    def evaluate(
        self,
        X: Any,
        *,
        covariates: Any = None,
        bound: str = "auto",
        samples: int | None = None,
        temperatures: int | None = None,
        refine: int | str = "auto",
    ) -> Evaluation:
        """Perplexities under a bound, with those of the unigram on the same documents.

        Parameters
        ----------
        X, covariates
            Counts ``(N, V)``, and the covariates of the documents where the model has any.
        bound, samples, temperatures
            As for :meth:`score_samples`. Under ``"completion"`` the perplexities, and the
            unigram's, are of the unseen half of every document's tokens.
        refine
            Steps of coordinate ascent after the encoder's guess, for ``"elbo"`` and ``"iwae"``.
        """
        check_is_fitted(self)
        measure = self._resolved(bound, samples, temperatures, refine)
        if is_store(X):
            refuse_beside(covariates, "covariates")
            return self._evaluated_by_shard(X, measure)
        return self._evaluated(self._observed(X, covariates), measure)

    def iwae_curve(
        self,
        X: Any,
        samples: Sequence[int] = (1, 10, 100, 1000),
        *,
        covariates: Any = None,
    ) -> list[Evaluation]:
        """The importance-weighted bound for several numbers of draws K, all from the same draws.

        The most draws are made once; for a smaller K they are taken K at a time, and the bounds of
        those groups averaged. How fast the curve still rises says how far it is below log p(x).

        Parameters
        ----------
        X, covariates
            Counts ``(N, V)``, and the covariates of the documents where the model has any.
        samples
            Every K; each is to divide the largest, or some draws go unused.

        Returns
        -------
        list of Evaluation
            One for each K, in their order; K = 1 is the ELBO.

        Raises
        ------
        ConfigurationError
            When ``samples`` is empty or has something else than whole numbers of 1 or more.
        """
        check_is_fitted(self)
        if not len(samples) or not all(is_whole(each) and each >= 1 for each in samples):
            raise ConfigurationError(
                f"samples must be some whole numbers of 1 or more, got {samples!r}"
            )
        counts = self._observed(X, covariates)
        curve = self._importance_curve(counts, samples)
        measures = [Measure("iwae", k) for k in samples]
        pairs = zip(curve, measures, strict=True)
        return [summed_up([scored(self, counts, logs, one)], one) for logs, one in pairs]

    def completion_perplexity(
        self,
        X_seen: Any,
        X_unseen: Any,
        *,
        covariates: Any = None,
        samples: int | None = None,
    ) -> float:
        """Perplexity of unseen tokens given the others of the same documents.

        Parameters
        ----------
        X_seen, X_unseen
            Counts ``(N, V)`` of the two parts of every document, row by row.
            ``evaluate(X, bound="completion")`` splits documents by itself.
        covariates
            Those of the documents, where the model has any.
        samples
            Draws from the posterior of the seen part, or states of it, over which word
            probabilities are averaged; None as in :meth:`score_samples`.

        Returns
        -------
        float
            exp(−Σ log p / Σ unseen tokens).

        Raises
        ------
        InputError
            When the two parts have different numbers of rows, or nothing is unseen.
        """
        check_is_fitted(self)
        measure = self._resolved("completion", samples)
        seen, unseen = self._observed(X_seen, covariates), self._validate(X_unseen)
        check_halves(seen, unseen)
        total = self._completed(seen, unseen, measure.samples).sum()
        return float(np.exp(-total / unseen.sum()))

    def _logs(self, counts: Any, measure: Measure) -> tuple[NDArray[np.float64], Any]:
        """The score of every document, ``(N,)`` nats, and the counts that are scored."""
        self._joint().prior.refresh()
        if measure.bound != "completion":
            return self._log_prob(counts, measure), counts
        seen, unseen = halves(counts)
        seen = Observed(seen, covariates=counts.covariates)
        return self._completed(seen, unseen, measure.samples), unseen

    def _scores_of(self, counts: Any, measure: Measure) -> Scored:
        """Scores beside those of the unigram of the training counts."""
        logs, unseen = self._logs(counts, measure)
        return scored(self, unseen, logs, measure)

    def _evaluated(self, counts: Any, measure: Measure) -> Evaluation:
        return summed_up([self._scores_of(counts, measure)], measure)

    def _evaluated_by_shard(self, store: CountsStore, measure: Measure) -> Evaluation:
        """The same of documents that are on disk; a few numbers of each are kept."""
        parts = []
        for counts, table in shards_of(store, columns_of(self)):
            parts.append(self._scores_of(self._observed(counts, table), measure))
        return summed_up(parts, measure)
