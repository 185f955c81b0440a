"""f between the bits and its derivative there, and estimates made into losses."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from topicfactors.contracts import Distribution, Draw, Target
from topicfactors.gradients.base import terms


class Point(NamedTuple):
    """f at some values, which need not be bits; both detached."""

    value: Tensor  # (S, B) nats
    slope: Tensor  # (S, B, D) its derivative in the values


def derivative(target: Target, q: Distribution, values: Tensor, kl_weight: float) -> Point:
    """f and ∇f at values ``(S, B, D)``; no derivative reaches a parameter, no graph is kept."""
    with torch.enable_grad():
        leaf = values.detach().requires_grad_()
        signal = terms(target, q.detach(), Draw(leaf, leaf, leaf, leaf), kl_weight).signal
        (slope,) = torch.autograd.grad(signal.sum(), leaf)
    return Point(signal.detach(), slope)


def with_derivative(draw: Draw) -> Draw:
    """The same draw, its values a leaf: :func:`slope_of` then has ∇f from the decoder's graph."""
    return draw._replace(values=draw.values.detach().requires_grad_())


def slope_of(signal: Tensor, draw: Draw) -> Tensor:
    """∇f ``(S, B, D)`` of a signal ``(S, B)`` at such a draw; the decoder's graph stays."""
    (slope,) = torch.autograd.grad(signal.sum(), draw.values, retain_graph=True)
    return slope


def ascending(estimate: Tensor, logits: Tensor) -> Tensor:
    """A loss ``(B,)`` that is zero, with the derivative −estimate in logits, both ``(S, B, D)``."""
    weighted = (estimate.detach() * logits).sum(-1).mean(0)
    return weighted.detach() - weighted


def carrying(bits: Tensor, logits: Tensor, slope: Tensor) -> Tensor:
    """The bits, with the derivative ``slope`` in the logits; all ``(S, B, D)``."""
    return bits + slope.detach() * (logits - logits.detach())
