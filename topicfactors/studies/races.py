"""Training from one start: what a step costs, and the bound after equal time or evaluations."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch

from topicfactors.contracts import Batch, Memory
from topicfactors.inference import bounds
from topicfactors.inference.noise import document_keys, document_noise
from topicfactors.insight.metrics import perplexity
from topicfactors.studies.walks import CountedObjective
from topicfactors.training.batches import Batches, Documents, in_order
from topicfactors.training.trainer import Schedule, Trainer

TIMED = 9  # steps, of which the median is taken
BEFORE = 2  # steps before them
AT_ONCE = 256  # documents that are scored together


class Cost(NamedTuple):
    """What one step costs."""

    seconds: float  # median, forward and backward
    evaluations: float  # walks over the vocabulary, a document


class Held(NamedTuple):
    """Documents that no training sees, and how they are scored."""

    documents: Documents
    samples: int  # draws a document, of the ELBO and of the IWAE


class Outcome(NamedTuple):
    """A model that was trained on a budget, and how well it predicts held-out documents."""

    seconds: float  # of training
    evaluations: float  # walks over the vocabulary, for each training document
    passes: float  # over the training documents
    elbo: float  # nats a document with hard bits; the posterior's own bound where it has one
    iwae: float | None  # likewise, of as many draws; None where only the own bound is known
    perplexity: float  # of the ELBO, per document


class Budget:
    """A share from 0 to 1 of the seconds or of the walks that a training may take.

    Parameters
    ----------
    seconds, walks
        One of them: of the clock, or over the vocabulary for each training document.
    """

    def __init__(self, *, seconds: float | None = None, walks: float | None = None) -> None:
        self.seconds, self.walks = seconds, walks

    def spent(self, seconds: float, walks: float) -> float:
        """How much of it is gone."""
        if self.seconds is not None:
            return seconds / self.seconds
        return walks / (self.walks or 1.0)


def endless(
    documents: Documents, size: int, seed: int, memory: Memory | None = None
) -> Iterator[Batch]:
    """Shuffled batches, pass after pass."""
    batches = Batches(documents, min(size, len(documents.counts)), seed, memory)
    while True:
        yield from batches


def cost(objective: CountedObjective, documents: Documents, size: int, seed: int) -> Cost:
    """Seconds and walks of a step on one batch of so many documents; no step is taken."""
    some = documents.select(next(endless(documents, size, seed)).rows)
    rows = torch.arange(len(some.counts), device=documents.device)
    batch = some.batch(rows, objective.memory(len(rows)))
    objective.train()
    objective.anneal(1.0)
    taken = []
    for number in range(BEFORE + TIMED):
        if number == BEFORE:
            objective.meter.reset()
        began = _now(documents.device)
        surrogate = objective(batch, 1.0)
        loss = surrogate.loss.mean()
        if surrogate.control is not None:
            loss = loss + surrogate.control
        objective.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        taken.append(_now(documents.device) - began)
    objective.zero_grad(set_to_none=True)
    walks = objective.meter.reset() / TIMED / len(batch.counts)
    return Cost(float(np.median(taken[BEFORE:])), walks)


def race(
    objective: CountedObjective, documents: Documents, held: Held, budget: Budget, seed: int
) -> Outcome:
    """Train until the budget is spent, the learning rate and temperatures following its share."""
    gradient, total = objective.gradient, len(documents.counts)
    size = min(gradient.batch_size, max(16, total // gradient.steps))
    objective.shrinkage = gradient.shrinkage / total
    schedule = Schedule(1, size, gradient.learning_rate, gradient.kl_warmup)
    trainer = Trainer(objective, schedule, seed)
    batches = endless(documents, size, seed, objective.memory(total))
    objective.train()
    objective.meter.reset()
    began, seen, share = _now(documents.device), 0, 0.0
    while share < 1:
        batch = next(batches)
        trainer.step(batch, share)
        seen += len(batch.counts)
        share = budget.spent(_now(documents.device) - began, objective.meter.walks / total)
    seconds = _now(documents.device) - began
    walks = objective.meter.reset() / total
    return Outcome(seconds, walks, seen / total, *_scores(objective, held))


@torch.no_grad()
def _scores(objective: CountedObjective, held: Held) -> tuple[float, float | None, float]:
    """ELBO and IWAE of documents in nats, and the ELBO's perplexity."""
    objective.eval()
    objective.joint.prior.refresh()
    lower, tighter = [], []
    for batch in in_order(held.documents, AT_ONCE):
        target, q = objective.condition(batch)
        own = q.bound()
        factors = objective.joint.sizes.factors
        noise = document_noise(document_keys(batch.counts), held.samples, factors)
        lower.append(bounds.elbo(target, q, held.samples, noise) if own is None else own)
        if own is None or objective.posterior.exact:
            weighted = bounds.iwae(target, q, held.samples, noise) if own is None else own
            tighter.append(weighted)
    elbo = torch.cat(lower).double().cpu().numpy()
    lengths = held.documents.counts.lengths.double().cpu().numpy()
    iwae = float(torch.cat(tighter).double().mean()) if tighter else None
    return float(elbo.mean()), iwae, perplexity(elbo, lengths).per_document


def _now(device: torch.device) -> float:
    """Seconds, when the device has done what it was asked for."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
