"""Mean and variance of a gradient that is drawn again and again, with their standard errors."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

GROUPS = 10  # of draws, from whose spread the standard errors are


class Reference(NamedTuple):
    """What a gradient should be: the exact one, or the mean of many draws of an unbiased one."""

    mean: Tensor  # (B, P) float64
    error: Tensor  # (B, P) squared standard error of each entry; zeros where it is exact


class Figures(NamedTuple):
    """What the draws of one estimator say, means over documents."""

    bias: float  # root of the mean squared length of E[g] − reference, without what chance adds
    most: float  # the same at two standard errors above: what the bias may at most be
    variance: float  # Σ Var[g] over the entries of a document
    variance_error: float  # standard error of it
    signal: float  # root of the mean squared length of E[g], without what chance adds
    cosine: float  # of E[g] and the reference


class Moments:
    """Sums of gradients ``(B, P)`` in groups of draws.

    Parameters
    ----------
    groups
        The draws are dealt out to them; at least 2.
    """

    def __init__(self, groups: int = GROUPS) -> None:
        self.groups, self.draws = groups, 0
        self.sums: list[Tensor] = []
        self.squares: list[Tensor] = []

    def add(self, gradient: Tensor) -> None:
        """One draw of every document ``(B, P)``."""
        drawn, group = gradient.detach().double(), self.draws % self.groups
        if len(self.sums) <= group:
            self.sums.append(torch.zeros_like(drawn))
            self.squares.append(torch.zeros_like(drawn))
        self.sums[group] += drawn
        self.squares[group].addcmul_(drawn, drawn)
        self.draws += 1

    def reference(self) -> Reference:
        """The mean of all draws and how well it is known."""
        mean = torch.stack(self.sums).sum(0) / self.draws
        spread = torch.stack(self.squares).sum(0) - self.draws * mean.square()
        return Reference(mean, spread.clamp_min(0) / (self.draws - 1) / self.draws)

    def figures(self, reference: Reference) -> Figures:
        """Bias against a reference, variance and signal, from a number of draws that is a multiple
        of the groups.
        """
        each = self.draws // self.groups
        means = torch.stack(self.sums) / each  # (G, B, P)
        squares = torch.stack([part.sum(-1) for part in self.squares])  # (G, B)
        every = range(self.groups)
        whole = _statistics(means, squares, each, reference)
        without = torch.stack(
            [
                _statistics(means[keep], squares[keep], each, reference)
                for keep in ([g for g in every if g != left] for left in every)
                if len(keep) > 1
            ]
            or [whole]
        )
        scale = (len(without) - 1) / len(without)
        errors = (scale * (without - without.mean(0)).square().sum(0)).sqrt()
        bias, variance, signal = whole.tolist()
        blur = _blur(means.mean(0), reference)
        most = bias + 2 * math.hypot(float(errors[0]), blur)
        mean = means.mean(0)
        both = mean.square().sum().sqrt() * reference.mean.square().sum().sqrt()
        return Figures(
            math.sqrt(max(0.0, bias)),
            math.sqrt(max(0.0, most)),
            variance,
            float(errors[1]),
            math.sqrt(max(0.0, signal)),
            float((mean * reference.mean).sum() / both) if both > 0 else math.nan,
        )


def _statistics(means: Tensor, squares: Tensor, each: int, reference: Reference) -> Tensor:
    """Squared bias, variance and squared signal, means over documents, ``(3,)``.

    Squared lengths are of pairs of different groups, so that the spread of the draws is not in
    them; that of the reference is taken off.
    """
    draws = len(means) * each
    mean = means.mean(0)
    variance = (squares.sum(0) - draws * mean.square().sum(-1)).clamp_min(0) / (draws - 1)
    bias = _paired(means - reference.mean) - reference.error.sum(-1)
    return torch.stack([bias.mean(), variance.mean(), _paired(means).mean()])


def _paired(means: Tensor) -> Tensor:
    """Mean of m_g · m_h over pairs of different groups ``(G, B, P) -> (B,)``."""
    groups = len(means)
    together = means.sum(0).square().sum(-1) - means.square().sum((0, -1))
    return together / (groups * (groups - 1))


def _blur(mean: Tensor, reference: Reference) -> float:
    """Standard error of the squared bias that is the reference's own."""
    error = reference.error
    gap = (mean - reference.mean).square()
    spread = (4 * gap * error + 2 * error.square()).sum()
    return math.sqrt(float(spread)) / len(mean)
