r"""Gumbel-Softmax for one class a document: the relaxation that mixtures do not need.

Jang, Gu and Poole (2017), https://arxiv.org/abs/1611.01144. An encoder guesses q(y | x), a relaxed
one-hot vector softmax((log q + Gumbel noise) / τ) goes through the decoder, and the KL divergence
is summed in closed form. Biased, one evaluation over the vocabulary for every document, and a bound
where the sum over K classes is exact: for comparison only.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from topicfactors.contracts import Surrogate
from topicfactors.values import number, whole


class OverClasses(Protocol):
    """log p(x, y) of a batch; see :class:`topicfactors.model.classes.ClassTarget`."""

    def log_prior(self) -> Tensor:
        """Log p(y), ``(K, B or 1)`` nats."""

    def log_likelihood(self, values: Tensor) -> Tensor:
        """Log p(x | y), ``(S, B or 1, K) -> (S, B)`` nats."""


class CategoricalGumbelSoftmax(nn.Module):
    """The categorical Concrete relaxation with an annealed temperature.

    Parameters
    ----------
    samples
        Draws a document.
    hard
        Decode the most probable class of the draw, and use the relaxation's derivative only.
    start, end
        Temperature at the beginning, and after ``annealing`` of training; geometric between.
    annealing
        Share of training after which the temperature stays.
    """

    def __init__(
        self,
        *,
        samples: int = 1,
        hard: bool = False,
        start: float = 1.0,
        end: float = 0.4,
        annealing: float = 0.7,
    ) -> None:
        super().__init__()
        whole("samples", samples, 1)
        number("start", start, open_ends="low")
        number("end", end, open_ends="low")
        number("annealing", annealing, 0.0, 1.0, open_ends="low")
        self.samples, self.hard = samples, hard
        self.start, self.end, self.annealing = start, end, annealing
        self.temperature = start

    def anneal(self, progress: float) -> None:
        """Move the temperature geometrically from ``start`` to ``end``."""
        share = min(1.0, progress / self.annealing)
        self.temperature = self.start * (self.end / self.start) ** share

    def relaxed(self, log_q: Tensor) -> Tensor:
        """One-hot vectors drawn and relaxed, ``(S, B, K)``."""
        noise = torch.rand(self.samples, *log_q.shape, device=log_q.device, dtype=log_q.dtype)
        gumbel = -torch.log(-torch.log(noise.clamp(1e-20, 1 - 1e-7)))
        soft = torch.softmax((log_q + gumbel) / self.temperature, -1)
        if not self.hard:
            return soft
        onehot = functional.one_hot(soft.argmax(-1), soft.shape[-1]).to(soft.dtype)
        return onehot + soft - soft.detach()

    def forward(self, target: OverClasses, logits: Tensor, kl_weight: float = 1.0) -> Surrogate:
        """Differentiate the bound of q = softmax(``logits (B, K)``) through the relaxed draw."""
        log_q = functional.log_softmax(logits, -1)
        likelihood = target.log_likelihood(self.relaxed(log_q)).mean(0)
        kl = (log_q.exp() * (log_q - target.log_prior().t())).sum(-1)
        return Surrogate(kl_weight * kl - likelihood, (likelihood - kl).detach())
