"""p(z): how often factors are on before any word is seen."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from topicfactors.contracts import Distribution, Sizes
from topicfactors.values import number


class Prior(Protocol):
    """Contract of a prior over D bits; all values in nats."""

    normalised: bool

    def log_prob(self, z: Tensor) -> Tensor:
        """``(…, D) -> (…)``; for relaxed z, its linear extension."""

    def log_odds(self, z: Tensor) -> Tensor:
        """``(…, D)``: log-odds of each bit given the rest."""

    def kl(self, q: Distribution) -> Tensor | None:
        """KL(q ‖ p), ``(B,)``, where it has a closed form, else None."""

    def condition(self, covariates: Tensor | None) -> Prior:
        """The prior of documents with these covariates ``(B, C)``."""

    def log_partition(self) -> Tensor:
        """Log Z, a scalar; zero where ``normalised``."""

    def sample(self, samples: int, documents: int) -> Tensor:
        """Bits ``(S, B, D)``."""

    def probabilities(self) -> Tensor:
        """P(z_d = 1), ``(D,)``."""

    def arrange(self, order: Tensor, flipped: Tensor) -> None:
        """Reorder the factors and turn some around; those not in ``order`` are dropped."""


class BernoulliPrior(nn.Module):
    r"""Independent bits, :math:`p(z) = \prod_d \mathrm{Bernoulli}(z_d; \sigma(a_d))`.

    Parameters
    ----------
    sizes
        Its ``factors`` is D.
    probability
        Starting value of every σ(a_d), or its fixed value.
    learnt
        Whether a is trained.
    """

    normalised = True

    def __init__(self, sizes: Sizes, *, probability: float = 0.1, learnt: bool = True) -> None:
        super().__init__()
        number("probability", probability, 0.0, 1.0, open_ends="low high")
        start = torch.logit(torch.full((sizes.factors,), probability, dtype=torch.float64))
        self.logits = nn.Parameter(start.float(), requires_grad=learnt)

    def log_prob(self, z: Tensor) -> Tensor:
        """``(…, D) -> (…)`` nats."""
        return z @ self.logits + functional.logsigmoid(-self.logits).sum()

    def log_odds(self, z: Tensor) -> Tensor:
        """``(…, D)``; the bits are independent, so the rest does not matter."""
        return self.logits.expand_as(z)

    def kl(self, q: Distribution) -> Tensor | None:
        """Σ_d KL(Bernoulli(q_d) ‖ Bernoulli(σ(a_d))), ``(B,)``; from logits, safe in float32."""
        if not q.factorised:
            return None
        log_on = functional.logsigmoid(q.logits) - functional.logsigmoid(self.logits)
        log_off = functional.logsigmoid(-q.logits) - functional.logsigmoid(-self.logits)
        on = torch.sigmoid(q.logits)
        return (on * log_on + (1 - on) * log_off).sum(-1)

    def condition(self, covariates: Tensor | None) -> BernoulliPrior:
        """Itself: this prior is the same for every document."""
        return self

    def log_partition(self) -> Tensor:
        """A scalar, zero: the prior is normalised."""
        return self.logits.new_zeros(())

    def sample(self, samples: int, documents: int) -> Tensor:
        """Bits ``(S, B, D)``."""
        return torch.bernoulli(self.probabilities().expand(samples, documents, -1))

    def probabilities(self) -> Tensor:
        """P(z_d = 1), ``(D,)``."""
        return torch.sigmoid(self.logits.detach())

    @torch.no_grad()
    def arrange(self, order: Tensor, flipped: Tensor) -> None:
        """Factor ``order[d]`` becomes factor d, others go; where ``flipped``, off becomes on."""
        self.logits.data = torch.where(flipped, -self.logits, self.logits)[order]


PRIORS = {"bernoulli": BernoulliPrior}
