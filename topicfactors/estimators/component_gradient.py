"""Components by the gradient of log p(x), in mini-batches."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from topicfactors.estimators.class_parts import ClassParts
from topicfactors.estimators.component_tasks import Learnt, Task
from topicfactors.estimators.components import ComponentsMixin, Floats
from topicfactors.estimators.keeping import KeepingMixin
from topicfactors.training import em
from topicfactors.training.batches import Documents, in_order
from topicfactors.training.callbacks import Callback, Epoch
from topicfactors.training.components import Pull
from topicfactors.training.trainer import AT_ONCE, Schedule, Trainer

FAINT = 0.1  # standard deviation of the loadings that factors begin with
SMALLEST_BATCH = 16  # documents


class ComponentGradientMixin(KeepingMixin, ComponentsMixin):
    """One start, by the gradient; and what both ways to fit share."""

    max_iter: int | None
    tol: float
    batch_size: int | str
    learning_rate: float | str
    n_iter_no_change: int
    covariate_shrinkage: float = 1.0
    verbose: int
    callbacks: Sequence[Callback] | None

    def _by_gradient(self, parts: ClassParts, task: Task, responsibilities: Floats) -> Learnt:
        objective = self.objective_
        smoothing = task.smoothing()
        learnt = task.fixed is None and task.balance is None
        self._put(em.begin(task.counts, responsibilities, smoothing, task.known), learnt)
        if objective.joint.response is not None and task.counts.responses is not None:
            objective.joint.response.start(task.counts.responses)
        objective.pull = Pull(
            task.corpus, task.words, task.weights, self.covariate_shrinkage, task.counts.shape[0]
        )
        schedule = self._schedule_of(parts, task.counts.shape[0])
        self.schedule_ = schedule
        listeners: list[Callback] = [self._say, *(self.callbacks or [])]
        if task.balance is not None:
            listeners.insert(0, self._rebalancer(task))
        trainer = Trainer(objective, schedule, torch.initial_seed() % 2**31, listeners)
        labels = task.known.classes if len(task.known.members) else None
        held = None if task.held_out is None else self._known(task.held_out, None)
        documents = self._known(task.counts, labels)
        history = trainer.fit(documents, held)
        if task.balance is not None:
            self._rebalance(task)  # the weights that were kept are those before the last one
        value = self._objective_of(documents, task)
        finished = history.stopped.startswith("no progress")
        return Learnt(value, history, [], finished, self._snapshot())

    def _rebalancer(self, task: Task) -> Callback:
        """Rebalances after every pass."""

        def told(event: Epoch) -> None:
            self._rebalance(task)

        return told

    @torch.no_grad()
    def _rebalance(self, task: Task) -> None:
        """Move the weights until the mean posterior nears the balance, as EM does."""
        if task.balance is None:
            return
        objective, wanted = self.objective_, torch.from_numpy(task.balance)
        objective.eval()
        tables = [
            objective.table(batch).cpu().double()
            for batch in in_order(self._known(task.counts, None), AT_ONCE)
        ]
        table, offsets = torch.cat(tables, 1), torch.zeros_like(wanted)
        for _ in range(em.BALANCING):
            mean = torch.softmax(table + offsets[:, None], 0).mean(1)
            offsets += em.DAMPING * (wanted.log() - (mean + 1e-12).log())
        prior: Any = objective.joint.class_prior
        prior.logits.add_(offsets.to(prior.logits))

    def _schedule_of(self, parts: ClassParts, documents: int) -> Schedule:
        rate, size = self.learning_rate, self.batch_size
        enough = max(SMALLEST_BATCH, documents // 16)
        return Schedule(
            parts.passes if self.max_iter is None else self.max_iter,
            min(256, enough) if isinstance(size, str) else size,
            2e-2 if isinstance(rate, str) else rate,
            0.0,
            patience=self.n_iter_no_change,
            tol=self.tol,
        )

    @torch.no_grad()
    def _objective_of(self, documents: Documents, task: Task) -> float:
        """What was maximised, over all documents, nats."""
        self.objective_.eval()
        total = 0.0
        for batch in in_order(documents, AT_ONCE):
            bound = self.objective_.watched(batch)[0].cpu().double()
            known = 1.0 if batch.labels is None else (batch.labels.cpu() >= 0).double()
            total += float((bound * (known + (1 - known) * self.objective_.unlabelled)).sum())
        drawn_to: float = task.counts.shape[0] * float(self.objective_.penalty())
        return total - drawn_to

    def _put(self, components: em.Components, learnt: bool = True) -> None:
        """Write a table of log-probabilities into the decoder and the prior."""
        decoder: Any = self.objective_.joint.decoder
        words = torch.from_numpy(components.log_words)
        with torch.no_grad():
            loadings = (words - decoder.bias.detach().cpu().double()).to(decoder.bias)
            factors = torch.randn(self._factors(), words.shape[1]) * FAINT
            decoder.start(torch.cat([factors.to(loadings), loadings]))
            prior: Any = self.objective_.joint.class_prior
            prior.logits.copy_(torch.from_numpy(components.log_weights))
            prior.logits.requires_grad_(learnt)

    def _known(self, counts: Any, labels: NDArray[np.int64] | None) -> Documents:
        documents = self._documents(counts)
        if labels is None:
            return documents
        return documents._replace(labels=torch.from_numpy(labels).to(documents.device))

    def _snapshot(self) -> dict[str, torch.Tensor]:
        return {name: part.clone() for name, part in self.objective_.state_dict().items()}

    def _tell(self, event: Epoch) -> None:
        for listener in (self._say, *(self.callbacks or [])):
            listener(event)

    def _say(self, event: Epoch) -> None:
        if self.verbose:
            sys.stderr.write(
                f"pass {event.number}/{event.of}: {event.bound:.2f} nats a document, "
                f"perplexity {event.perplexity:.1f}, {event.seconds:.1f} s\n"
            )
