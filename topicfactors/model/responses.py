r"""A number that goes with a document (a year, a rating, a count) as an outcome of its factors.

A generalised linear model of the factors (McCullagh and Nelder, *Generalized Linear Models*, 1989),
as supervised topic models have it (Blei and McAuliffe, *Supervised topic models*, 2008): the
predictor is :math:`w\cdot z + w_0`, in units of its own, so that one learning rate serves years
and ratings alike.
"""

from __future__ import annotations

import abc
import math
from typing import Any, ClassVar, NamedTuple

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from topicfactors.contracts import Sizes
from topicfactors.values import number

LEAST_NOISE = 0.05  # of a Gaussian response, as a share of its spread over the corpus
LARGEST_LOG_RATE = 80.0  # of a Poisson response, so that float32 holds the rate
LEAST_UNIT = 1e-3  # of the log rate


class Response(nn.Module, abc.ABC):
    r"""Contract of a response, log p(r | z) with the predictor :math:`v = w\cdot z + w_0`; nats.

    Parameters
    ----------
    sizes
        Its ``factors`` is the number of inputs: D, or D + K where classes are read too.
    weight
        The log-probability is taken so many times. 1 is the generative model, in which one number
        speaks beside hundreds of words; a larger weight lets it say more of what factors become.
    """

    linear: ClassVar[bool] = True  # is the expected response linear in the factors?
    least: ClassVar[float] = -math.inf  # smallest response

    def __init__(self, sizes: Sizes, *, weight: float = 1.0) -> None:
        super().__init__()
        number("weight", weight, 0.0, open_ends="low")
        self.weight = float(weight)
        self.coef = nn.Parameter(torch.zeros(sizes.factors))
        self.intercept = nn.Parameter(torch.zeros(()))
        self.register_buffer("centre", torch.zeros(()))
        self.register_buffer("unit", torch.ones(()))
        self.centre: Tensor
        self.unit: Tensor

    @abc.abstractmethod
    def start(self, responses: NDArray[Any]) -> None:
        """Take centre and unit from the responses ``(N,)`` of a corpus, NaN where unseen."""

    @abc.abstractmethod
    def log_prob(self, predictor: Tensor, responses: Tensor) -> Tensor:
        """Log p(r | v) of v ``(S, B)`` and r ``(B,)``, ``(S, B)``, at weight 1."""

    @abc.abstractmethod
    def changes(self, predictor: Tensor, responses: Tensor, steps: Tensor) -> Tensor:
        """By how much ``log_prob`` moves when v ``(S, B)`` does by steps ``(S, B, D)``, exactly."""

    @abc.abstractmethod
    def expected(self, values: Tensor) -> Tensor:
        """E[r | z] of values ``(…, D)``, ``(…)``."""

    @abc.abstractmethod
    def deviations(self, values: Tensor) -> Tensor:
        """Standard deviation of r at values ``(…, D)``, ``(…)``."""

    @abc.abstractmethod
    def averaged(self, on: Tensor) -> Tensor:
        """E[r] where the bits are independent, on with probabilities ``(B, D)``, ``(B,)``."""

    def predictor(self, values: Tensor) -> Tensor:
        """V of values ``(…, D)``, ``(…)``; where there are more inputs, the first D of them."""
        return values @ self.coef[: values.shape[-1]] + self.intercept

    def slopes(self) -> Tensor:
        """What each factor adds, ``(D,)``: to r, or to the logarithm of its rate."""
        return (self.unit * self.coef).detach()

    def offset(self) -> Tensor:
        """What is expected with nothing on, of r or of the logarithm of its rate; a scalar."""
        return (self.centre + self.unit * self.intercept).detach()

    @torch.no_grad()
    def arrange(self, order: Tensor, flipped: Tensor) -> None:
        """Factor ``order[d]`` becomes factor d; a flipped one's coefficient moves to w_0.

        Factors that are not in ``order (at most D,)`` go; inputs after the D factors stay.
        """
        factors, others = self.coef[: len(flipped)], self.coef[len(flipped) :]
        self.intercept.add_(factors[flipped].sum())
        kept = torch.where(flipped, -factors, factors)[order]
        self.coef.data = torch.cat([kept, others])


