"""The training loop, readable top to bottom; it knows no progress bar and no file."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn

from topicfactors.contracts import Batch, Memory
from topicfactors.errors import FitError
from topicfactors.insight.topics import DEAD
from topicfactors.training.batches import Batches, Documents, in_order
from topicfactors.training.callbacks import Callback, Epoch
from topicfactors.training.objectives import Objective

AT_ONCE = 1024  # documents that are scored together
SAMPLE = 1000  # training documents that are scored where none are held out


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train."""

    epochs: int = 40
    batch_size: int = 256  # documents
    learning_rate: float = 5e-3  # the highest; it rises over 5 % of the steps, then falls as cosine
    kl_warmup: float = 0.3  # share of the steps over which the KL weight rises from 0 to 1
    clip: float = 1.0  # largest norm of the gradient, nats a token
    patience: int = 8  # epochs at full KL weight without progress before training ends; 0: never
    tol: float = 1e-4  # relative progress of the held-out bound that counts
    autocast: bool | None = None  # bfloat16 layers; None: on a GPU only
    constant: bool = False  # keep the learning rate up, for training that has no end

    def learning_rate_at(self, progress: float) -> float:
        """Learning rate after this share of the steps."""
        if self.constant:
            return self.learning_rate
        rise = min(1.0, progress / 0.05)
        fall = 0.5 * (1 + math.cos(math.pi * progress))
        return self.learning_rate * (0.02 + 0.98 * min(rise, fall))

    def kl_weight_at(self, progress: float) -> float:
        """KL weight after this share of the steps."""
        return 1.0 if self.kl_warmup == 0 else min(1.0, progress / self.kl_warmup)


class Scores(NamedTuple):
    """The hard-bit bound of some documents under the model as it is."""

    bound: float  # mean, nats a document
    perplexity: float  # per-document, over the documents that have words
    active: int  # factors whose posterior varies


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
        Told of every epoch.
    """

    def __init__(
        self,
        objective: Objective,
        schedule: Schedule,
        seed: int,
        callbacks: Sequence[Callback] = (),
    ) -> None:
        self.objective, self.schedule, self.seed = objective, schedule, seed
        self.callbacks = callbacks
        self.own = objective.own_parameters()
        own = {id(parameter) for parameter in self.own}
        shared = [p for p in objective.parameters() if p.requires_grad and id(p) not in own]
        self.shared = shared
        groups = [{"params": part} for part in (shared, self.own) if part]
        self.optimizer = torch.optim.Adam(groups, lr=schedule.learning_rate, betas=(0.9, 0.99))
        self.memories: list[Memory | None] = [None, None]  # of the training, of those held out

    def fit(
        self,
        documents: Documents,
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
        history, began = History(), time.perf_counter()
        remember = self.objective.memory
        self.memories = [
            None if part is None else remember(len(part.counts)) for part in (documents, held_out)
        ]
        batches = Batches(documents, self.schedule.batch_size, self.seed, self.memories[0])
        watch = _Watch(self.objective, self.schedule, done)
        last = self.schedule.epochs if epochs is None else done + epochs
        try:
            for number in range(done + 1, last + 1):
                event, fault = self._pass(batches, held_out, number, began)
                if fault:
                    history.stopped = history.fault = self._explain(fault, watch, trained)
                    break
                history.epochs.append(event)
                finished = watch.finished(event)
                for callback in self.callbacks:
                    callback(event)
                if finished:
                    history.stopped = f"no progress for {self.schedule.patience} epochs"
                    break
        except StopIteration as stop:
            history.stopped, history.asked = str(stop) or "a callback asked to stop", True
        except KeyboardInterrupt as interruption:
            history.stopped, history.interruption = "interrupted", interruption
        finally:
            history.best = watch.restore()
        return history

    def _pass(
        self, batches: Batches, held_out: Documents | None, number: int, began: float
    ) -> tuple[Epoch, str]:
        """One epoch and its scores; what was not finite, or an empty string."""
        bound, faulty = self._epoch(batches, number)
        if held_out is None:
            seen = batches.documents
            rows = torch.arange(min(len(seen.counts), SAMPLE), device=seen.device)
            scores = score(self.objective, seen.select(rows), self.memories[0])
        else:
            self.memories[1] = self.objective.memory(len(held_out.counts))  # the same effort
            scores = score(self.objective, held_out, self.memories[1])
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
            return event, f"the bound was not finite after step {len(batches)} of epoch {number}"
        return event, ""

    def _epoch(self, batches: Batches, number: int) -> tuple[float, int | None]:
        """One pass; the mean bound, and the first step (from 1) whose gradient was not finite."""
        self.objective.train()
        steps, device = len(batches), batches.documents.device
        bounds_seen = []
        faulty = torch.full((), steps + 1, device=device)
        for step, batch in enumerate(batches, 1):
            progress = ((number - 1) * steps + step - 1) / (self.schedule.epochs * steps)
            bound, norm = self.step(batch, min(1.0, progress))
            bounds_seen.append(bound)
            faulty = torch.where(torch.isfinite(norm), faulty, faulty.clamp_max(step))
        first = int(faulty)
        return float(torch.cat(bounds_seen).mean()), first if first <= steps else None

    def step(self, batch: Batch, progress: float) -> tuple[Tensor, Tensor]:
        """One step, after such a share of all: the bound ``(B,)``, and the gradient's norm."""
        rate = self.schedule.learning_rate_at(progress)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.objective.anneal(progress)
        with self._precision():
            surrogate = self.objective(batch, self.schedule.kl_weight_at(progress))
        tokens = batch.counts.lengths.mean().clamp_min(1.0)
        loss = (surrogate.loss.mean() + self.objective.penalty()) / tokens
        if surrogate.control is not None:
            loss = loss + surrogate.control
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.shared, self.schedule.clip)
        if self.own:
            nn.utils.clip_grad_norm_(self.own, 1.0)
        self.optimizer.step()
        return surrogate.bound, norm

    def _precision(self) -> AbstractContextManager[object]:
        device = self.shared[0].device.type
        wanted = device == "cuda" if self.schedule.autocast is None else self.schedule.autocast
        return torch.autocast(device, dtype=torch.bfloat16, enabled=wanted)

    def _explain(self, fault: str, watch: _Watch, trained: bool) -> str:
        cure = f"try a learning rate below {self.schedule.learning_rate:g}"
        if watch.best:
            return f"{fault}; the weights of epoch {watch.best} are kept; {cure}"
        if trained:
            return f"{fault}; the weights from before are kept; {cure}"
        raise FitError(f"{fault}, before any epoch was complete; {cure}")


class _Watch:
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

    def _keep(self) -> None:
        state = self.objective.state_dict()
        self.weights = {name: tensor.clone() for name, tensor in state.items()}


@torch.no_grad()
def score(objective: Objective, documents: Documents, memory: Memory | None = None) -> Scores:
    """The bound of every document that the objective watches."""
    objective.eval()
    watched = [objective.watched(batch) for batch in in_order(documents, AT_ONCE, memory)]
    each = torch.cat([bound for bound, _ in watched])
    words, means = documents.counts.lengths, [mean for _, mean in watched]
    used = words > 0
    active = torch.cat(means).var(0, correction=0) >= DEAD
    perplexity = (
        torch.exp(-(each[used] / words[used]).mean()) if bool(used.any()) else torch.ones(())
    )
    return Scores(float(each.mean()), float(perplexity), int(active.sum()))
