r"""The arithmetic of a restricted Boltzmann machine: exact sums, Gibbs sweeps, annealing.

Bits on two sides, coupled across and not within: given one side the bits of the other are
independent, so that one side can be summed out and the other swept at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from topicfactors.bits import all_states

BLOCK = 16  # bits of the states that are summed at once
RUNS, TEMPERATURES = 500, 500  # of annealing


class Machine(NamedTuple):
    r""":math:`p(s, l) \propto \exp(a^\top s + b^\top l + s^\top J l)`, of two sides."""

    small: Tensor  # (K,) a
    large: Tensor  # (L,) b
    weights: Tensor  # (K, L) J

    def summed(self, small: Tensor) -> Tensor:
        """Log of the sum over the large side, ``(…, K) -> (…)`` nats."""
        return small @ self.small + functional.softplus(self.large + small @ self.weights).sum(-1)

    def large_given(self, small: Tensor) -> Tensor:
        """P(on) of the large side, ``(…, K) -> (…, L)``."""
        return torch.sigmoid(self.large + small @ self.weights)

    def small_given(self, large: Tensor) -> Tensor:
        """P(on) of the small side, ``(…, L) -> (…, K)``."""
        return torch.sigmoid(self.small + large @ self.weights.t())

    def log_partition(self) -> Tensor:
        """Log Z by summing over all states of the small side at once, a scalar with derivatives."""
        return self.summed(self.states()).logsumexp(0)

    def states(self) -> Tensor:
        """All states of the small side, ``(2^K, K)``."""
        return all_states(len(self.small), self.small.device).to(self.small.dtype)

    def towards(self, other: Machine, share: float) -> Machine:
        """The machine so far on the straight way to another."""
        return Machine(*(torch.lerp(a, b, share) for a, b in zip(self, other, strict=True)))


class Totals(NamedTuple):
    """What is known of all states together."""

    log_z: Tensor  # scalar, nats
    spread: Tensor  # its standard error, nats; 0 where it is exact
    small: Tensor  # (K,) P(on)
    large: Tensor  # (L,)


def drawn(on: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Bits with these probabilities of being on, of the same shape and type."""
    noise = torch.rand(on.shape, generator=generator, dtype=on.dtype, device=on.device)
    return (noise < on).to(on.dtype)


def swept(
    machine: Machine, small: Tensor, sweeps: int, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """Chains after so many block Gibbs sweeps, from states ``(C, K)`` of the small side.

    Both sides, ``(C, K)`` and ``(C, L)``.
    """
    large = drawn(machine.large_given(small), generator)
    for _ in range(sweeps):
        small = drawn(machine.small_given(large), generator)
        large = drawn(machine.large_given(small), generator)
    return small, large


def summed(machine: Machine) -> Totals:
    """Exact totals, block by block of the 2^K states of the small side."""
    logs, smalls, larges = [], [], []
    for states in _blocks(machine):
        weights = machine.summed(states)
        logs.append(weights.logsumexp(0))
        shares = (weights - logs[-1]).exp()
        smalls.append(shares @ states)
        larges.append(shares @ machine.large_given(states))
    parts = torch.stack(logs)
    shares = parts.softmax(0)
    log_z = parts.logsumexp(0)
    small, large = shares @ torch.stack(smalls), shares @ torch.stack(larges)
    return Totals(log_z, torch.zeros_like(log_z), small, large)


def _blocks(machine: Machine) -> Iterator[Tensor]:
    bits, device = len(machine.small), machine.small.device
    low = all_states(min(bits, BLOCK), device).to(machine.small.dtype)
    for high in all_states(max(bits - BLOCK, 0), device).to(low.dtype):
        yield torch.cat([low, high.expand(len(low), -1)], 1)


def annealed(
    machine: Machine,
    start: Machine,
    generator: torch.Generator,
    runs: int = RUNS,
    temperatures: int = TEMPERATURES,
) -> Totals:
    """Totals by annealed importance sampling (Neal, 2001; Salakhutdinov and Murray, 2008).

    Log Z is underestimated on average, the more so the larger its spread; see
    https://arxiv.org/abs/physics/9803008 and https://doi.org/10.1145/1390156.1390266.

    Parameters
    ----------
    machine
        Whose states are summed.
    start
        Independent bits to begin with: a machine whose weights are zero; the nearer its marginals
        the better.
    generator
        Of the random numbers.
    runs, temperatures
        Independent runs, and steps of each.
    """
    small = drawn(torch.sigmoid(start.small).expand(runs, -1), generator)
    logs, here = small.new_zeros(runs, dtype=torch.float64), start
    for step in range(1, temperatures + 1):
        there = start.towards(machine, step / temperatures)
        logs += there.summed(small) - here.summed(small)
        large = drawn(there.large_given(small), generator)
        small, here = drawn(there.small_given(large), generator), there
    base = functional.softplus(start.small).sum() + functional.softplus(start.large).sum()
    mean = logs.logsumexp(0) - math.log(runs)
    spread = (logs - mean).exp().std() / math.sqrt(runs)
    shares = logs.softmax(0).to(small.dtype)
    return Totals(
        base + mean.to(base.dtype),
        spread.to(base.dtype),
        shares @ small,
        shares @ machine.large_given(small),
    )
