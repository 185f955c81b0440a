r"""q(z | x) whose factors are drawn in groups, each knowing what the groups before have drawn.

.. math:: q(z \mid x) = \prod_g \prod_{d \in g} \mathrm{Bernoulli}(z_d; \sigma(l_d(x, z_{<g}))),

with log-odds that are linear in the earlier factors, :math:`l_d = a_d(x) + \sum_j (w_{dj} +
n v_{dj}) z_j`, n the tokens of the document (what one factor explains is evidence against another,
in proportion to the tokens), and through a hidden layer where one is asked for. Within a group the
factors are independent, so that a draw takes a small product a group, and a probability one.
Gregor, Danihelka, Mnih, Blundell and Wierstra (2014), https://arxiv.org/abs/1310.8499; the
hierarchical posterior of Rolfe (2017), https://arxiv.org/abs/1609.02200; masks as in Germain,
Gregor, Murray and Larochelle (2015), https://arxiv.org/abs/1502.03509.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from topicfactors.contracts import Batch, Draw, Relaxation, Sizes, Target
from topicfactors.inference.encoders import BagOfWordsEncoder
from topicfactors.inference.noise import document_keys, document_noise
from topicfactors.inference.posteriors import MeanFieldPosterior, Posterior, threshold, uniform
from topicfactors.values import whole

AVERAGED = 64  # draws whose probabilities are averaged for the marginals
CERTAIN = 1e-6  # marginals are kept so far from 0 and 1 where their log-odds are asked for
TOKENS = 100.0  # the unit of a document's length that the couplings know


class Couplings(NamedTuple):
    """What earlier factors say to later ones; entries between others are zero."""

    groups: Tensor  # (D,) of each factor, from 0
    weights: Tensor  # (D, D) what factor j adds to the log-odds of d
    lasting: Tensor  # (D, D) the same for each hundred tokens of the document
    degrees: Tensor  # (H,) a hidden unit reads the groups before its degree
    inner: Tensor  # (H, D) what the units read
    outer: Tensor  # (D, H) what they say, to the groups from their degree on

    def detach(self) -> Couplings:
        """The same, cut off from the graph."""
        return Couplings(*(part.detach() for part in self))


class Autoregressive:
    """Bits drawn group by group.

    Parameters
    ----------
    start
        Log-odds of the bits while no factor is on, ``(B, D)``.
    couplings
        What earlier groups add to them.
    given
        What the document says to the hidden units, ``(B, H)``.
    features
        What the encoder knew of each document, ``(B, F)``; the last is its length in tokens.
    keys
        A hash of each document ``(B,)``, from which the noise of :meth:`mean` is made.
    heard
        1 for documents whose factors hear the earlier ones, 0 where they are independent,
        ``(B, 1)``; None for 1 everywhere.
    """

    factorised = False
    reparameterisable = True

    def __init__(
        self,
        start: Tensor,
        couplings: Couplings,
        given: Tensor,
        features: Tensor,
        keys: Tensor,
        heard: Tensor | None = None,
    ) -> None:
        self.start, self.couplings, self.given = start, couplings, given
        self.features, self.keys, self.heard = features, keys, heard

    @property
    def groups(self) -> Tensor:
        """Group of each factor, ``(D,)``, in the order in which they are drawn."""
        return self.couplings.groups

    @property
    def _hundreds(self) -> Tensor:
        return (self.features[:, -1:] / TOKENS).to(self.start.dtype)

    def sample(
        self, samples: int, relaxation: Relaxation | None = None, noise: Tensor | None = None
    ) -> Draw:
        """S draws for every document, all fields ``(S, B, D)``; later groups read the values."""
        if noise is None:
            noise = uniform((samples, *self.start.shape), self.start)
        noise = noise.to(self.start.dtype)
        parts: list[tuple[Tensor, Tensor, Tensor]] = []
        members = _members(self.groups)
        for number, group in enumerate(members):
            earlier = torch.cat(members[:number]) if number else group[:0]
            values = torch.cat([noise[..., :0], *(values for _, values, _ in parts)], -1)
            logits = self._of(group, earlier, values)
            parts.append((*(relaxation or threshold)(logits, noise[..., group]), logits))
        back = torch.cat(members).argsort()
        bits, values, logits = (torch.cat(part, -1)[..., back] for part in zip(*parts, strict=True))
        return Draw(bits, values, logits, noise)

    def _of(self, group: Tensor, earlier: Tensor, values: Tensor) -> Tensor:
        """Log-odds ``(S, B, members)`` of a group, from the values of ``earlier`` ones."""
        parts = self.couplings
        known = values @ parts.weights[group][:, earlier].t()
        lasting = values @ parts.lasting[group][:, earlier].t()
        told = known + self._hundreds * lasting
        if len(parts.degrees):
            units = functional.gelu(self.given + values @ parts.inner[:, earlier].t())
            told = told + units @ parts.outer[group].t()
        return self.start[:, group] + self._heard(told)

    def conditioned(self, values: Tensor) -> Tensor:
        """Log-odds of every factor given the values of those before it, ``(S, B, D)``."""
        parts = self.couplings
        lasting = values @ parts.lasting.t()
        told = values @ parts.weights.t() + self._hundreds * lasting
        if len(parts.degrees):
            units = functional.gelu(self.given + values @ parts.inner.t())
            told = told + units @ parts.outer.t()
        return self.start + self._heard(told)

    def _heard(self, told: Tensor) -> Tensor:
        return told if self.heard is None else told * self.heard

    def freed(self, logits: Tensor, rows: Tensor) -> Autoregressive:
        """Independent bits with log-odds ``logits (B, D)`` where ``rows (B,)``; the rest stays."""
        heard = (~rows)[:, None].to(self.start.dtype)
        start = torch.where(rows[:, None], logits.to(self.start.dtype), self.start)
        parts = (self.couplings, self.given, self.features, self.keys)
        return Autoregressive(start, *parts, self._heard(heard))

    def log_prob(self, draw: Draw) -> Tensor:
        """Log q(z | x) of the values drawn, ``(S, B)`` nats; linear in each relaxed value."""
        logits = self.conditioned(draw.values)
        return (draw.values * logits - functional.softplus(logits)).sum(-1)

    @torch.no_grad()
    def draws(self, samples: int = AVERAGED) -> Draw:
        """Draws whose noise is made from the documents alone."""
        return self.sample(samples, noise=document_noise(self.keys, samples, self.start.shape[1]))

    @functools.cached_property
    def _mean(self) -> Tensor:
        return self.draws().logits.sigmoid().mean(0)

    def mean(self) -> Tensor:
        """P(z_d = 1 | x), ``(B, D)``: an average over draws that the document determines."""
        return self._mean

    @property
    def logits(self) -> Tensor:
        """Log-odds of the marginals, ``(B, D)``: where a search or an ascent begins."""
        return torch.logit(self._mean, CERTAIN)

    def bound(self) -> None:
        """None: its bound must be sampled."""

    def support(self) -> None:
        """None: every state is possible."""

    def detach(self) -> Autoregressive:
        """The same distribution, cut off from the graph."""
        parts = (self.given.detach(), self.features.detach(), self.keys, self.heard)
        return Autoregressive(self.start.detach(), self.couplings.detach(), *parts)


def _members(groups: Tensor) -> list[Tensor]:
    """The factors of each group that has any."""
    order, sizes = groups.argsort(stable=True), groups.bincount()
    return [part for part in torch.split(order, sizes.tolist()) if len(part)]


class AutoregressivePosterior(Posterior):
    """An encoder, a linear layer, and couplings between groups of factors.

    It begins as the mean-field posterior of the same encoder: the couplings are zero.

    Parameters
    ----------
    sizes
        Number of factors D, and of covariates C, which shift the log-odds; its ``features`` is one
        more than the encoder's width.
    encoder
        Counts to features ``(B, F - 1)``.
    groups
        Number of groups G; factor d begins in group d modulo G. As many as factors for one after
        the other; a draw takes G products.
    width
        Units of a hidden layer through which earlier factors and the document's features reach the
        later ones together; 0 for none.
    bias
        Starting value of every log-odds.
    """

    family = Autoregressive

    def __init__(
        self,
        sizes: Sizes,
        encoder: BagOfWordsEncoder,
        *,
        groups: int = 5,
        width: int = 0,
        bias: float = -2.0,
    ) -> None:
        super().__init__()
        whole("groups", groups, 1)
        whole("width", width, 0)
        factors = sizes.factors
        self.guess = MeanFieldPosterior(sizes, encoder, bias=bias)
        self.register_buffer("groups", torch.arange(factors) % groups)
        self.register_buffer("degrees", 1 + torch.arange(width) % max(1, groups - 1))
        self.register_buffer("drift", torch.zeros(factors))
        self.groups: Tensor
        self.degrees: Tensor
        self.drift: Tensor  # log-odds a hundred tokens, of factors that were turned
        self.weights = nn.Parameter(torch.zeros(factors, factors))
        self.lasting = nn.Parameter(torch.zeros(factors, factors))
        self.inner = nn.Parameter(torch.randn(width, factors))
        self.outer = nn.Parameter(torch.zeros(factors, width))
        self.given = nn.Linear(encoder.width, width) if width else None

    def forward(self, batch: Batch, target: Target) -> Autoregressive:
        """q(z | x) of the batch; the target is not needed."""
        return self.amortised(batch)

    def amortised(self, batch: Batch) -> Autoregressive:
        """The same."""
        guess = self.guess.amortised(batch)
        features, start = guess.features, guess.logits
        start = start + (features[:, -1:] / TOKENS).to(start.dtype) * self.drift
        given = start[:, :0]
        if self.given is not None:
            given = self.given(features[:, :-1]).to(start.dtype)
        keys = document_keys(batch.counts)
        return Autoregressive(start, self.couplings(), given, features, keys)

    def couplings(self) -> Couplings:
        """What earlier groups say to later ones."""
        groups, degrees = self.groups, self.degrees
        later = (groups[:, None] > groups).to(self.weights.dtype)
        reads = (degrees[:, None] > groups).to(self.weights.dtype)
        speaks = (groups[:, None] >= degrees).to(self.weights.dtype)
        told = self.weights * later, self.lasting * later
        return Couplings(groups, *told, degrees, self.inner * reads, self.outer * speaks)

    @torch.no_grad()
    def arrange(self, order: Tensor, flipped: Tensor) -> None:
        """Factor ``order[d]`` becomes factor d in its group; where ``flipped``, off becomes on.

        Where z_j becomes 1 − z_j its column changes sign, and what it was goes to the biases.
        """
        parts = self.couplings()
        turned = flipped.to(self.weights.dtype)
        self.guess.head.bias.add_(parts.weights @ turned)
        self.drift.add_(parts.lasting @ turned)
        if self.given is not None:
            self.given.bias.add_(parts.inner @ turned)
        self.guess.arrange(order, flipped)
        sign = 1 - 2 * turned
        for part, told in ((self.weights, parts.weights), (self.lasting, parts.lasting)):
            part.data = (sign[:, None] * told * sign)[order][:, order]
        self.inner.data = (parts.inner * sign)[:, order]
        self.outer.data = (sign[:, None] * parts.outer)[order]
        self.drift, self.groups = (sign * self.drift)[order], self.groups[order]
