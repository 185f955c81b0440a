"""What every gradient estimator shares: its contract, and the terms of the bound."""

from __future__ import annotations

import abc
from typing import ClassVar, NamedTuple

from torch import Tensor, nn

from topicfactors.contracts import Distribution, Draw, Sizes, Surrogate, Target
from topicfactors.values import whole


class Gradient(nn.Module, abc.ABC):
    """Contract of a gradient estimator: ``(target, q, kl_weight) -> Surrogate``.

    The derivative of ``loss`` estimates that of the negative bound in the parameters of both
    networks. Sizes come first, options after, so that ``partial(NVIL, samples=8)`` is a choice.
    """

    unbiased: ClassVar[bool]
    objective: ClassVar[str] = "elbo"  # what its derivative is of: also "iwae", "wake-sleep"
    posterior: ClassVar[str] = "mean-field"  # what posterior="auto" stands for
    sampled: ClassVar[bool] = True  # trains through draws, else serves its own posterior alone
    relaxed: ClassVar[bool] = False  # needs q.reparameterisable
    factorised: ClassVar[bool] = False  # needs q.factorised
    flips: ClassVar[bool] = False  # asks for the change that each flip of a draw makes
    layers: ClassVar[bool] = False  # goes with continuous layers: asks for log p(x | z) of draws
    smoothing: ClassVar[str | None] = None  # what smoothing="auto" stands for; None: it does not
    limit: ClassVar[int | None] = None  # most factors it can serve
    slow_above: ClassVar[int | None] = None  # factors beyond which it warns of its cost
    learning_rate: ClassVar[float] = 5e-3  # what "auto" stands for; measured
    pace: ClassVar[float] = 1.0  # the posterior's learning rate, in those of the model; likewise
    batch_size: ClassVar[int] = 256  # likewise
    steps: ClassVar[int] = 16  # a pass at least, so that few hundred documents are enough
    symmetric: bool = True  # is it the same estimator with on and off exchanged?
    epochs: int = 40  # likewise, where the user leaves max_iter to the package
    kl_warmup: ClassVar[float] = 0.3  # likewise
    shrinkage: ClassVar[float] = 0.0  # likewise
    lessons: ClassVar[int] = 0  # passes in which the encoder learns afterwards what was found

    def __init__(self, sizes: Sizes, *, samples: int = 1) -> None:
        super().__init__()
        whole("samples", samples, 1)
        self.sizes, self.samples = sizes, samples

    def anneal(self, progress: float) -> None:
        """Told before every step how much of training is over, from 0 to 1."""

    @abc.abstractmethod
    def forward(self, target: Target, q: Distribution, kl_weight: float) -> Surrogate:
        """Loss and bound of every document of the batch."""


class Terms(NamedTuple):
    """The bound in two parts: what depends on the draw and what is known in closed form."""

    signal: Tensor  # (S, B) f, with its derivative in the decoder and, if asked, through z
    kl: Tensor  # (B,) weighted closed-form KL, or zeros
    bound: Tensor  # (B,) estimate at weight 1, detached


def terms(
    target: Target, q: Distribution, draw: Draw, kl_weight: float, detach_q: bool = False
) -> Terms:
    """Evaluate the bound at a draw; ``detach_q`` keeps log q inside f out of the graph."""
    return _terms(target, q, draw, kl_weight, target.kl(q), detach_q)


def _terms(
    target: Target,
    q: Distribution,
    draw: Draw,
    kl_weight: float,
    kl: Tensor | None,
    detach_q: bool = False,
) -> Terms:
    likelihood = target.log_likelihood(draw.values)
    if kl is not None:
        bound = (likelihood.mean(0) - kl).detach()
        return Terms(likelihood, kl_weight * kl, bound)
    log_q = (q.detach() if detach_q else q).log_prob(draw)
    ratio = target.log_prior(draw.values) - log_q
    bound = (likelihood + ratio).mean(0).detach()
    return Terms(likelihood + kl_weight * ratio, bound.new_zeros(()), bound)


def pathwise(target: Target, q: Distribution, draw: Draw, kl_weight: float) -> Surrogate:
    """The loss of an estimator that differentiates through the values drawn.

    So is the KL divergence where it has no closed form.
    """
    closed = target.kl(q)
    if q.reparameterisable and closed is None:
        likelihood = target.log_likelihood(draw.values).mean(0)
        along = target.kl_along(q, draw).mean(0)
        return Surrogate(kl_weight * along - likelihood, (likelihood - along).detach())
    signal, kl, bound = _terms(target, q, draw, kl_weight, closed)
    return Surrogate(kl - signal.mean(0), bound)
