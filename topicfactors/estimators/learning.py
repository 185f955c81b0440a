"""One training of a factor model, and one pass of a training that goes on."""

from __future__ import annotations

import torch

from topicfactors.estimators.combinations import Parts
from topicfactors.estimators.fitting import FittingMixin
from topicfactors.estimators.observed import Observed
from topicfactors.estimators.records import RecordsMixin
from topicfactors.training.trainer import History, Trainer


class LearningMixin(FittingMixin, RecordsMixin):
    """The bodies of ``fit`` and ``partial_fit``."""

    def _learn(self, counts: Observed, chosen: Parts, going_on: bool) -> History:
        """Train on documents that are all there; what became of it."""
        with self._training(going_on) as (seed, device):
            kept, held_out = self._split(counts, seed)
            self._check_told(kept)
            if not going_on:
                self._build(chosen, kept, seed)
            self._optimizer_state = None
            self.objective_.to(device)
            self._hold_anchors(kept)
            self.schedule_ = self._schedule(kept.shape[0], going_on=going_on)
            trainer = Trainer(self.objective_, self.schedule_, seed, self._listeners())
            history = trainer.fit(
                documents := self._documents(kept),
                None if held_out is None else self._documents(held_out),
                trained=going_on,
            )
            lessons = self.objective_.gradient.lessons
            self._teach(documents, trainer.memories[0], history, lessons, seed)
            self._finish(kept, held_out, history, trainer.memories)
        return history

    def _learn_more(self, counts: Observed, chosen: Parts, first: bool) -> History:
        """One pass over some documents; what became of it."""
        done = 0 if first else self.n_iter_
        with self._training(not first) as (seed, device):
            if first:
                self._build(chosen, counts, seed)
            self.objective_.to(device)
            torch.manual_seed(seed + done)
            self._hold_anchors(counts)
            self.schedule_ = self._schedule(counts.shape[0], constant=True)
            trainer = Trainer(self.objective_, self.schedule_, seed + done, self._listeners())
            if self._optimizer_state is not None:
                trainer.optimizer.load_state_dict(self._optimizer_state)
            documents = self._documents(counts)
            history = trainer.fit(documents, None, done, 1, trained=not first)
            self._teach(documents, trainer.memories[0], history, 1, seed + done)
            self._optimizer_state = None if history.fault else trainer.optimizer.state_dict()
            self._add(counts, history, first, trainer.memories[0])
        return history
