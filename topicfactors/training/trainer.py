"""The training loop, readable top to bottom; it knows no progress bar and no file."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from topicfactors.contracts import Memory
from topicfactors.errors import FitError
from topicfactors.training.batches import Documents
from topicfactors.training.callbacks import Callback, Epoch, Keeper
from topicfactors.training.distributed import ALONE, World
from topicfactors.training.objectives import Objective
from topicfactors.training.schedules import Schedule
from topicfactors.training.settings import numbers_of, put_numbers
from topicfactors.training.sources import Passes, Source
from topicfactors.training.steps import Stepper
from topicfactors.training.watching import AT_ONCE, Scores, Watch, score

__all__ = ["AT_ONCE", "History", "Schedule", "Scores", "Trainer", "score"]

SAMPLE = 1000  # training documents that are scored where none are held out


@dataclass
class History:
    """What happened: one event an epoch, the best epoch, and why training ended."""

    epochs: list[Epoch] = field(default_factory=list)
    best: int = 0
    stopped: str = ""  # empty: all epochs were run
    asked: bool = False  # did a callback end it?
    fault: str = ""  # what was not finite, where that ended training
    interruption: BaseException | None = None


class Trainer:
    """Fits an objective to documents; the weights it leaves are the best it saw.

    Parameters
    ----------
    objective
        Model and how it is inferred, on the device of the documents.
    schedule
        How long and how fast.
    seed
        Of the shuffling. (The draws follow torch's generator of the device.)
    callbacks
        Told of every epoch; a :class:`~topicfactors.training.callbacks.Keeper` of every step.
    world
        The processes that train together, each with documents of its own.
    """

    def __init__(
        self,
        objective: Objective,
        schedule: Schedule,
        seed: int,
        callbacks: Sequence[Callback] = (),
        world: World = ALONE,
    ) -> None:
        self.objective, self.schedule, self.seed = objective, schedule, seed
        self.callbacks, self.world = callbacks, world
        self.keepers = [one for one in callbacks if isinstance(one, Keeper)]
        self.step = Stepper(objective, schedule, world)
        self.optimizer = self.step.optimizer
        self.memories: list[Memory | None] = [None, None]  # of the training, of those held out

    def fit(
        self,
        documents: Source,
        held_out: Documents | None,
        done: int = 0,
        epochs: int | None = None,
        *,
        trained: bool = False,
    ) -> History:
        """Train on some documents, watch others; Ctrl-C ends training and is kept in the history.

        ``done`` epochs of the schedule lie behind; ``epochs`` more are made (default: the rest).
        ``trained`` says that the weights it begins with are worth keeping.

        Raises
        ------
        FitError
            When the loss is not finite before there are any weights worth keeping.
        """
        history = History()
        self.documents, self.held_out = documents, held_out
        remember = self.objective.memory
        self.memories = [
            None if part is None else remember(part.total) for part in (documents, held_out)
        ]
        passes = documents.passes(self.schedule.batch_size, self.seed, self.memories[0])
        watch = Watch(self.objective, self.schedule, done)
        self.state = state = _State(watch, history, done + 1)
        last = self.schedule.epochs if epochs is None else done + epochs
        try:
            for keeper in self.keepers:
                keeper.begun(self)
            began = time.perf_counter() - (history.epochs[-1].seconds if history.epochs else 0.0)
            for _ in range(done + 1, state.number):
                passes.skip()
            while state.number <= last and not history.stopped:
                event, fault = self._pass(documents, passes, held_out, began)
                if fault:
                    history.stopped = history.fault = self._explain(fault, watch, trained)
                    break
                history.epochs.append(event)
                finished = watch.finished(event)
                if finished:
                    history.stopped = f"no progress for {self.schedule.patience} epochs"
                state.next_epoch()
                for callback in self.callbacks:
                    callback(event)
        except StopIteration as stop:
            history.stopped, history.asked = str(stop) or "a callback asked to stop", True
        except KeyboardInterrupt as interruption:
            history.stopped, history.interruption = "interrupted", interruption
        finally:
            for keeper in self.keepers:
                keeper.ended(self)
            history.best = watch.restore()
            self.step.part()
        return history

    def state_dict(self) -> dict[str, Any]:
        """All that the rest of the training depends on: tensors, numbers, and lists of them.

        It is asked for by a keeper, between two steps or after an epoch.
        """
        return {
            "objective": self.objective.state_dict(),
            "numbers": numbers_of(self.objective),
            "at_once": self.step.at_once,
            "optimizer": self.optimizer.state_dict(),
            "memories": [None if one is None else one.state_dict() for one in self.memories],
            "random": _random(self.step.device),
            **self.state.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what :meth:`state_dict` gave; asked for by a keeper as training begins."""
        self.objective.load_state_dict(state["objective"])
        put_numbers(self.objective, state["numbers"])
        self.step.at_once = state["at_once"]
        self.optimizer.load_state_dict(state["optimizer"])
        for memory, kept in zip(self.memories, state["memories"], strict=True):
            if memory is not None and kept is not None:
                memory.load_state_dict(kept)
        self.state.load_state_dict(state)
        _put_random(self.step.device, state["random"])

    def _pass(
        self, documents: Source, passes: Passes, held_out: Documents | None, began: float
    ) -> tuple[Epoch, str]:
        """One epoch and its scores; what was not finite, or an empty string."""
        number = self.state.number
        bound, faulty = self._epoch(passes, documents.device)
        if held_out is None:
            scores = score(self.objective, documents.first(SAMPLE), self.memories[0], self.world)
        else:
            self.memories[1] = self.objective.memory(held_out.total)  # the same effort
            scores = score(self.objective, held_out, self.memories[1], self.world)
        progress = min(1.0, number / self.schedule.epochs)
        event = Epoch(
            number,
            self.schedule.epochs,
            bound,
            scores.perplexity,
            None if held_out is None else scores.bound,
            scores.active,
            self.schedule.kl_weight_at(progress),
            self.schedule.learning_rate_at(progress),
            time.perf_counter() - began,
        )
        if faulty is not None:
            return event, f"the loss was not finite at step {faulty} of epoch {number}"
        if not math.isfinite(scores.bound):
            return event, f"the bound was not finite after step {len(passes)} of epoch {number}"
        return event, ""

    def _epoch(self, passes: Passes, device: torch.device) -> tuple[float, int | None]:
        """One pass; the mean bound, and the first step (from 1) whose gradient was not finite."""
        self.objective.train()
        state, steps = self.state, len(passes)
        faulty = torch.full((), steps + 1, device=device)
        if state.faulty is not None:
            faulty.fill_(state.faulty)
        for step, batch in enumerate(passes.after(state.steps), state.steps + 1):
            progress = ((state.number - 1) * steps + step - 1) / (self.schedule.epochs * steps)
            bound, norm = self.step(batch, min(1.0, progress))
            faulty = torch.where(torch.isfinite(norm), faulty, faulty.clamp_max(step))
            state.stepped(step, bound, faulty)
            for keeper in self.keepers:
                keeper.stepped(self)
        first = int(faulty)
        total, seen = self.world.total(state.sums()).tolist()
        return total / seen, first if first <= steps else None

    def _explain(self, fault: str, watch: Watch, trained: bool) -> str:
        cure = f"try a learning rate below {self.schedule.learning_rate:g}"
        if watch.best:
            return f"{fault}; the weights of epoch {watch.best} are kept; {cure}"
        if trained:
            return f"{fault}; the weights from before are kept; {cure}"
        raise FitError(f"{fault}, before any epoch was complete; {cure}")


def _random(device: torch.device) -> dict[str, Tensor]:
    """The states of torch's generators that a training draws from."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        states["mps"] = torch.mps.get_rng_state()
    return states


def _put_random(device: torch.device, states: dict[str, Tensor]) -> None:
    """Put them back, as far as they are of this kind of device."""
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
    elif device.type == "mps" and "mps" in states:
        torch.mps.set_rng_state(states["mps"])


class _State:
    """Where a training stands: its epoch, the steps made of it, and what it has seen."""

    def __init__(self, watch: Watch, history: History, number: int) -> None:
        self.watch, self.history = watch, history
        self.number, self.steps = number, 0
        self.faulty: Tensor | None = None
        self.total: Tensor | None = None  # of the bounds of this epoch, nats, in float64
        self.seen = 0  # documents of it

    def stepped(self, step: int, bound: Tensor, faulty: Tensor) -> None:
        self.steps, self.faulty = step, faulty
        added = bound.sum(dtype=torch.float64)
        self.total = added if self.total is None else self.total + added
        self.seen += len(bound)

    def next_epoch(self) -> None:
        self.number, self.steps, self.faulty = self.number + 1, 0, None
        self.total, self.seen = None, 0

    def sums(self) -> Tensor:
        """The sum of the bounds of the documents seen in this epoch, and how many they are."""
        total = torch.zeros((), dtype=torch.float64) if self.total is None else self.total
        return torch.stack([total, total.new_tensor(self.seen)])

    def state_dict(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "steps": self.steps,
            "faulty": self.faulty,
            "total": self.total,
            "seen": self.seen,
            "epochs": [list(epoch) for epoch in self.history.epochs],
            "stopped": self.history.stopped,
            "asked": self.history.asked,
            "watch": self.watch.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.number, self.steps, self.faulty = state["number"], state["steps"], state["faulty"]
        device = next(self.watch.objective.parameters()).device
        self.total = None if state["total"] is None else state["total"].to(device)
        self.seen = state["seen"]
        self.history.epochs[:] = [Epoch(*epoch) for epoch in state["epochs"]]
        self.history.stopped, self.history.asked = state["stopped"], state["asked"]
        self.watch.load_state_dict(state["watch"])
