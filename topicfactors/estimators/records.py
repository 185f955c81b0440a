"""What is kept of a training: facts and totals, nothing that grows with the documents."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from topicfactors.contracts import Batch
from topicfactors.corpus.counts import Counts
from topicfactors.errors import FitWarning
from topicfactors.estimators.base import threads
from topicfactors.estimators.scoring import Evaluation, ScoringMixin
from topicfactors.insight.topics import status
from topicfactors.training.batches import in_order
from topicfactors.training.trainer import History

FORGETTING = 0.1  # least weight of the newest call in the moments that partial_fit keeps


class RecordsMixin(ScoringMixin):
    """Order and orientation of the factors, their prevalence, and the history."""

    document_frequency_: NDArray[np.float64]

    def _finish(self, counts: Any, held_out: Any | None, history: History) -> None:
        """After ``fit``: put the factors in order, and note the facts."""
        self.history_, self.n_iter_ = history.epochs, len(history.epochs)
        self.best_iter_, self.stopped_ = history.best, history.stopped
        self._arrange(self._moments(counts)[0])
        self._count_words(counts)
        self._note_moments(*self._moments(counts))
        self.held_out_: dict[str, Evaluation] = {}
        if held_out is not None:
            totals = self.word_totals_ - np.asarray(held_out.sum(axis=0)).ravel()
            for bound in ("elbo", "iwae"):
                self.held_out_[bound] = self._evaluated(held_out, bound, 32, totals)

    def _add(self, counts: Any, history: History, first: bool) -> None:
        """After a call of ``partial_fit``: totals grow, moments follow the last calls."""
        mean, variance = self._moments(counts)
        if first:
            self.history_ = []
        else:
            weight = max(FORGETTING, 1 / (self.n_iter_ + 1))
            square = variance + mean**2
            square += (1 - weight) * (self.posterior_variance_ + self.prevalence_**2 - square)
            mean += (1 - weight) * (self.prevalence_ - mean)
            variance = np.maximum(square - mean**2, 0)
        self.history_ = [*self.history_, *history.epochs]
        self.n_iter_ = len(self.history_)
        self.best_iter_, self.stopped_ = history.best, history.stopped
        self._count_words(counts, add=not first)
        self._note_moments(mean, variance)
        self.held_out_ = {}

    def _pass_on(self, history: History) -> None:
        """Raise the interruption, or warn of the fault, that ended training."""
        if history.interruption is not None:
            raise history.interruption
        if history.fault:
            warnings.warn(f"training stopped early: {history.fault}", FitWarning, stacklevel=3)

    @torch.no_grad()
    def _arrange(self, mean: NDArray[np.float64]) -> None:
        """Turn factors that are on in most documents around, and sort all by prevalence."""
        joint: Any = self.objective_.joint
        turnable = not getattr(joint.decoder, "nonnegative", False)
        flipped = (mean > 0.5) & turnable
        order = np.argsort(-np.where(flipped, 1 - mean, mean), kind="stable")
        device = self._device()
        places, turned = torch.from_numpy(order).to(device), torch.from_numpy(flipped).to(device)
        posterior: Any = self.objective_.posterior
        for part in (joint.decoder, joint.prior, posterior):
            part.arrange(places, turned)

    def _count_words(self, counts: Any, add: bool = False) -> None:
        words = np.asarray(counts.sum(axis=0, dtype=np.float64)).ravel()
        documents = np.bincount(counts.indices, minlength=counts.shape[1]).astype(np.float64)
        self.word_totals_ = self.word_totals_ + words if add else words
        self.document_frequency_ = self.document_frequency_ + documents if add else documents

    def _note_moments(self, mean: NDArray[np.float64], variance: NDArray[np.float64]) -> None:
        self.prevalence_, self.posterior_variance_ = mean, variance
        self.status_ = status(mean, variance)

    def _moments(self, counts: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and variance of the posterior probabilities over documents, ``(D,)`` each."""
        total = np.zeros((2, self._factors()))
        for q in self._posteriors(counts):
            total += q.sum(0, dtype=np.float64), np.square(q, dtype=np.float64).sum(0)
        mean, square = total / counts.shape[0]
        return mean, np.maximum(square - mean**2, 0)

    def _posteriors(self, counts: Any) -> Iterator[NDArray[np.float32]]:
        """Blocks of posterior probabilities ``(B, D)`` in the order of the documents."""
        rows = self._rows("elbo") if self._enumerates() else 4096
        for batch in in_order(Counts.from_scipy(counts, self._device()), rows):
            yield self._posterior(batch)

    def _posterior(self, batch: Batch) -> NDArray[np.float32]:
        with threads(self.n_jobs), torch.no_grad():
            self.objective_.eval()
            _, q = self.objective_.condition(batch)
            return np.asarray(q.mean().cpu().numpy())
