"""Sets of states, improved by single bit flips.

For a set K of distinct states F = log Σ_{z in K} p(x, z) is a lower bound on log p(x) with nothing
random in it, and q(z) ∝ p(x, z) on K attains it (expectation truncation: Lücke and Eggert, JMLR
2010; variational optimisation of the sets: Drefs, Guiraud and Lücke, JMLR 2022). The sets here are
improved best first: the most probable state whose neighbours were not yet looked at shows all D of
them at the cost of two products, the best few join the set, the least probable leave it. F never
falls, no number is drawn, and a document's set does not depend on its neighbours in a batch.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from topicfactors.bits import EMPTY, WIDTH, all_states, masks, pack, unpack, words_of
from topicfactors.contracts import Landscape


class Sets(NamedTuple):
    """States of B documents; a place without one has the word −1 and log p = −∞."""

    words: Tensor  # (B, S, P) int64
    log_joint: Tensor  # (B, S) log p(x, z), nats

    def bound(self) -> Tensor:
        """F, ``(B,)`` nats."""
        return self.log_joint.logsumexp(1)


def evaluated(landscape: Landscape, words: Tensor) -> Sets:
    """Sets of packed states ``(B, S, P)``, evaluated."""
    bits = unpack(words, landscape.factors, landscape.dtype).transpose(0, 1)
    log_joint = landscape.log_joint(bits).t()
    empty = words[..., 0] == EMPTY
    return Sets(words, log_joint.masked_fill(empty, -torch.inf))


def started(landscape: Landscape, seeds: Tensor, states: int) -> Sets:
    """Sets of ``states`` places that begin with the bits ``(K, B, D)``; all states if they fit."""
    factors, documents = landscape.factors, seeds.shape[1]
    if factors < 30 and 2**factors <= states:
        words = pack(all_states(factors, seeds.device))
        return evaluated(landscape, words.expand(documents, -1, -1))
    words = pack(seeds).transpose(0, 1)  # (B, K, P)
    for place in range(1, words.shape[1]):
        twice = (words[:, :place] == words[:, place, None]).all(-1).any(-1)
        words[:, place] = torch.where(twice[:, None], EMPTY, words[:, place])
    found = evaluated(landscape, words)
    best = found.log_joint.argsort(1, descending=True)[:, :states]
    words = _taken(words, best)
    found = Sets(words, found.log_joint.gather(1, best))
    spare = states - words.shape[1]
    empty = words.new_full((documents, spare, words_of(factors)), EMPTY)
    never = found.log_joint.new_full(empty.shape[:2], -torch.inf)
    return Sets(torch.cat([words, empty], 1), torch.cat([found.log_joint, never], 1))


def improved(
    landscape: Landscape, sets: Sets, rounds: int, breadth: int, first: int | None = None
) -> Sets:
    """The sets after so many rounds; F of no document falls.

    Parameters
    ----------
    landscape
        log p(x, z) of the documents.
    rounds
        Members of each set whose flips are looked at; ``2 * rounds`` products of (B, V).
    breadth
        Flips that may join the set in a round.
    first
        The same for the first round, where the set is still to be filled.
    """
    factors = landscape.factors
    flip_of = masks(factors, sets.words.device)
    words, logs = sets
    tried = torch.zeros_like(logs, dtype=torch.bool)
    for turn in range(rounds):
        most = min(breadth if turn or first is None else first, factors)
        member = logs.masked_fill(tried, -torch.inf).argmax(1)[:, None]
        here = logs.gather(1, member)
        current = _taken(words, member)  # (B, 1, P)
        bits = unpack(current[:, 0], factors, logs.dtype)
        barred = neighbours(words, current, factors)
        change, factor = landscape.best_flips(bits, most, barred)
        found = current ^ flip_of[factor]  # (B, K, P), none of them in the set
        tried = tried.scatter(1, member, True)
        logs, kept = torch.cat([logs, here + change], 1).topk(logs.shape[1])
        tried = torch.cat([tried, tried.new_zeros(factor.shape)], 1).gather(1, kept)
        words = _taken(torch.cat([words, found], 1), kept)
        words = words.masked_fill((logs == -torch.inf)[..., None], EMPTY)
    return Sets(words, logs)


def neighbours(words: Tensor, current: Tensor, factors: int) -> Tensor:
    """Which single flips of ``current (B, 1, P)`` are among the states ``words``, ``(B, D)``."""
    apart = words ^ current  # (B, S, P)
    one = (apart > 0) & ((apart & (apart - 1)) == 0)  # a power of two: one bit differs
    near = one.any(-1) & ((apart != 0).sum(-1) == 1)  # in one word, and in no other
    place = torch.where(one, apart, 1).float().log2().round().long()
    place = (place + WIDTH * torch.arange(words.shape[2], device=words.device)) * one
    bit = torch.where(near, place.sum(-1), factors)  # (B, S), D where the state is not near
    marked = near.new_zeros(len(words), factors + 1).scatter(1, bit, True)
    return marked[:, :factors]


def _taken(words: Tensor, places: Tensor) -> Tensor:
    """Words ``(B, S, P)`` at places ``(B, K)`` of each set, ``(B, K, P)``."""
    return words.gather(1, places[..., None].expand(-1, -1, words.shape[2]))
