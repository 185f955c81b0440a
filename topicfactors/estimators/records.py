"""What is kept of a training: facts and totals, nothing that grows with the documents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from topicfactors.contracts import Memory
from topicfactors.estimators.anchoring import AnchoringMixin
from topicfactors.estimators.information import InformationMixin
from topicfactors.estimators.keeping import KeepingMixin
from topicfactors.estimators.observed import Observed
from topicfactors.estimators.scoring import Evaluation, ScoringMixin
from topicfactors.insight.topics import status
from topicfactors.training.trainer import History

FORGETTING = 0.1  # least weight of the newest call in the moments that partial_fit keeps


class RecordsMixin(AnchoringMixin, KeepingMixin, ScoringMixin, InformationMixin):
    """Order and orientation of the factors, their prevalence, and the history."""

    def _finish(
        self,
        kept: Observed,
        held_out: Observed | None,
        history: History,
        memories: Sequence[Memory | None],
    ) -> None:
        """After ``fit``: put the factors in order, and note the facts, those of the words alone."""
        kept = kept.without_responses()
        held_out = None if held_out is None else held_out.without_responses()
        self.history_, self.n_iter_ = history.epochs, len(history.epochs)
        self.best_iter_, self.stopped_ = history.best, history.stopped
        groups = [kept] if held_out is None else [kept, held_out]
        mean, variance = self._moments(zip(groups, memories, strict=False))
        known = self._information(kept, memories[0])
        order, flipped = self._arrange(mean)
        self.covariate_information_ = known[order]
        mean = np.where(flipped, 1 - mean, mean)[order]
        self._note_moments(mean, variance[order])
        self._count_words(kept)
        self.held_out_: dict[str, Evaluation] = {}
        if held_out is not None:
            for bound in self._ladder():
                self.held_out_[bound] = self._evaluated(held_out, self._resolved(bound, None))
            self._count_words(held_out, add=True)

    def _add(self, counts: Observed, history: History, first: bool, memory: Memory | None) -> None:
        """After a call of ``partial_fit``: totals grow, moments follow the last calls."""
        counts = counts.without_responses()
        mean, variance = self._moments([(counts, memory)])
        known = self._information(counts, memory)
        self.covariate_information_ = known if first else known + self.covariate_information_
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

    @torch.no_grad()
    def _arrange(self, mean: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Turn factors that are on in most documents around, and sort all by prevalence.

        Returns which factor came to each place, and which (before) were turned.
        """
        objective: Any = self.objective_
        turnable = not getattr(objective.joint.decoder, "nonnegative", False)
        turnable = turnable and objective.gradient.symmetric
        flipped = (mean > 0.5) & turnable
        flipped[list(self._names().values())] = False  # a name means that the factor is on
        order = np.argsort(-np.where(flipped, 1 - mean, mean), kind="stable")
        device = self._device()
        places, turned = torch.from_numpy(order).to(device), torch.from_numpy(flipped).to(device)
        for part in objective.per_factor():
            part.arrange(places, turned)
        self._move_names(order)
        return order, flipped

    def _note_moments(self, mean: NDArray[np.float64], variance: NDArray[np.float64]) -> None:
        self.prevalence_, self.posterior_variance_ = mean, variance
        self.status_ = status(mean, variance)

    @torch.no_grad()
    def _moments(
        self, groups: Iterable[tuple[Any, Memory | None]]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and variance of the posterior probabilities over documents, ``(D,)`` each.

        ``groups`` are counts, each with the memory of its documents where there is one.
        """
        total, documents = np.zeros((2, self._factors())), 0
        for counts, memory in groups:
            documents += counts.shape[0]
            for _, posterior in self._posteriors(counts, memory=memory):
                q = posterior.mean().cpu().numpy()
                total += q.sum(0, dtype=np.float64), np.square(q, dtype=np.float64).sum(0)
        mean, square = total / documents
        return mean, np.maximum(square - mean**2, 0)
