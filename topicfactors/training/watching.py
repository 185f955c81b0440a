"""Which weights were best, and when nothing gets better any more."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from topicfactors.contracts import Batch, Memory
from topicfactors.insight.topics import DEAD
from topicfactors.training.batches import Documents, in_order
from topicfactors.training.callbacks import Epoch
from topicfactors.training.distributed import ALONE, World
from topicfactors.training.halving import Visit, halved, parts, tried
from topicfactors.training.objectives import Objective
from topicfactors.training.schedules import Schedule

AT_ONCE = 1024  # documents that are scored together


class Scores(NamedTuple):
    """The hard-bit bound of some documents under the model as it is."""

    bound: float  # mean, nats a document
    perplexity: float  # per-document, over the documents that have words
    active: int  # factors whose posterior varies


@torch.no_grad()
def score(
    objective: Objective, documents: Documents, memory: Memory | None = None, world: World = ALONE
) -> Scores:
    """The bound of every document that the objective watches; of all processes together."""
    objective.eval()
    watched = list(_watched(objective, in_order(documents, AT_ONCE, memory)))
    each = torch.cat([bound for bound, _ in watched])
    means = torch.cat([mean for _, mean in watched]).double()
    words = documents.counts.lengths
    used = words > 0
    surprise = (each[used] / words[used]).double().sum()
    facts = [
        each.double().sum(),
        surprise,
        used.sum().double(),
        each.new_tensor(len(each)).double(),
    ]
    sums = torch.cat([torch.stack(facts), means.sum(0), means.square().sum(0)])
    bound, surprise, with_words, total, *moments = world.total(sums).tolist()
    first, second = torch.tensor(moments, dtype=torch.float64).div(total).chunk(2)
    perplexity = math.exp(-surprise / with_words) if with_words else 1.0
    active = int((second - first.square() >= DEAD).sum())
    return Scores(bound / total, perplexity, active)


def _watched(objective: Objective, batches: Iterable[Batch]) -> Iterator[tuple[Tensor, Tensor]]:
    """What the objective says of every batch, in parts where memory runs out."""
    at_once: int | None = None
    for batch in batches:
        visit = None if batch.memory is None else Visit(batch.memory, batch.rows)
        batch = batch._replace(memory=visit)
        while (found := tried(partial(_in_parts, objective, batch, at_once))) is None:
            at_once = halved(len(batch.rows), at_once)
        if visit is not None:
            visit.keep()
        yield from found


def _in_parts(
    objective: Objective, batch: Batch, at_once: int | None
) -> list[tuple[Tensor, Tensor]]:
    return [objective.watched(part.batch) for part in parts(batch, at_once)]


class Watch:
    """Keeps the best weights, and says when nothing gets better any more."""

    def __init__(self, objective: Objective, schedule: Schedule, done: int = 0) -> None:
        self.objective, self.schedule = objective, schedule
        self.best, self.score = done, -math.inf
        self.waited, self.mark = 0, -math.inf
        self._keep()

    def finished(self, event: Epoch) -> bool:
        """Note an epoch; True when patience is at its end."""
        score = -math.inf if event.held_out is None else event.held_out
        if event.held_out is None or score > self.score:
            self.best, self.score = event.number, score
            self._keep()
        if event.held_out is None or event.kl_weight < 1 or self.schedule.patience == 0:
            return False
        if score > self.mark + self.schedule.tol * abs(score):
            self.mark, self.waited = score, 0
            return False
        self.waited += 1
        return self.waited >= self.schedule.patience

    def restore(self) -> int:
        """Put the best weights back; the number of their epoch.

        Where no epoch was complete, the weights of the moment stay if they are finite.
        """
        now = self.objective.parameters()
        if self.best or not all(bool(torch.isfinite(weights).all()) for weights in now):
            self.objective.load_state_dict(self.weights)
        return self.best

    def state_dict(self) -> dict[str, Any]:
        """All that it remembers."""
        plain = ("best", "score", "waited", "mark")
        return {name: getattr(self, name) for name in plain} | {"weights": self.weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Remember what another one did."""
        self.best, self.score = state["best"], state["score"]
        self.waited, self.mark = state["waited"], state["mark"]
        self.weights = state["weights"]

    def _keep(self) -> None:
        state = self.objective.state_dict()
        self.weights = {name: tensor.clone() for name, tensor in state.items()}
