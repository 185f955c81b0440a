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
    """What the draws of one estimator say, means over documents.

    What chance adds to a squared length is taken off; ``most`` is at two standard errors above.
    """

    bias: float  # root of the mean squared length of E[g] − reference
    bias_most: float
    variance: float  # Σ Var[g] over the entries of a document
    variance_error: float  # standard error of it
    signal: float  # root of the mean squared length of E[g]
    signal_most: float
    cosine: float  # of E[g] and the reference; NaN where the draws do not tell E[g] from zero


class Moments:
    """Sums of gradients ``(B, P)`` in groups of draws.

    Parameters
    ----------
    groups
        The draws are dealt out to them; at least 3.
    """

    def __init__(self, groups: int = GROUPS) -> None:
        self.groups, self.draws = groups, 0
        self.sums: list[Tensor] = []  # (B, P) a group
        self.lengths: list[Tensor] = []  # (B,) squared lengths, summed over the draws of a group
        self.squares: Tensor | None = None  # (B, P) of all draws

    def add(self, gradient: Tensor) -> None:
        """One draw of every document ``(B, P)``."""
        drawn, group = gradient.detach().double(), self.draws % self.groups
        if len(self.sums) <= group:
            self.sums.append(torch.zeros_like(drawn))
            self.lengths.append(drawn.new_zeros(len(drawn)))
        if self.squares is None:
            self.squares = torch.zeros_like(drawn)
        self.sums[group] += drawn
        self.squares.addcmul_(drawn, drawn)
        self.lengths[group] += drawn.square().sum(-1)
        self.draws += 1

    def reference(self) -> Reference:
        """The mean of all draws and how well it is known."""
        if self.squares is None:
            raise ValueError("nothing was drawn")
        mean = torch.stack(self.sums).sum(0) / self.draws
        spread = self.squares - self.draws * mean.square()
        return Reference(mean, spread.clamp_min(0) / (self.draws - 1) / self.draws)

    def figures(self, reference: Reference) -> Figures:
        """Bias against a reference, variance and signal.

        The number of draws is a multiple of the groups. Standard errors are a jackknife's over
        groups.
        """
        each = self.draws // self.groups
        means = torch.stack(self.sums) / each  # (G, B, P)
        lengths = torch.stack(self.lengths)  # (G, B)
        bias, variance, signal = _statistics(means, lengths, each, reference).tolist()
        others = [[g for g in range(self.groups) if g != left] for left in range(self.groups)]
        without = torch.stack(
            [_statistics(means[kept], lengths[kept], each, reference) for kept in others]
        )
        spread = (without - without.mean(0)).square().mean(0) * (self.groups - 1)
        of_bias, of_variance, of_signal = spread.sqrt().tolist()
        blur = _blur(means.mean(0), reference)
        return Figures(
            _root(bias),
            _root(max(bias, 0.0) + 2 * math.hypot(of_bias, blur)),
            variance,
            of_variance,
            _root(signal),
            _root(signal + 2 * of_signal),
            _cosine(means.mean(0), reference, signal) if signal > 3 * of_signal else math.nan,
        )


def _root(square: float) -> float:
    return math.sqrt(max(0.0, square))


def _cosine(mean: Tensor, reference: Reference, signal: float) -> float:
    """Of E[g], whose mean squared length is known without what chance adds, and the reference."""
    along = float((mean * reference.mean).sum(-1).mean())
    square = float((reference.mean.square() - reference.error).sum(-1).mean())
    return max(-1.0, min(1.0, along / math.sqrt(signal * square))) if square > 0 else math.nan


def _statistics(means: Tensor, lengths: Tensor, each: int, reference: Reference) -> Tensor:
    """Squared bias, variance and squared signal, means over documents, ``(3,)``.

    Squared lengths are of pairs of different groups, so that the spread of the draws is not in
    them; that of the reference is taken off.
    """
    draws = len(means) * each
    mean = means.mean(0)
    variance = (lengths.sum(0) - draws * mean.square().sum(-1)).clamp_min(0) / (draws - 1)
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
