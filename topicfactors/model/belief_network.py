r"""A second layer of binary units over the factors: groups of factors that come together.

:math:`p(z) = \sum_h \prod_k \mathrm{Bernoulli}(h_k; \sigma(b_k)) \prod_d \mathrm{Bernoulli}(z_d;
\sigma(c_d + (U h)_d))`, a sigmoid belief network as in Mnih and Gregor (2014),
https://arxiv.org/abs/1402.0030.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from topicfactors.bits import all_states
from topicfactors.contracts import Distribution, Draw, Sizes
from topicfactors.divergences import negentropy
from topicfactors.errors import ConfigurationError
from topicfactors.model.machine import drawn
from topicfactors.values import number, whole

SUMMED = 12  # units whose states are summed
MARGIN = 1e8  # above the smallest number, where a sum has lost none of its digits


class BeliefNetworkPrior(nn.Module):
    r"""Factors that depend on H hidden units, which are summed out.

    log p(z) is exact: a sum over the 2^H states of the units, at every step.

    Parameters
    ----------
    sizes
        Its ``factors`` is D. Covariates are not read.
    units
        H, at most 12.
    probability
        Starting value of P(z_d = 1) with no unit on.
    scale
        Standard deviation of the starting values of U; from zero the units would stay alike.
    """

    normalised = True
    independent = False
    effects = None

    def __init__(
        self, sizes: Sizes, *, units: int = 8, probability: float = 0.1, scale: float = 0.5
    ) -> None:
        super().__init__()
        whole("units", units, 1)
        if units > SUMMED:
            raise ConfigurationError(
                f"units must be at most {SUMMED}, whose 2^H states are summed, got {units}"
            )
        number("probability", probability, 0.0, 1.0, open_ends="low high")
        number("scale", scale, open_ends="low")
        start = torch.logit(torch.full((sizes.factors,), probability, dtype=torch.float64))
        own = torch.Generator().manual_seed(0)  # so that the other parts begin as they always do
        self.logits = nn.Parameter(start.float())
        self.top = nn.Parameter(torch.zeros(units))
        self.weights = nn.Parameter(scale * torch.randn(sizes.factors, units, generator=own))
        self.register_buffer("states", all_states(units), persistent=False)
        self.states: Tensor

    def layer(self) -> tuple[Tensor, Tensor]:
        """Log-odds of the factors given each of S states of the units ``(S, D)``, and its log p."""
        log_on, log_off = functional.logsigmoid(self.top), functional.logsigmoid(-self.top)
        weights = self.states @ log_on + (1 - self.states) @ log_off
        return self.logits + self.states @ self.weights.t(), weights

    def log_prob(self, z: Tensor) -> Tensor:
        """``(…, D) -> (…)`` nats; for relaxed z, each state's part is extended linearly."""
        return self._parts(z)[0].logsumexp(-1)

    def log_odds(self, z: Tensor) -> Tensor:
        """``(…, D)``, exact: the units weighed by the bits, less the bit's own part."""
        parts, logits = self._parts(z)
        shares = parts.log_softmax(-1)  # (…, 2^H) of the units given z
        return torch.where(z > 0.5, -_mean_odds(shares, -logits), _mean_odds(shares, logits))

    def kl(self, q: Distribution) -> None:
        """None: it has no closed form."""

    def kl_along(self, q: Distribution, draw: Draw) -> Tensor:
        r"""Minus the entropy of bits given the values before, less log p of the bits, ``(S, B)``.

        A derivative goes through the log-odds of each bit, not through its relaxation, by
        :math:`\partial E[\log p(z)] = \sum_d E[w_d\, o_d\, \partial q_d]` with o the log-odds of a
        bit given the others. With w = 1 that is unbiased for every factorised q; in groups with
        :math:`w_d = (1-z_d)/(1-q_d)`, where q is reparameterised by values that are zero when the
        bit is off and begin at zero when it is on (the spike and exponential of dvae).
        """
        bits, logits = draw.bits.detach(), draw.logits
        on = torch.sigmoid(logits.detach())
        off = 1 - (on if q.factorised else bits)
        edge = (on * off * self.log_odds(bits)).detach()
        learnt = (edge * (logits - logits.detach())).sum(-1)
        return negentropy(logits) - self.log_prob(bits) - learnt

    def condition(self, covariates: Tensor | None) -> BeliefNetworkPrior:
        """Itself: it reads no covariates."""
        return self

    def log_partition(self) -> Tensor:
        """A scalar, zero: the prior is normalised."""
        return self.logits.new_zeros(())

    def refresh(self) -> None:
        """Nothing to do: the prior is normalised."""

    @torch.no_grad()
    def sample(self, samples: int, documents: int) -> Tensor:
        """Bits ``(S, B, D)``, from the units down."""
        units = drawn(torch.sigmoid(self.top).expand(samples, documents, -1))
        return drawn(torch.sigmoid(self.logits + units @ self.weights.t()))

    @torch.no_grad()
    def probabilities(self) -> Tensor:
        """P(z_d = 1), ``(D,)``."""
        logits, weights = self.layer()
        return weights.exp() @ torch.sigmoid(logits)

    def penalty(self) -> Tensor:
        """Nothing, a scalar."""
        return self.logits.new_zeros(())

    @torch.no_grad()
    def arrange(self, order: Tensor, flipped: Tensor) -> None:
        """Factor ``order[d]`` becomes factor d, others are summed out; where ``flipped``, off
        becomes on.
        """
        self.logits.data = torch.where(flipped, -self.logits, self.logits)[order]
        self.weights.data = torch.where(flipped[:, None], -self.weights, self.weights)[order]

    def _parts(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Log p(h, z) of each state of the units, ``(…, 2^H)``, and the log-odds given it."""
        logits, weights = self.layer()
        none_on = functional.logsigmoid(-logits).sum(-1)
        return z @ logits.t() + (weights + none_on), logits


def _mean_odds(shares: Tensor, logits: Tensor) -> Tensor:
    """Log of the mean odds, ``(…, D)``, from log-shares ``(…, S)`` and log-odds ``(S, D)``.

    One product; what it cannot hold, because states of large odds have no share, is summed as
    logarithms.
    """
    most, tiny = logits.amax(0), torch.finfo(logits.dtype).tiny
    mean = shares.exp() @ (logits - most).exp()
    found = most + mean.clamp_min(tiny).log()
    lost = mean < tiny * MARGIN
    if not bool(lost.any()):
        return found
    *rows, factors = lost.nonzero(as_tuple=True)
    return found.masked_scatter(lost, (shares[tuple(rows)] + logits.t()[factors]).logsumexp(-1))
