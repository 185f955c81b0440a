"""States of D bits: all of them, and packed into 64-bit words.

A packed state is ``(P,)`` int64, 63 bits a word, lowest factor first; the sign bit stays free, so
that a word of −1 is no state and can stand for an empty place.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

WIDTH = 63  # bits a word
EMPTY = -1
BYTE = 8  # bits that are looked up together
LEAST = 16  # rows of a product whose result does not depend on how many there are


def all_states(factors: int, device: torch.device | str = "cpu") -> Tensor:
    """Every state of D bits, ``(2^D, D)``: row i holds the binary digits of i, lowest first.

    >>> all_states(2).tolist()
    [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    """
    numbers = torch.arange(2**factors, device=device)
    return ((numbers[:, None] >> torch.arange(factors, device=device)) & 1).float()


def words_of(factors: int) -> int:
    """Words P that a state of D bits takes."""
    return -(-factors // WIDTH)


def pack(bits: Tensor) -> Tensor:
    """Bits ``(…, D)`` of any type to words ``(…, P)``.

    >>> pack(torch.tensor([1.0, 0.0, 1.0]))
    tensor([5])
    """
    factors = bits.shape[-1]
    places = torch.arange(factors, device=bits.device) % WIDTH
    shifted = bits.long() << places
    return torch.stack([part.sum(-1) for part in torch.split(shifted, WIDTH, -1)], -1)


def unpack(words: Tensor, factors: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Words ``(…, P)`` to bits ``(…, D)``."""
    places = torch.arange(WIDTH, device=words.device)
    bits = (words[..., None] >> places) & 1
    return bits.flatten(-2)[..., :factors].to(dtype)


def marginals(words: Tensor, weights: Tensor, factors: int) -> Tensor:
    """Sums of weights ``(B, S)`` over the states ``(B, S, P)`` that have each bit on, ``(B, D)``.

    A byte of a state is looked up in a table of its eight bits.

    >>> marginals(torch.tensor([[[5], [1]]]), torch.tensor([[0.25, 0.5]]), 3)
    tensor([[0.7500, 0.0000, 0.2500]])
    """
    table = all_states(BYTE, words.device).to(weights.dtype)
    parts = []
    for word in words.unbind(-1):
        parts += [
            embedding_bag(
                (word >> first) & (2**BYTE - 1), table, per_sample_weights=weights, mode="sum"
            )[:, : WIDTH - first]
            for first in range(0, min(WIDTH, factors), BYTE)
        ]
    return torch.cat(parts, 1)[:, :factors]


def masks(factors: int, device: torch.device | str = "cpu") -> Tensor:
    """The D states of one bit each, ``(D, P)``: a state XOR its mask has that bit flipped."""
    return pack(torch.eye(factors, device=device))


def distinct(bits: Tensor) -> tuple[Tensor, Tensor]:
    """The different states among ``bits (…, D)``, ``(R, D)``, and where each is, ``(…)``.

    R is 16 at least, by repeating the first: matrix products of fewer rows add up in another
    order, and what a document gets must not depend on its neighbours.
    """
    factors, shape = bits.shape[-1], bits.shape[:-1]
    words = pack(bits).flatten(0, -2)
    if words.shape[1] == 1:
        found, places = torch.unique(words[:, 0], return_inverse=True)
        found = found[:, None]
    else:
        found, places = torch.unique(words, dim=0, return_inverse=True)
    return unpack(padded(found), factors, bits.dtype), places.view(shape)


def padded(words: Tensor) -> Tensor:
    """Packed states ``(R, P)``, the first repeated where they are fewer than 16."""
    spare = LEAST - len(words)
    return words if spare <= 0 else torch.cat([words, words[:1].expand(spare, -1)])
