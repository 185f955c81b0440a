"""p(y): how likely each class is, and log p(x, y) of all classes at once."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from topicfactors.contracts import Batch
from topicfactors.model.effects import Effects
from topicfactors.model.logits import Logits
from topicfactors.model.responses import Answers


class Categorical(NamedTuple):
    """p(y) of some documents."""

    log_probabilities: Tensor  # (B, K) nats

    def probabilities(self) -> Tensor:
        """``(B, K)``."""
        return self.log_probabilities.detach().exp()


class CategoricalPrior(nn.Module):
    r"""One class a document, :math:`p(y = k) = \mathrm{softmax}(a + \Gamma c)_k`.

    Parameters
    ----------
    classes
        Number K.
    covariates
        How many covariates of a document move p(y): log-odds a + Γ c; 0 for none.
    learnt
        Whether a is trained; it starts at zero, all classes alike.
    """

    def __init__(self, classes: int, covariates: int = 0, *, learnt: bool = True) -> None:
        super().__init__()
        self.effects = Effects(classes, covariates) if covariates else None
        self.logits = nn.Parameter(torch.zeros(classes), requires_grad=learnt)

    def log_probabilities(self, covariates: Tensor | None = None) -> Tensor:
        """Log p(y), ``(K, B or 1)`` nats; at the mean of the covariates where None."""
        logits = self.logits[None]
        if self.effects is not None and covariates is not None:
            logits = logits + self.effects(covariates)
        return functional.log_softmax(logits, -1).t()

    def condition(self, covariates: Tensor | None) -> Categorical:
        """p(y) of documents with these covariates ``(B, C)``."""
        return Categorical(self.log_probabilities(covariates).t())

    @torch.no_grad()
    def arrange(self, order: Tensor) -> None:
        """Class ``order[k]`` becomes class k."""
        self.logits.copy_(self.logits[order])
        if self.effects is not None:
            self.effects.arrange(order, torch.zeros_like(order, dtype=torch.bool))


class ClassTarget:
    """log p(x, y) of a batch, with its responses r where they are known, of the class alone."""

    def __init__(self, joint: Any, batch: Batch) -> None:
        self.joint, self.classes = joint, joint.classes
        self.counts = joint.likelihood.observe(batch.counts)
        self.covariates = joint.moving(batch)
        self.answers: Answers | None = joint.answers(batch)
        self.prior: Tensor = joint.log_class_prior(batch.covariates)

    def log_prior(self) -> Tensor:
        """Log p(y), ``(K, B or 1)`` nats."""
        return self.prior

    def log_likelihood(self, values: Tensor) -> Tensor:
        """Log p(x, r | y), ``(S, B or 1, K) -> (S, B)`` nats; one-hot classes, or relaxed ones."""
        likelihood, logits = self.joint.likelihood, self.logits(values)
        linear, norm = logits.dot(self.counts), likelihood.norm(logits)
        found: Tensor = likelihood.assemble(self.counts, logits, linear, norm)
        return found if self.answers is None else found + self.answers.log_prob(values)

    def table(self) -> Tensor:
        """Log p(x, r, y) of every class, ``(K, B)`` nats."""
        return self.log_likelihood(self.joint.every_class()) + self.prior

    def logits(self, values: Tensor) -> Logits:
        """η of the documents."""
        plain = self.joint.decoder.logits(values)
        moved: Logits = self.joint.with_content(plain, self.covariates)
        return moved
