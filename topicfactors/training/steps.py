"""One step of training: loss, gradient, clipping, Adam; in parts where memory runs out."""

from __future__ import annotations

import warnings
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn

from topicfactors.contracts import Batch
from topicfactors.errors import FitError, FitWarning
from topicfactors.training.adam import Adam
from topicfactors.training.distributed import ALONE, World
from topicfactors.training.halving import Visit, halved, parts, tried
from topicfactors.training.objectives import Objective
from topicfactors.training.schedules import Schedule


class Stepper:
    """Moves the parameters of an objective by one batch at a time.

    Where memory runs out, the batch is halved, again and again, and the gradients of its parts are
    added up, each weighted by its documents: the gradient of the whole, but that draws are others
    and that baselines which follow the steps follow the parts. It stays halved.

    Parameters
    ----------
    objective
        On the device of the batches.
    schedule
        Learning rate, KL weight and clipping.
    world
        The processes whose batches make one step together.
    """

    def __init__(self, objective: Objective, schedule: Schedule, world: World = ALONE) -> None:
        self.objective, self.schedule, self.world = objective, schedule, world
        self.own = objective.own_parameters()
        own = {id(parameter) for parameter in self.own}
        self.shared = [p for p in objective.parameters() if p.requires_grad and id(p) not in own]
        paced, pace = objective.paced()
        others = {id(parameter) for parameter in paced}
        groups = (
            {"params": [p for p in self.shared if id(p) not in others], "pace": 1.0},
            {"params": [p for p in self.shared if id(p) in others], "pace": pace},
            {"params": self.own, "pace": 1.0},
        )
        self.optimizer = Adam([part for part in groups if part["params"]], schedule.learning_rate)
        self.at_once: int | None = None  # documents of a part; None: a batch is not parted
        self.loss: nn.Module = _Loss(objective, self.precision)
        if world.size > 1:
            self.loss = nn.parallel.DistributedDataParallel(self.loss, find_unused_parameters=True)

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return self.shared[0].device

    def __call__(self, batch: Batch, progress: float) -> tuple[Tensor, Tensor]:
        """One step, after such a share of all: the bound ``(B,)``, and the gradient's norm.

        Raises
        ------
        FitError
            When memory runs out with a single document, or in one of several processes.
        """
        rate = self.schedule.learning_rate_at(progress)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["pace"]
        self.objective.anneal(progress)
        bound = self._differentiate(batch, self.schedule.kl_weight_at(progress))
        norm = nn.utils.clip_grad_norm_(self.shared, self.schedule.clip)
        if self.own:
            nn.utils.clip_grad_norm_(self.own, 1.0)
        self.optimizer.step()
        return bound, norm

    def part(self) -> None:
        """The last step was made: let go of the other processes."""
        if isinstance(self.loss, nn.parallel.DistributedDataParallel):
            self.loss = self.loss.module

    def precision(self) -> AbstractContextManager[object]:
        """The precision of the layers of a posterior."""
        device = self.device.type
        wanted = device == "cuda" if self.schedule.autocast is None else self.schedule.autocast
        return torch.autocast(device, dtype=torch.bfloat16, enabled=wanted)

    def _differentiate(self, batch: Batch, kl_weight: float) -> Tensor:
        """Leave the gradient of a batch in the parameters; the bound ``(B,)``."""
        share, tokens = self._share(batch)
        before, visit = self.at_once, None
        if batch.memory is not None:
            visit = Visit(batch.memory, batch.rows)
            batch = batch._replace(memory=visit)
        while (bound := tried(lambda: self._added_up(batch, kl_weight, share, tokens))) is None:
            self._halve(len(batch.rows))
        if visit is not None:
            visit.keep()
        if before is None and self.at_once is not None:
            warnings.warn(
                f"memory ran out with {len(batch.rows)} documents at once; from now on steps are "
                f"made of parts of {self.at_once}, whose gradients are added up: slower, and the "
                "same but for the draws",
                FitWarning,
                stacklevel=2,
            )
        return bound

    def _added_up(self, batch: Batch, kl_weight: float, share: Any, tokens: Tensor) -> Tensor:
        self.optimizer.zero_grad(set_to_none=True)
        bounds = []
        for part in parts(batch, self.at_once):
            loss, bound = self.loss(part.batch, kl_weight, share, tokens, part.share)
            loss.backward()
            bounds.append(bound)
        return torch.cat(bounds)

    def _halve(self, documents: int) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        if self.world.size > 1:
            raise FitError(
                f"memory ran out in one of {self.world.size} processes, with {documents} documents "
                f"of a step; give a smaller batch_size"
            )
        self.at_once = halved(documents, self.at_once)

    def _share(self, batch: Batch) -> tuple[Any, Tensor]:
        """The weight of this process's mean loss in the mean of all, and tokens a document."""
        lengths = batch.counts.lengths
        if self.world.size == 1:
            return 1.0, lengths.mean().clamp_min(1.0)
        documents, tokens = self.world.total(
            torch.stack([lengths.new_tensor(len(lengths)), lengths.sum()])
        )
        return len(lengths) * self.world.size / documents, (tokens / documents).clamp_min(1.0)


class _Loss(nn.Module):
    """What is differentiated: nats a token, averaged over the documents of a step."""

    def __init__(self, objective: Objective, precision: Any) -> None:
        super().__init__()
        self.objective, self.precision = objective, precision

    def forward(
        self, batch: Batch, kl_weight: float, share: Any, tokens: Tensor, part: float = 1.0
    ) -> tuple[Tensor, Tensor]:
        with self.precision():
            surrogate = self.objective(batch, kl_weight)
        loss = (surrogate.loss.mean() * share + self.objective.penalty()) / tokens
        if surrogate.control is not None:
            loss = loss + surrogate.control * share
        return loss * part if part != 1.0 else loss, surrogate.bound
