"""From a batch to a loss per document."""

from __future__ import annotations

import abc
from typing import Any

import torch
from torch import Tensor, nn

from topicfactors.contracts import Batch, Memory, Surrogate
from topicfactors.gradients.base import Gradient
from topicfactors.inference import bounds
from topicfactors.inference.noise import document_keys, document_noise
from topicfactors.inference.posteriors import Posterior
from topicfactors.inference.refine import refined
from topicfactors.inference.truncated import Search, searched
from topicfactors.model.joint import FactorTarget, Joint
from topicfactors.model.logits import Logits
from topicfactors.training.anchors import Pull
from topicfactors.training.continuous import ContinuousLayers, LayeredTarget, refuse


class Objective(nn.Module, abc.ABC):
    """What the training loop asks of a model."""

    @abc.abstractmethod
    def forward(self, batch: Batch, kl_weight: float = 1.0) -> Surrogate:
        """Loss and bound of every document, ``(B,)`` nats."""

    @abc.abstractmethod
    def watched(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The bound that says which weights are best ``(B,)``, and the posterior ``(B, D)``."""

    def penalty(self) -> Tensor:
        """What the parameters alone add to the loss, a scalar in nats a document."""
        return next(self.parameters()).new_zeros(())

    def own_parameters(self) -> list[nn.Parameter]:
        """Those of an estimator of gradients, which ``Surrogate.control`` alone trains."""
        return []

    def paced(self) -> tuple[list[nn.Parameter], float]:
        """Those that learn at another rate than the rest, and how many times that of the rest."""
        return [], 1.0

    def anneal(self, progress: float) -> None:
        """Told the share of the steps that were made, before each of them."""

    def memory(self, documents: int) -> Memory | None:
        """What is kept of so many documents between visits."""
        return None


class FactorObjective(Objective):
    """The binary latent-factor model, its posterior and the gradient that trains both.

    Parameters
    ----------
    joint, posterior, gradient
        The parts, already built for the same sizes.
    overlap_penalty
        Weight of the mean squared difference between the cosines of the loadings and the identity;
        keeps factors apart (docs/mathematics.md).
    layers
        Continuous latent variables above the factors, if any.
    """

    def __init__(
        self,
        joint: Joint,
        posterior: Posterior,
        gradient: Gradient,
        overlap_penalty: float = 0.0,
        layers: ContinuousLayers | None = None,
    ) -> None:
        super().__init__()
        self.layers = layers
        self.joint, self.posterior, self.gradient = joint, posterior, gradient
        self.overlap_penalty = overlap_penalty
        self.shrinkage = 0.0  # nats a document for each square of a loading, twice over
        self.covariate_shrinkage = 0.0  # likewise of the effects of covariates
        self.pull: Pull | None = None  # of anchors

    @property
    def search(self) -> Search:
        """How far sets of states are looked for: as the inference says, or as is usual."""
        return getattr(self.posterior, "search", Search())

    def condition(self, batch: Batch) -> tuple[FactorTarget, Any]:
        """Log p(x, z) of the batch and q(z | x)."""
        target = self.joint.condition(batch)
        return self._layered(target, self.posterior(batch, target))

    def _layered(self, target: FactorTarget, q: Any) -> tuple[FactorTarget, Any]:
        if self.layers is None:
            return target, q
        return LayeredTarget(target, self.layers, q.features), q

    def over_states(self, batch: Batch) -> FactorTarget:
        """Log p(x, z) of the batch, to be summed over z; refused where layers hide it."""
        if self.layers is not None:
            refuse("a sum over states")
        return self.joint.condition(batch)

    def word_logits(self, values: Tensor) -> Logits:
        """η of values ``(S, B, D)``, covariates at 0, continuous layers at the mean of p(h | z)."""
        logits = self.joint.logits(values)
        return logits if self.layers is None else self.layers.onto(logits, self.layers.mean(values))

    def per_factor(self) -> list[Any]:
        """The parts that have something of each factor, and arrange it."""
        own = [self.posterior] if self.layers is None else [self.posterior, self.layers]
        return [*self.joint.per_factor(), *own]

    def explain(
        self, batch: Batch, refine: int | None = None, states: int | None = None
    ) -> tuple[FactorTarget, Any]:
        """Log p(x, z) of the batch, and q(z | x) after so many steps from the encoder's guess.

        Rounds of search where the posterior is searched or ``states`` are asked for, else steps of
        coordinate ascent. ``refine`` None is the posterior's own way, 0 the guess alone. Where
        there is no guess the posterior is exact, and there is nothing to refine.
        """
        if refine is None and states is None:
            return self.condition(batch)
        target, guess = self.joint.condition(batch), self.posterior.amortised(batch)
        if guess is None:
            return target, self.posterior(batch, target)
        if refine == 0:
            return self._layered(target, guess)
        if refine is not None and states is None and not self.posterior.searched:
            return target, self.ascent(batch, target, guess, refine)
        if self.layers is not None:
            refuse("a search over states")
        rounds = self.search.new_rounds(target.factors) if refine is None else refine
        size = self.search.final_states if states is None else states
        breadth, settle = self.search.breadth, refine is None
        return target, searched(target, guess, size, rounds, breadth, settle=settle)

    def ascent(self, batch: Batch, target: FactorTarget, guess: Any, steps: int) -> Any:
        """The guess after so many steps of coordinate ascent of its factorised bound."""
        if self.layers is not None:
            refuse("a refined posterior")
        return refined(target, guess, document_keys(batch.counts), steps)

    def own_parameters(self) -> list[nn.Parameter]:
        """Those of the gradient's estimator."""
        return list(self.gradient.parameters())

    def paced(self) -> tuple[list[nn.Parameter], float]:
        """The posterior's, and the pace that its gradient allows."""
        return list(self.posterior.parameters()), self.gradient.pace

    def anneal(self, progress: float) -> None:
        """Temperatures follow the share of the steps that were made."""
        self.gradient.anneal(progress)

    def memory(self, documents: int) -> Memory | None:
        """The posterior's, of so many documents."""
        return self.posterior.memory(documents)

    def watched(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The bound with hard bits ``(B,)`` nats, and P(on) ``(B, D)``.

        The posterior's own bound where it has one without draws; else the ELBO, one draw each from
        noise that only the document determines.
        """
        target, q = self.condition(batch)
        bound = q.bound()
        if bound is None:
            noise = document_noise(document_keys(batch.counts), 1, self.joint.sizes.factors)
            bound = bounds.elbo(target, q, 1, noise)
        return bound, q.mean()

    def forward(self, batch: Batch, kl_weight: float = 1.0) -> Surrogate:
        """Loss and bound of every document, ``(B,)`` nats.

        The caller's autocast holds for the layers of the posterior alone: a log-likelihood adds up
        hundreds of nats, of which bfloat16 keeps two or three digits.
        """
        target, q = self.condition(batch)
        with torch.autocast(batch.counts.values.device.type, enabled=False):
            surrogate: Surrogate = self.gradient(target, q, kl_weight)
        return surrogate

    def penalty(self) -> Tensor:
        """What the parameters alone add to the loss, a scalar in nats a document."""
        bias = self.joint.decoder.bias
        squares = (effects.square().sum() for effects in self.joint.effects())
        pulled = 0.5 * self.covariate_shrinkage * sum(squares, bias.new_zeros(()))
        pulled = pulled + self.joint.prior.penalty()
        if self.overlap_penalty == 0 and self.shrinkage == 0 and self.pull is None:
            return pulled
        weights = self.joint.decoder.logits(bias.new_zeros(1, 1, self.joint.sizes.factors)).weights
        shrunk = pulled + 0.5 * self.shrinkage * weights.square().sum()
        if self.joint.response is not None:
            shrunk = shrunk + 0.5 * self.shrinkage * self.joint.response.coef.square().sum()
        if self.pull is not None:
            shrunk = shrunk + self.pull(weights)
        return shrunk + self._overlap(weights) if self.overlap_penalty else shrunk

    def _overlap(self, weights: Tensor) -> Tensor:
        unit = nn.functional.normalize(weights, dim=0, eps=1e-6)
        cosines = unit.t() @ unit
        apart = cosines - torch.eye(len(cosines), device=cosines.device)
        return self.overlap_penalty * apart.square().mean()