class Gaussian(Response):
    r""":math:`r \sim N(w\cdot z + w_0, \sigma^2)`: years, ratings, measurements.

    The unit is the spread of the responses of the corpus; σ is learnt and stays above 1/20 of it
    (docs/mathematics.md).

    Parameters
    ----------
    sizes
        Its ``factors`` is the number of inputs: D, or D + K where classes are read too.
    weight
        The log-probability is taken so many times; 1 is the generative model.
    """

    def __init__(self, sizes: Sizes, *, weight: float = 1.0) -> None:
        super().__init__(sizes, weight=weight)
        self.log_noise = nn.Parameter(torch.zeros(()))

    @torch.no_grad()
    def start(self, responses: NDArray[Any]) -> None:
        """Mean and standard deviation of those seen ``(N,)``; 1 where all are alike."""
        seen = torch.from_numpy(responses).double()
        seen = seen[seen.isfinite()]
        self.centre.copy_(seen.mean())
        self.unit.copy_(_or_one(seen.std(correction=0)))

    @property
    def noise(self) -> Tensor:
        """Σ in units, a scalar."""
        return (torch.exp(2 * self.log_noise) + LEAST_NOISE**2).sqrt()

    def log_prob(self, predictor: Tensor, responses: Tensor) -> Tensor:
        """Log N(r; v, σ²), ``(S, B)`` nats; a density of r itself."""
        off = (self._standard(responses) - predictor) / self.noise
        return -0.5 * (off.square() + math.log(2 * math.pi)) - self.noise.log() - self.unit.log()

    def changes(self, predictor: Tensor, responses: Tensor, steps: Tensor) -> Tensor:
        """[2(r − v)δ − δ²]/2σ², ``(S, B, D)``."""
        off = (self._standard(responses) - predictor)[..., None]
        return steps * (2 * off - steps) / (2 * self.noise.square())

    def expected(self, values: Tensor) -> Tensor:
        """The mean at values ``(…, D)``, ``(…)``."""
        return self.centre + self.unit * self.predictor(values)

    def deviations(self, values: Tensor) -> Tensor:
        """σ, the same at all values ``(…, D)``, ``(…)``."""
        return (self.unit * self.noise).expand(values.shape[:-1])

    def averaged(self, on: Tensor) -> Tensor:
        """The mean at the probabilities ``(B, D)``, ``(B,)``; exact, whatever the posterior."""
        return self.expected(on)

    def _standard(self, responses: Tensor) -> Tensor:
        return (responses.to(self.unit.dtype) - self.centre) / self.unit


