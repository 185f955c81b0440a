"""The gradient of one batch in the posterior's logits and in its parameters: drawn, and exact."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from topicfactors.bits import all_states
from topicfactors.contracts import Batch, Draw
from topicfactors.gradients.base import Gradient
from topicfactors.studies.moments import Moments, Reference
from topicfactors.studies.races import endless
from topicfactors.training.batches import Documents
from topicfactors.training.objectives import FactorObjective

BLOCK = 2**22  # bits of the states of the documents that are enumerated together
TOGETHER = 10  # draws of a document in one call where many are wanted
GROUPS_OF_ENCODER = 5  # of draws, where every group is as large as the encoder


class Gradients(NamedTuple):
    """Of the negative bound, one batch."""

    logits: Tensor  # (B, D)
    encoder: Tensor  # (1, P) of the mean over the documents, in every parameter of the posterior


class Scene:
    """A model that stands still, and a batch of documents on which gradients are drawn.

    Parameters
    ----------
    objective
        Its joint and its posterior are copied.
    batch
        The documents.
    """

    def __init__(self, objective: FactorObjective, batch: Batch) -> None:
        self.joint = copy.deepcopy(objective.joint).eval().requires_grad_(False)
        self.posterior = copy.deepcopy(objective.posterior).eval()
        self.parameters = [p for p in self.posterior.parameters() if p.requires_grad]
        self.batch = batch

    def part(self, rows: Tensor) -> Scene:
        """The documents at ``rows (R,)`` of the batch alone; the model is shared."""
        whole = self.batch
        covariates = None if whole.covariates is None else whole.covariates[rows]
        counts: Any = whole.counts.select(rows)
        return self.of(Batch(counts, None, covariates, whole.rows[rows], whole.memory))

    def of(self, batch: Batch) -> Scene:
        """The same model with other documents."""
        other = copy.copy(self)
        other.batch = batch
        return other

    def posed(self) -> tuple[Any, Any, Tensor]:
        """Log p(x, z), q(z | x) and the logits ``(B, D)`` that its encoder has given."""
        target = self.joint.condition(self.batch)
        q: Any = self.posterior(self.batch, target)
        return target, q, q.logits if q.factorised else q.start

    def derivative(self, loss: Tensor, logits: Tensor) -> Gradients:
        """Of a loss ``(B,)``."""
        wanted = [logits, *self.parameters]
        size = len(loss)
        found = torch.autograd.grad(loss.mean(), wanted, allow_unused=True)
        flat = [
            (torch.zeros_like(w) if g is None else g).flatten()
            for w, g in zip(wanted, found, strict=True)
        ]
        encoder = torch.cat(flat[1:]) if len(flat) > 1 else flat[0][:0]
        return Gradients(flat[0].view_as(logits) * size, encoder[None])

    def drawn(self, gradient: Gradient) -> Gradients:
        """One draw; what the estimator is known to scale the posterior's gradient by is undone."""
        target, q, logits = self.posed()
        found = self.derivative(gradient(target, q, 1.0).loss, logits)
        scale = float(getattr(gradient, "encoder_scale", 1.0))
        return Gradients(found.logits / scale, found.encoder / scale)

    def exact(self) -> tuple[Reference, Reference]:
        """The gradient of the ELBO by enumeration: in the logits, and in the encoder."""
        documents, factors = len(self.batch.counts), self.joint.sizes.factors
        states = all_states(factors, self.joint.decoder.bias.device)
        size = max(1, BLOCK // (len(states) * factors * 8))
        parts, encoder = [], torch.zeros(())
        for rows in torch.split(torch.arange(documents, device=states.device), size):
            found = self.part(rows)._enumerated(states)
            parts.append(found.logits.double())
            encoder = encoder + found.encoder.double() * (len(rows) / documents)
        logits = torch.cat(parts)
        return tuple(Reference(mean, torch.zeros_like(mean)) for mean in (logits, encoder))  # type: ignore[return-value]

    def _enumerated(self, states: Tensor) -> Gradients:
        target, q, logits = self.posed()
        with torch.no_grad():
            table = target.table()
        bits = states.to(table.dtype)[:, None, :].expand(-1, len(self.batch.counts), -1)
        log_q = q.log_prob(Draw(bits, bits, bits, bits))
        return self.derivative(-(log_q.exp() * (table - log_q)).sum(0), logits)


def draw_many(scene: Scene, gradient: Gradient, draws: int) -> tuple[Moments, Moments]:
    """So many draws of the gradient, in the logits and in the encoder."""
    logits, encoder = Moments(), Moments(GROUPS_OF_ENCODER)
    for _ in range(draws):
        found = scene.drawn(gradient)
        logits.add(found.logits)
        encoder.add(found.encoder)
    return logits, encoder


def warm_up(scene: Scene, gradient: Gradient, documents: Documents, steps: int, seed: int) -> None:
    """Let an estimator that learns see the model it is for; then it stands still.

    Running means are followed and its own parameters trained, as in a fit, at the temperature of
    the end of one. The model does not move.
    """
    gradient.train()
    gradient.anneal(1.0)
    own = [p for p in gradient.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(own, lr=gradient.learning_rate, betas=(0.9, 0.99)) if own else None
    learns = bool(gradient.state_dict())
    batches = endless(documents, gradient.batch_size, seed)
    for step in range(steps if learns else 0):
        batch = next(batches)
        target, q, _ = scene.of(batch).posed()
        control = gradient(target, q, 1.0).control
        if control is None or optimizer is None:
            continue
        found = torch.autograd.grad(control, own, allow_unused=True)
        for parameter, slope in zip(own, found, strict=True):
            parameter.grad = slope
        nn.utils.clip_grad_norm_(own, 1.0)
        for group in optimizer.param_groups:
            group["lr"] = gradient.learning_rate * (1 - step / steps)
        optimizer.step()
    gradient.eval()
