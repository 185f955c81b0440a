"""q(z | x): distributions over the factors of each document, and what makes them."""

from __future__ import annotations

import abc
import functools
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from topicfactors.bits import all_states
from topicfactors.contracts import Batch, Draw, Memory, Relaxation, Sizes, Target
from topicfactors.inference.encoders import BagOfWordsEncoder


def threshold(logits: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """The plain relaxation: none. Bit on where noise > 1 − σ(logits); values are the bits."""
    bits = (noise > torch.sigmoid(-logits)).to(logits.dtype)
    return bits, bits


def uniform(shape: tuple[int, ...], like: Tensor) -> Tensor:
    """Uniform numbers in (0, 1), both ends excluded so that their logits are finite."""
    tiny = torch.finfo(like.dtype).eps / 4
    return torch.rand(shape, dtype=like.dtype, device=like.device).clamp_(tiny, 1 - 2 * tiny)


class MeanField:
    r"""Independent bits, :math:`q(z\mid x) = \prod_d \mathrm{Bernoulli}(z_d; \sigma(l_d))`.

    Parameters
    ----------
    logits
        l, ``(B, D)``.
    features
        What the encoder knew of each document, ``(B, F)``; baselines read it.
    """

    factorised = True
    reparameterisable = True

    def __init__(self, logits: Tensor, features: Tensor | None = None) -> None:
        self.logits = logits
        self.features = logits.new_zeros(len(logits), 0) if features is None else features

    def sample(
        self, samples: int, relaxation: Relaxation | None = None, noise: Tensor | None = None
    ) -> Draw:
        """S draws for every document, all fields ``(S, B, D)``."""
        if noise is None:
            noise = uniform((samples, *self.logits.shape), self.logits)
        logits = self.logits.expand_as(noise)
        bits, values = (relaxation or threshold)(logits, noise)
        return Draw(bits, values, logits, noise)

    def log_prob(self, draw: Draw) -> Tensor:
        """Log q(z | x) of the values drawn, ``(S, B)`` nats; linear in relaxed values."""
        return (draw.values * self.logits - functional.softplus(self.logits)).sum(-1)

    def mean(self) -> Tensor:
        """P(z_d = 1 | x), ``(B, D)``."""
        return torch.sigmoid(self.logits)

    def bound(self) -> None:
        """None: its bound must be sampled."""

    def support(self) -> None:
        """None: every state is possible."""

    def detach(self) -> MeanField:
        """The same distribution, cut off from the graph."""
        return MeanField(self.logits.detach(), self.features.detach())


class Posterior(nn.Module):
    """Contract of what makes q(z | x) of a batch.

    Sizes and encoder come first, options after, so that ``"name:option=value"`` is a choice.
    """

    family: ClassVar[Any] = MeanField  # of its distributions; parts are checked by its flags
    encoded: ClassVar[bool] = True  # is there an encoder?
    sampled: ClassVar[bool] = True  # is it trained through draws, whichever estimator makes them?
    exact: ClassVar[bool] = False  # is it the posterior of the model itself?
    searched: ClassVar[bool] = False  # is it found by search, without a guess of its own to score?
    taught: ClassVar[bool] = True  # does a gradient teach it?

    def forward(self, batch: Batch, target: Target) -> Any:
        """q(z | x) of the batch."""
        raise NotImplementedError

    def amortised(self, batch: Batch) -> Any:
        """The encoder's guess, or None where there is nothing to guess from."""
        return None

    def memory(self, documents: int) -> Memory | None:
        """Somewhere to keep what is known of each of so many documents between visits."""
        return None

    def arrange(self, order: Tensor, flipped: Tensor) -> None:
        """Reorder the factors and turn some of them around."""


class MeanFieldPosterior(Posterior):
    """An encoder and a linear layer: amortised mean-field inference.

    Parameters
    ----------
    sizes
        Number of factors D, and of covariates C, which shift the log-odds; its ``features`` is one
        more than the encoder's width.
    encoder
        Counts to features ``(B, F - 1)``; the document's length in tokens becomes the last one,
        because a baseline must know it.
    bias
        Starting value of every log-odds.
    """

    def __init__(self, sizes: Sizes, encoder: BagOfWordsEncoder, *, bias: float = -2.0) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(encoder.width, sizes.factors)
        nn.init.constant_(self.head.bias, bias)
        self.shifts = (
            nn.Parameter(torch.zeros(sizes.factors, sizes.covariates)) if sizes.covariates else None
        )

    def forward(self, batch: Batch, target: Target) -> MeanField:
        """q(z | x) of the batch; the target is not needed."""
        return self.amortised(batch)

    def amortised(self, batch: Batch) -> MeanField:
        """The same."""
        features = self.encoder(batch.counts)
        logits = self.head(features).to(self.head.weight.dtype)
        if self.shifts is not None:
            if batch.covariates is None:
                raise ValueError("covariates must be given where the posterior reads them")
            logits = logits + batch.covariates.to(logits.dtype) @ self.shifts.t()
        return MeanField(logits, torch.cat([features, batch.counts.lengths[:, None]], 1))

    @torch.no_grad()
    def arrange(self, order: Tensor, flipped: Tensor) -> None:
        """Factor ``order[d]`` becomes factor d; where ``flipped``, off becomes on."""
        for part in (self.head.weight, self.head.bias, self.shifts):
            if part is None:
                continue
            sign = flipped.view(-1, *[1] * (part.dim() - 1))
            part.data = torch.where(sign, -part, part)[order]
        self.head.out_features = len(order)


class WeightedStates(abc.ABC):
    """A distribution that is a weight for each of some states of every document."""

    factorised = False
    reparameterisable = False
    log_weights: Any  # (S, B) nats

    @abc.abstractmethod
    def at(self, places: Tensor) -> Tensor:
        """Bits of the states at places ``(K, B)``, ``(K, B, D)``."""

    @abc.abstractmethod
    def mean(self) -> Tensor:
        """P(z_d = 1 | x), ``(B, D)``."""

    @property
    def features(self) -> Tensor:
        """None: ``(B, 0)``."""
        none: Tensor = self.log_weights.new_zeros(self.log_weights.shape[1], 0)
        return none

    @property
    def logits(self) -> Tensor:
        """Log-odds of the marginals, ``(B, D)``."""
        return torch.logit(self.mean(), eps=1e-7)

    def entropy(self) -> Tensor:
        """−Σ q log q, ``(B,)`` nats."""
        terms: Tensor = torch.special.entr(self.log_weights.exp())
        return terms.sum(0)

    def best(self, count: int) -> tuple[Tensor, Tensor]:
        """The most probable states ``(count, B, D)`` and their log q ``(count, B)``."""
        logs, places = self.log_weights.topk(count, 0)
        return self.at(places), logs

    def sample(
        self, samples: int, relaxation: Relaxation | None = None, noise: Tensor | None = None
    ) -> Draw:
        """S draws by inverting the cumulative weights; the first number of each draw is used."""
        if relaxation is not None:
            raise ValueError("a posterior on states has no relaxation")
        logits = self.logits
        if noise is None:
            noise = uniform((samples, *logits.shape), logits)
        cumulative = self.log_weights.t().exp().cumsum(1)  # (B, S)
        places = noise[..., 0].t().contiguous() * cumulative[:, -1:]
        chosen = torch.searchsorted(cumulative, places).clamp_max(cumulative.shape[1] - 1).t()
        bits = self.at(chosen)
        return Draw(bits, bits, logits.expand_as(bits), noise)


class Enumerated(WeightedStates):
    """The exact posterior: a weight for each of the 2^D states of every document.

    Parameters
    ----------
    target
        Asked for its table ``(2^D, B)`` of log p(x, z) when a weight is first needed.
    states
        The bits of every row of the table, ``(2^D, D)``.
    """

    def __init__(self, target: Target, states: Tensor) -> None:
        self.target, self.states = target, states

    @functools.cached_property
    def log_weights(self) -> Tensor:
        """Log p(z | x), ``(2^D, B)`` nats."""
        return self.target.table().log_softmax(0)

    def at(self, places: Tensor) -> Tensor:
        """Bits of the states at places ``(K, B)``, ``(K, B, D)``."""
        return self.states[places].to(self.log_weights.dtype)

    def log_prob(self, draw: Draw) -> Tensor:
        """Log p(z | x) of the states drawn, ``(S, B)`` nats."""
        powers = 2 ** torch.arange(self.states.shape[1], device=draw.bits.device)
        return self.log_weights.gather(0, (draw.bits.long() * powers).sum(-1))

    def bound(self) -> Tensor:
        """Log p(x) itself, ``(B,)`` nats."""
        return self.target.table().logsumexp(0)

    def support(self) -> None:
        """None: there are too many states to walk over the vocabulary for each."""

    def pairwise(self) -> Tensor:
        """P(z_d = 1, z_e = 1 | x), ``(B, D, D)``; the diagonal is the mean."""
        states = self.states.to(self.log_weights.dtype)
        weights = self.log_weights.exp().t()  # (B, 2^D)
        both = torch.stack([(weights * column) @ states for column in states.t()], 1)
        return both.clamp_max(1.0)

    def mean(self) -> Tensor:
        """P(z_d = 1 | x), ``(B, D)``."""
        mean = self.log_weights.exp().t() @ self.states.to(self.log_weights.dtype)
        return mean.clamp_max(1.0)  # rounding

    def detach(self) -> Enumerated:
        """The same distribution, cut off from the graph."""
        other = Enumerated(self.target, self.states)
        other.__dict__["log_weights"] = self.log_weights.detach()
        return other


class EnumeratedPosterior(Posterior):
    """Exact inference: asks the target for its 2^D table; has nothing to learn.

    Parameters
    ----------
    sizes
        Number of factors D.
    encoder
        None: there is nothing to encode.
    """

    family = Enumerated
    encoded = False
    sampled = False
    exact = True

    def __init__(self, sizes: Sizes, encoder: None = None) -> None:
        super().__init__()
        self.register_buffer("states", all_states(sizes.factors), persistent=False)
        self.states: Tensor

    def forward(self, batch: Batch, target: Target) -> Enumerated:
        """The exact posterior of the batch."""
        return Enumerated(target, self.states)