class Poisson(Response):
    r""":math:`r \sim \mathrm{Poisson}(e^{w\cdot z + w_0})`: counts; every factor multiplies.

    Fractions are taken too (the factorial through Γ). The unit of the logarithm is the spread of
    the responses of the corpus over their mean, at most 1 (docs/mathematics.md).

    Parameters
    ----------
    sizes, weight
        As for the Gaussian: D inputs (or D + K), and how often the log-probability is taken.
    """

    linear = False
    least = 0.0

    @torch.no_grad()
    def start(self, responses: NDArray[Any]) -> None:
        """The log mean of those seen ``(N,)``, as if there were half an event more."""
        seen = torch.from_numpy(responses).double()
        seen = seen[seen.isfinite()]
        mean = seen.mean() + 0.5 / len(seen)
        self.centre.copy_(mean.log())
        self.unit.copy_(_or_one(seen.std(correction=0) / mean).clamp(LEAST_UNIT, 1.0))

    def log_prob(self, predictor: Tensor, responses: Tensor) -> Tensor:
        """R·log λ − λ − log r!, ``(S, B)`` nats, computed around λ = r: large r lose no digits."""
        responses = responses.to(predictor.dtype)
        log_rate = self._log_rate(predictor)
        some = responses > 0
        log_r = torch.where(some, responses, 1.0).log()
        above = log_rate - log_r
        missed = torch.where(some, responses * (torch.expm1(above) - above), log_rate.exp())
        wide = responses.double() if responses.device.type != "mps" else responses
        fixed = torch.xlogy(wide, wide) - wide - torch.lgamma(wide + 1)
        return fixed.to(predictor.dtype) - missed

    def changes(self, predictor: Tensor, responses: Tensor, steps: Tensor) -> Tensor:
        """R·δ − λ(e^δ − 1), ``(S, B, D)``."""
        before = self._log_rate(predictor)[..., None]
        moved = self._log_rate(predictor[..., None] + steps) - before
        return responses.to(moved.dtype)[:, None] * moved - before.exp() * torch.expm1(moved)

    def expected(self, values: Tensor) -> Tensor:
        """The rate at values ``(…, D)``, ``(…)``."""
        return self._log_rate(self.predictor(values)).exp()

    def deviations(self, values: Tensor) -> Tensor:
        """The root of the rate at values ``(…, D)``, ``(…)``."""
        return self.expected(values).sqrt()

    def averaged(self, on: Tensor) -> Tensor:
        """e^{w_0} Π_d (1 − q_d + q_d e^{w_d}), ``(B,)``."""
        raised = torch.log1p(on * torch.expm1(self.unit * self.coef[: on.shape[-1]])).sum(-1)
        return (self.offset() + raised).clamp_max(LARGEST_LOG_RATE).exp()

    def _log_rate(self, predictor: Tensor) -> Tensor:
        return (self.centre + self.unit * predictor).clamp_max(LARGEST_LOG_RATE)


class Answers(NamedTuple):
    """log p(r | z) of a batch; zero where a document's response is unseen."""

    response: Response
    seen: Tensor  # (B,) is there one?
    numbers: Tensor  # (B,) the responses, something harmless where there are none
    known: Tensor | float = 0.0  # (B,) what the documents' classes add to the predictor

    @classmethod
    def of(cls, response: Response, responses: Tensor, classes: Tensor | None) -> Answers:
        """Those of B documents ``(B,)``, NaN where unseen; one-hot ``classes (B, K)`` if any."""
        seen = ~responses.isnan()
        numbers = torch.where(seen, responses, torch.ones_like(responses))
        if classes is None:
            return cls(response, seen, numbers)
        known = (classes * response.coef[-classes.shape[1] :]).sum(-1)  # in full precision
        return cls(response, seen, numbers, known)

    def log_prob(self, values: Tensor) -> Tensor:
        """``(S, B or 1, D) -> (S, B)`` nats."""
        found = self.response.log_prob(self._predictor(values), self.numbers)
        return torch.where(self.seen, self.response.weight * found, 0.0)

    def changes(self, bits: Tensor) -> Tensor:
        """By how much it moves when each bit flips, exactly, ``(S, B, D)``."""
        steps = (1 - 2 * bits) * self.response.coef[: bits.shape[-1]]
        found = self.response.changes(self._predictor(bits), self.numbers, steps)
        return torch.where(self.seen[:, None], self.response.weight * found, 0.0)

    def _predictor(self, values: Tensor) -> Tensor:
        """V of each state and document ``(S, B)``; zero, for no gradient, where r is unseen."""
        return torch.where(self.seen, self.response.predictor(values) + self.known, 0.0)


def _or_one(spread: Tensor) -> Tensor:
    return spread if float(spread) > 0 else torch.ones_like(spread)


RESPONSES: dict[str, type[Response]] = {"gaussian": Gaussian, "poisson": Poisson}
