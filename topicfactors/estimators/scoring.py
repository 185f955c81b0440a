"""Held-out scores: the same definitions for every estimator, the unigram always beside them."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from topicfactors.contracts import CountBatch
from topicfactors.corpus.counts import Counts
from topicfactors.errors import ConfigurationError, InputError, unknown_name
from topicfactors.estimators.base import threads
from topicfactors.estimators.parts import frequencies
from topicfactors.estimators.posteriors import PosteriorMixin
from topicfactors.estimators.smoothed import AT_ONCE, SMOOTHED, check_bound, smoothed
from topicfactors.inference import bounds
from topicfactors.inference.noise import document_keys, document_noise
from topicfactors.insight.metrics import Perplexity, perplexity
from topicfactors.training.batches import in_order
from topicfactors.values import is_whole

DRAWS = 32  # a document, where the user leaves it to the package
BOUNDS = ("auto", "elbo", "exact", "iwae", SMOOTHED, "truncated")


class Evaluation(NamedTuple):
    """How well some documents are predicted, and how well the unigram predicts them."""

    bound: str  # elbo, iwae, truncated or exact
    samples: int  # draws a document, or states; 0 for all states
    log_prob: float  # mean bound on log p(x), nats a document
    perplexity: Perplexity
    unigram: Perplexity  # of the training frequencies


def beside_unigram(
    model: Any, counts: Any, logs: NDArray[np.float64], bound: str, samples: int
) -> Evaluation:
    """Log-probabilities ``(N,)`` of counts as scores, the training unigram beside them."""
    lengths = np.asarray(counts.sum(axis=1)).ravel()
    known = frequencies(model.word_totals_, model.document_frequency_, model.n_documents_)
    with threads(model.n_jobs), torch.no_grad():
        likelihood = copy.deepcopy(model._joint().likelihood).cpu().double()
        unigram = likelihood.unigram(Counts.from_scipy(counts), known).numpy()
    scores, plain = perplexity(logs, lengths), perplexity(unigram, lengths)
    return Evaluation(bound, samples, float(logs.mean()), scores, plain)


def check_halves(seen: Any, unseen: Any) -> None:
    """Refuse parts of documents that are not of the same ones, or of which nothing is unseen.

    Raises
    ------
    InputError
        Which says so.
    """
    if seen.shape[0] != unseen.shape[0]:
        raise InputError(
            f"X_seen and X_unseen must have the same documents, got {seen.shape[0]} and "
            f"{unseen.shape[0]} rows"
        )
    if unseen.sum() == 0:
        raise InputError("X_unseen has no tokens; expected counts above 0 to predict")


class ScoringMixin(PosteriorMixin):
    """score, perplexity and evaluate, from the objective that ``fit`` has left."""

    word_totals_: NDArray[np.float64]
    document_frequency_: NDArray[np.float64]
    n_documents_: int

    def score_samples(
        self,
        X: Any,
        *,
        covariates: Any = None,
        bound: str = "auto",
        samples: int | None = None,
    ) -> Any:
        """Lower bound on log p(x) of every document.

        Parameters
        ----------
        X, covariates
            Counts ``(N, V)``, and the covariates of the documents where the model has any.
        bound
            ``"elbo"`` and ``"iwae"`` (importance-weighted, tighter with more samples) of the
            encoder's posterior, ``"truncated"`` (the states that a search finds, whichever
            inference fitted the model; tighter with more of them) or ``"exact"`` (log p(x) itself,
            for at most 20 factors). ``"auto"`` is the inference's own: exact where it is, truncated
            for ``"truncated"``, else the ELBO. An exact inference has no bound but the exact one.
            All with hard factors but ``"smoothed-iwae"``, the importance-weighted bound over the
            smoothed bits of ``inference="dvae"`` at the β they were left with (and the continuous
            layers), which compares with published figures and not with hard bits. A document's
            score depends on its words and covariates only.
        samples
            Draws a document, or states of it; None for 32 draws, or as many states as the
            inference looks for.

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
        bound, samples = self._resolved(bound, samples)
        return self._log_prob(self._observed(X, covariates), bound, samples)

    def score(self, X: Any, y: object = None, *, covariates: Any = None) -> float:
        """Mean of the inference's own bound over counts ``X (N, V)``, nats a document.

        Higher is better. ``covariates`` are those of the documents, if the model has any.
        """
        return float(np.mean(self.score_samples(X, covariates=covariates)))

    def perplexity(
        self,
        X: Any,
        *,
        covariates: Any = None,
        bound: str = "auto",
        samples: int | None = None,
    ) -> float:
        """Per-document perplexity, exp(−mean log p(x)/tokens), over documents with words.

        Counts ``X (N, V)``, ``covariates``, ``bound`` and ``samples`` are those of
        :meth:`score_samples`; see :meth:`evaluate` for the corpus perplexity, the standard error
        and the unigram.
        """
        found = self.evaluate(X, covariates=covariates, bound=bound, samples=samples)
        return found.perplexity.per_document

    def evaluate(
        self,
        X: Any,
        *,
        covariates: Any = None,
        bound: str = "auto",
        samples: int | None = None,
    ) -> Evaluation:
        """Perplexities under a bound, with those of the unigram on the same documents.

        Parameters
        ----------
        X, covariates
            Counts ``(N, V)``, and the covariates of the documents where the model has any.
        bound, samples
            As for :meth:`score_samples`.
        """
        check_is_fitted(self)
        bound, samples = self._resolved(bound, samples)
        return self._evaluated(self._observed(X, covariates), bound, samples)

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
        own, samples = self._resolved("auto", samples)
        seen, unseen = self._observed(X_seen, covariates), self._validate(X_unseen)
        check_halves(seen, unseen)
        device, total = self._device(), 0.0
        other = Counts.from_scipy(unseen, device)
        rows = self._rows(own, samples)
        for batch in in_order(self._documents(seen), rows):
            target, q = self._posterior(batch, states=samples if own == "truncated" else None)
            with threads(self.n_jobs), torch.no_grad():
                noise = None if q.support() else self._noise(batch.counts, samples)
                words = other.select(batch.rows)
                total += float(bounds.completion(target, q, words, samples, noise).double().sum())
        return float(np.exp(-total / unseen.sum()))

    def _evaluated(self, counts: Any, bound: str, samples: int) -> Evaluation:
        """Scores beside those of the unigram of the training counts."""
        logs = self._log_prob(counts, bound, samples)
        return beside_unigram(self, counts, logs, bound, 0 if bound == "exact" else samples)

    def _log_prob(self, counts: Any, bound: str, samples: int) -> NDArray[np.float64]:
        self._joint().prior.refresh()
        batches = in_order(self._documents(counts), self._rows(bound, samples))
        return np.concatenate([self._bound(batch, bound, samples) for batch in batches])

    def _bound(self, batch: Any, bound: str, samples: int) -> NDArray[np.float64]:
        if bound == "exact":
            with threads(self.n_jobs), torch.no_grad():
                result = bounds.exact(self.objective_.over_states(batch))
        elif bound == SMOOTHED:
            target, q = self._posterior(batch, refine=0)
            with threads(self.n_jobs), torch.no_grad():
                result = smoothed(target, q, self.objective_.gradient, batch, samples)
        elif bound == "truncated":
            result = self._posterior(batch, states=samples)[1].bound()
        else:
            target, q = self._posterior(batch, refine=0)
            method = bounds.elbo if bound == "elbo" else bounds.iwae
            with threads(self.n_jobs), torch.no_grad():
                result = method(target, q, samples, self._noise(batch.counts, samples))
        return np.asarray(result.cpu().double().numpy())

    def _noise(self, counts: CountBatch, samples: int) -> torch.Tensor:
        return document_noise(document_keys(counts), samples, self._factors())

    def _rows(self, bound: str, samples: int = 32) -> int:
        """Documents a batch: few where each needs a table of states."""
        if bound == "exact":
            return self._tabled()
        if bound == SMOOTHED:
            return max(1, AT_ONCE // samples)
        return self._block(None, samples) if bound == "truncated" else 512

    def _ladder(self) -> list[str]:
        """The bounds that ``fit`` notes of the documents held out, the inference's own first."""
        own, _ = self._resolved("auto", None)
        return [own, *(bound for bound in ("elbo", "iwae") if bound != own and own != "exact")]

    def _resolved(self, bound: str, samples: int | None) -> tuple[str, int]:
        """The bound and the number meant, or the error that says why they cannot be."""
        if bound not in BOUNDS:
            raise unknown_name("bound", bound, BOUNDS)
        check_bound(self.objective_, bound)
        if samples is not None and (not is_whole(samples) or samples < 1):
            raise ConfigurationError(
                f"samples must be None or a whole number of 1 or more, got {samples!r}"
            )
        most = getattr(self._joint().likelihood, "enumerable", self._factors())
        if bound == "exact" and self._factors() > most:
            raise ConfigurationError(
                f"bound='exact' sums over 2^D states and serves at most {most} factors under this "
                f"likelihood, this model has {self._factors()}; use bound='truncated'"
            )
        if self._enumerates():
            bound = "exact"
        elif bound == "auto":
            searched = self.objective_.posterior.searched
            bound = "truncated" if searched else "elbo"
        usual = self._search().final_states if bound == "truncated" else DRAWS
        return bound, usual if samples is None else int(samples)
