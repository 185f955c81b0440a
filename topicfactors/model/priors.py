"""p(z): how often factors are on before any word is seen."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from topicfactors.contracts import Distribution, Draw, Sizes
from topicfactors.divergences import divergence
from topicfactors.model.belief_network import BeliefNetworkPrior
from topicfactors.model.boltzmann import BoltzmannPrior
from topicfactors.model.effects import Effects
from topicfactors.values import number


class Bits(Protocol):
    """Contract of a distribution of D bits; all values in nats."""

    normalised: bool
    effects: Effects | None  # of covariates; None where it has none

    def log_prob(self, z: Tensor) -> Tensor:
        """``(…, D) -> (…)``; for relaxed z, its linear extension."""

    def log_odds(self, z: Tensor) -> Tensor:
        """``(…, D)``: log-odds of each bit given the rest."""

    def kl(self, q: Distribution) -> Tensor | None:
        """KL(q ‖ p), ``(B,)``, where it has a closed form, else None."""

    def kl_along(self, q: Distribution, draw: Draw) -> Tensor:
        """KL(q ‖ p) along the values of a draw, ``(S, B)``, to be differentiated through them."""

    def condition(self, covariates: Tensor | None) -> Bits:
        """The prior of documents with these covariates ``(B, C)``; at their mean where None."""

    def log_partition(self) -> Tensor:
        """Log Z, a scalar; zero where ``normalised``."""

    def refresh(self) -> None:
        """Bring log Z up to date with the parameters; asked before any score."""

    def sample(self, samples: int, documents: int) -> Tensor:
        """Bits ``(S, B, D)``."""

    def probabilities(self) -> Tensor:
        """P(z_d = 1), ``(D,)``; ``(B, D)`` of the documents it is conditioned on."""


class Prior(Bits, Protocol):
    """Contract of a prior over D bits, which a model has."""

    independent: bool  # are the others distributed as before where a factor is dropped, or off?

    def penalty(self) -> Tensor:
        """What its parameters alone add to the loss, a scalar in nats a document."""

    def arrange(self, order: Tensor, flipped: Tensor) -> None:
        """Reorder the factors and turn some around; those not in ``order`` are dropped."""


class Bernoulli:
    """Independent bits with given log-odds: of every document alike, or of each its own.

    Parameters
    ----------
    logits
        ``(D,)`` or ``(B, D)``.
    """

    normalised = True
    effects: Effects | None
    logits: Tensor

    def __init__(self, logits: Tensor) -> None:
        self.logits, self.effects = logits, None

    def log_prob(self, z: Tensor) -> Tensor:
        """``(…, D) -> (…)`` nats; ``(S, B or 1, D) -> (S, B)`` where each document has its own."""
        logits, none_on = self.logits, functional.logsigmoid(-self.logits).sum(-1)
        if logits.dim() == 1:
            return z @ logits + none_on
        if z.shape[-2] == 1:  # a table of states: no array of (states, documents, factors)
            return z.squeeze(-2) @ logits.t() + none_on
        return (z * logits).sum(-1) + none_on

    def log_odds(self, z: Tensor) -> Tensor:
        """``(…, D)``; the bits are independent, so the rest does not matter."""
        return self.logits + torch.zeros_like(z)

    def kl(self, q: Distribution) -> Tensor | None:
        """Σ_d KL(Bernoulli(q_d) ‖ Bernoulli(σ(a_d))), ``(B,)``; from logits, safe in float32."""
        if not q.factorised:
            return None
        return divergence(q.logits, self.logits)

    def kl_along(self, q: Distribution, draw: Draw) -> Tensor:
        """The same given the values drawn before, for each draw ``(S, B)``."""
        return divergence(draw.logits, self.logits)

    def condition(self, covariates: Tensor | None) -> Bernoulli:
        """Itself: the documents are known."""
        return self

    def log_partition(self) -> Tensor:
        """A scalar, zero: the prior is normalised."""
        return self.logits.new_zeros(())

    def refresh(self) -> None:
        """Nothing to do: the prior is normalised."""

    def sample(self, samples: int, documents: int) -> Tensor:
        """Bits ``(S, B, D)``."""
        return torch.bernoulli(self.probabilities().expand(samples, documents, -1))

    def probabilities(self) -> Tensor:
        """P(z_d = 1), ``(D,)`` or ``(B, D)``."""
        return torch.sigmoid(self.logits.detach())


class BernoulliPrior(nn.Module, Bernoulli):
    r"""Independent bits, :math:`p(z \mid c) = \prod_d \mathrm{Bernoulli}(z_d; \sigma(a_d +
    \Gamma_d c))`.

    Parameters
    ----------
    sizes
        Its ``factors`` is D; its ``covariates`` C, 0 for a prior that is the same everywhere.
    probability
        Starting value of every σ(a_d), or its fixed value.
    learnt
        Whether a is trained; the effects of covariates are.
    """

    independent = True

    def __init__(self, sizes: Sizes, *, probability: float = 0.1, learnt: bool = True) -> None:
        nn.Module.__init__(self)
        number("probability", probability, 0.0, 1.0, open_ends="low high")
        start = torch.logit(torch.full((sizes.factors,), probability, dtype=torch.float64))
        self.logits = nn.Parameter(start.float(), requires_grad=learnt)
        self.effects = Effects(sizes.factors, sizes.covariates) if sizes.covariates else None

    def condition(self, covariates: Tensor | None) -> Bernoulli:
        """The bits of documents with covariates ``(B, C)``; itself where nothing differs."""
        if self.effects is None or covariates is None:
            return self
        return Bernoulli(self.logits + self.effects(covariates))

    def penalty(self) -> Tensor:
        """Nothing, a scalar."""
        return self.logits.new_zeros(())

    @torch.no_grad()
    def arrange(self, order: Tensor, flipped: Tensor) -> None:
        """Factor ``order[d]`` becomes factor d, others go; where ``flipped``, off becomes on."""
        self.logits.data = torch.where(flipped, -self.logits, self.logits)[order]
        if self.effects is not None:
            self.effects.arrange(order, flipped)


PRIORS: dict[str, type[nn.Module]] = {
    "belief-network": BeliefNetworkPrior,
    "bernoulli": BernoulliPrior,
    "boltzmann": BoltzmannPrior,
}
