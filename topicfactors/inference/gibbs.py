r"""Gibbs sampling of z given x, a bit at a time.

A sweep draws every bit in turn from its distribution given the others,
:math:`P(\text{flip } d) = \sigma(t\,\Delta_d \log p(x|z) + \Delta_d \log p(z))`, which leaves
:math:`p(z)\,p(x|z)^t` as it is for every temperature t (Geman and Geman, 1984,
https://doi.org/10.1109/TPAMI.1984.4767596). The change of one flip comes from the state that the
flip before has left: with a log-linear decoder the softmax of every chain is kept, and a look at a
bit is a dot product with e^{±W_d}, so that a sweep costs 2·D·V products and sums a chain and
document, V exponentials for each bit that flips, and one product of the states with W to begin
with (``model.walk``). Under an MLP or ``bernoulli`` every bit costs an evaluation of log p(x | z).

All random numbers come from keys of the documents (``inference.noise``), so that a chain depends
neither on its neighbours in a batch nor on their order.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from topicfactors.contracts import Landscape, Walk
from topicfactors.inference.noise import document_noise, streams


@torch.no_grad()
def sweep(
    walk: Walk,
    order: Iterable[int],
    noise: Tensor,
    temperature: float = 1.0,
    base: Tensor | None = None,
) -> None:
    """Draw bits in turn; leaves p(z) p(x | z)^t as it is, or base(z)^{1-t} p(x, z)^t.

    Parameters
    ----------
    walk
        The chains, which are moved.
    order
        The factors, in the order in which they are drawn. Backwards is the reversal.
    noise
        Uniform numbers ``(S, B, D)``.
    temperature
        t, from 0 (the prior, or the base) to 1 (the posterior).
    base
        Log-odds ``(D,)`` or ``(B, D)`` of independent bits to which t = 0 belongs; None for p(z).
    """
    for factor in order:
        likelihood, prior = walk.look(factor)
        change = temperature * likelihood + prior
        if base is not None:
            towards = (1 - 2 * walk.bits[..., factor]) * base[..., factor]
            change = temperature * (likelihood + prior) + (1 - temperature) * towards
        walk.move(noise[..., factor] < torch.sigmoid(change))


@torch.no_grad()
def gibbs(
    landscape: Landscape,
    bits: Tensor,
    sweeps: int,
    keys: Tensor,
    temperature: float = 1.0,
    first: int = 0,
) -> Tensor:
    """States after so many sweeps at p(z) p(x | z)^t, ``(S, B, D)``.

    Parameters
    ----------
    landscape
        log p(x, z) of B documents.
    bits
        Where the S chains of each document start, ``(S, B, D)``.
    sweeps
        How often every bit is drawn.
    keys
        One for each document, ``(B,)``.
    temperature
        t.
    first
        Number of the first chain, where a document's chains are drawn some at a time.
    """
    samples, _, factors = bits.shape
    for number in range(sweeps):
        walk = landscape.walk(bits)  # anew, so that no rounding adds up
        noise = document_noise(streams(keys, number), samples, factors, first)
        sweep(walk, range(factors), noise.to(bits.dtype), temperature)
        bits = walk.bits
    return bits
