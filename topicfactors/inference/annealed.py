r"""Annealed importance sampling of log p(x) with binary factors, and the same backwards.

Chains go from independent bits with the prior's probabilities, b(z), to the posterior through
:math:`b(z)^{1-t}\,p(x,z)^t`, one Gibbs sweep at each temperature
:math:`0 = t_0 < \dots < t_T = 1`; their weights
:math:`w = \prod_k (p(x,z_{k-1})/b(z_{k-1}))^{t_k-t_{k-1}}` have the mean p(x), so that
:math:`\log\frac1S\sum_s w_s` errs low in expectation (Neal, 2001,
https://arxiv.org/abs/physics/9803008). Under the independent prior b is p(z) itself, and the
temperatures are those of log p(x | z). From a state that was drawn from the posterior, as the true
z of a simulated document is, the same chain backwards has weights of mean 1/p(x), and
:math:`-\log\frac1S\sum_s w_s` errs high: together they bracket log p(x) (Grosse, Ghahramani and
Adams, 2015, https://arxiv.org/abs/1511.02543).

A document costs S·T sweeps of ``inference.gibbs``.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from topicfactors.inference.gibbs import sweep
from topicfactors.inference.noise import document_noise, streams

STEEPNESS = 4.0  # of the sigmoid that spaces the temperatures; they are dense where it is flat
FLOOR = 1e-6  # least probability of a bit of the base, on or off


def temperatures(count: int) -> list[float]:
    """From 0 to 1 in ``count`` steps along a sigmoid, close to each other at both ends.

    >>> [round(t, 3) for t in temperatures(4)]
    [0.0, 0.105, 0.5, 0.895, 1.0]
    """
    places = torch.linspace(-1, 1, count + 1, dtype=torch.float64)
    values = torch.sigmoid(STEEPNESS * places)
    found: list[float] = ((values - values[0]) / (values[-1] - values[0])).tolist()
    return found


class _Path:
    """What forward and backward chains share."""

    def __init__(self, target: Any, chains: int, count: int, keys: Tensor) -> None:
        self.target, self.landscape = target, target.landscape()
        self.steps, self.keys = temperatures(count), keys
        self.chains, self.dtype = chains, self.landscape.dtype
        on = target.prior.probabilities().to(self.dtype).clamp(FLOOR, 1 - FLOOR)
        self.base = torch.logit(on)

    def noise(self, number: int) -> Tensor:
        keys = streams(self.keys, number)
        return document_noise(keys, self.chains, self.target.factors).to(self.dtype)

    def start(self) -> Tensor:
        return (self.noise(0) < torch.sigmoid(self.base)).to(self.dtype)

    def ratio(self, walk: Any) -> Tensor:
        """Log p(x, z) − log b(z), ``(S, B)`` nats in double precision."""
        bits = walk.bits
        base = (bits * self.base + functional.logsigmoid(-self.base)).sum(-1)
        found: Tensor = walk.log_likelihood + (self.target.log_prior(bits) - base)
        return found.double()


@torch.no_grad()
def annealed(target: Any, chains: int, count: int, keys: Tensor) -> Tensor:
    """An estimate of log p(x) that errs low in expectation, ``(B,)`` nats, float64.

    Parameters
    ----------
    target
        The model of B documents.
    chains
        S, each independent of the others.
    count
        Number T of temperatures above 0; more are tighter.
    keys
        One for each document, ``(B,)``.
    """
    path = _Path(target, chains, count, keys)
    walk = path.landscape.walk(path.start())
    weights = path.steps[1] * path.ratio(walk)
    for number in range(1, count):
        before, after = path.steps[number], path.steps[number + 1]
        sweep(walk, range(target.factors), path.noise(number), before, path.base)
        walk = path.landscape.walk(walk.bits)
        weights += (after - before) * path.ratio(walk)
    return weights.logsumexp(0) - math.log(chains)


@torch.no_grad()
def backwards(target: Any, bits: Tensor, chains: int, count: int, keys: Tensor) -> Tensor:
    """An estimate of log p(x) that errs high in expectation, ``(B,)`` nats, float64.

    ``bits (B, D)`` are states drawn from the posterior; the rest is as for :func:`annealed`.
    """
    path = _Path(target, chains, count, keys)
    walk = path.landscape.walk(bits.to(path.dtype).expand(chains, -1, -1))
    weights = -(1 - path.steps[count - 1]) * path.ratio(walk)
    for number in range(count - 1, 0, -1):
        before, after = path.steps[number - 1], path.steps[number]
        sweep(walk, reversed(range(target.factors)), path.noise(number), after, path.base)
        walk = path.landscape.walk(walk.bits)
        weights -= (after - before) * path.ratio(walk)
    return math.log(chains) - weights.logsumexp(0)
