"""Sets of states, improved by single bit flips.

For a set K of distinct states F = log Σ_{z in K} p(x, z) is a lower bound on log p(x) with nothing
random in it, and q(z) ∝ p(x, z) on K attains it (expectation truncation: Lücke and Eggert, JMLR
2010; variational optimisation of the sets: Drefs, Guiraud and Lücke, JMLR 2022). The sets here are
improved best first: the most probable state whose neighbours were not yet looked at shows all D of
them at the cost of two products, the best few join the set, the least probable leave it. F never
falls, no number is drawn, and a document's set does not depend on its neighbours in a batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from topicfactors.bits import EMPTY, all_states, masks, pack, unpack, words_of
from topicfactors.contracts import Landscape

RECENT = 4  # rounds: a best state that is older may stay the best
LONGEST = 4  # times the rounds of most documents
ROOM = 128  # states that a search comes by before the least probable ones leave


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
    factors, states = landscape.factors, sets.words.shape[1]
    widths = [min(breadth if turn or first is None else first, factors) for turn in range(rounds)]
    pool = _Pool.of(sets, widths)
    for most in widths:
        _look(landscape, pool, most)
    return pool.kept(states)


def settled(landscape: Landscape, sets: Sets, rounds: int, breadth: int, first: int) -> Sets:
    """The sets after so many rounds, and more where the best state is still new.

    The parameters are those of :func:`improved`. A document goes on while its best state was found
    in one of the last ``RECENT`` rounds, to four times as many rounds at most.
    """
    states, factors = sets.words.shape[1], landscape.factors
    pool = _Pool.of(sets, [first, *[breadth] * (LONGEST * rounds)])
    for turn in range(rounds):
        _look(landscape, pool, min(breadth if turn else first, factors))
    found = pool.kept(states)
    rows = torch.arange(len(found.words), device=found.words.device)
    for _ in range(rounds, LONGEST * rounds, RECENT):
        going = (pool.found > pool.turn - RECENT).nonzero()[:, 0]
        if len(going) == 0:
            break
        rows, pool, landscape = rows[going], pool.select(going), landscape.select(going)
        for _ in range(RECENT):
            _look(landscape, pool, min(breadth, factors))
        for whole, part in zip(found, pool.kept(states), strict=True):
            whole[rows] = part
    return found


def _look(landscape: Landscape, pool: _Pool, most: int) -> None:
    """Look at the flips of each document's best state that was not looked at; some join."""
    here, current = pool.best()
    bits = unpack(current, landscape.factors, here.dtype)
    barred = unpack(pool.around(current), landscape.factors, torch.bool)
    change, factor = landscape.best_flips(bits, most, barred)
    flipped = current[:, None] ^ masks(landscape.factors, current.device)[factor]
    pool.add(flipped.transpose(0, 1), (here[:, None] + change).t())


class _Pool:
    """All states that a search came by, sorted only where they would be too many."""

    words: Tensor  # (M, B, P), of which ``size`` are states
    logs: Tensor  # (M, B) log p(x, z), nats
    open: Tensor  # the same, −∞ where the state was looked at
    highest: Tensor  # (B,) of them
    found: Tensor  # (B,) the turn at which it was found

    def __init__(self, states: int, size: int = 0, turn: int = 0) -> None:
        self.states, self.size, self.turn = states, size, turn

    @classmethod
    def of(cls, sets: Sets, widths: Sequence[int]) -> _Pool:
        """That of some sets, to which so many states come in each round."""
        used = (sets.log_joint > -torch.inf).any(0)  # places that some document needs
        words, logs = sets.words[:, used].transpose(0, 1), sets.log_joint[:, used].t()
        pool = cls(sets.words.shape[1])
        room = min(sum(widths), max(0, pool.states - len(words)) + max(ROOM, *widths, 0))
        pool.words = words.new_empty(len(words) + room, *words.shape[1:])
        pool.logs = logs.new_empty(len(words) + room, logs.shape[1])
        pool.open = torch.empty_like(pool.logs)
        pool.found = torch.zeros(len(sets.words), dtype=torch.int64, device=words.device)
        pool.highest = logs.new_full((len(sets.words),), -torch.inf)
        pool.add(words, logs)
        return pool

    def select(self, rows: Tensor) -> _Pool:
        """That of the documents ``rows (R,)``."""
        pool = _Pool(self.states, self.size, self.turn)
        pool.words, pool.logs, pool.open = (
            part.index_select(1, rows) for part in (self.words, self.logs, self.open)
        )
        pool.found, pool.highest = self.found[rows], self.highest[rows]
        return pool

    def best(self) -> tuple[Tensor, Tensor]:
        """Log p(x, z) ``(B,)`` and words ``(B, P)`` of the best not looked at; now it is."""
        member = self.open[: self.size].max(0, keepdim=True).indices
        self.open.scatter_(0, member, -torch.inf)
        words = self.words.gather(0, member[..., None].expand(-1, -1, self.words.shape[2]))
        return self.logs.gather(0, member)[0], words[0]

    def around(self, current: Tensor) -> Tensor:
        """Flips of ``current (B, P)`` whose states are here, as the bits of ``(B, P)``."""
        return neighbours(self.words[: self.size], current)

    def add(self, words: Tensor, logs: Tensor) -> None:
        """States ``(K, B, P)`` that are not here; those of log p = −∞ are none."""
        if self.size + len(words) > len(self.words):
            self._prune()
        places = slice(self.size, self.size + len(words))
        self.words[places] = words.masked_fill((logs == -torch.inf)[..., None], EMPTY)
        self.logs[places] = self.open[places] = logs
        self.size += len(words)
        highest = logs.amax(0)
        self.found.masked_fill_(highest > self.highest, self.turn)
        self.highest = torch.maximum(self.highest, highest)
        self.turn += 1

    def kept(self, states: int) -> Sets:
        """The most probable ones."""
        spare = states - self.size
        if spare > 0:
            words = self.words.new_full((spare, *self.words.shape[1:]), EMPTY)
            never = self.logs.new_full((spare, self.logs.shape[1]), -torch.inf)
            words = torch.cat([self.words[: self.size], words])
            logs = torch.cat([self.logs[: self.size], never])
        else:
            words, logs = self.words[: self.size], self.logs[: self.size]
        best, places = logs.t().topk(states)
        return Sets(_taken(words.transpose(0, 1), places), best)

    def _prune(self) -> None:
        """Leave the places of the least probable ones."""
        logs, places = self.logs[: self.size].t().topk(self.states)
        places, kept = places.t(), slice(0, self.states)
        self.words[kept] = self.words.gather(
            0, places[..., None].expand(-1, -1, self.words.shape[2])
        )
        self.open[kept], self.logs[kept] = self.open.gather(0, places), logs.t()
        self.size = self.states


def neighbours(words: Tensor, current: Tensor) -> Tensor:
    """Which single flips of ``current (B, P)`` are among different states ``words (S, B, P)``.

    As the bits of ``(B, P)``.
    """
    apart = words ^ current
    one = apart.masked_fill((apart & (apart - 1)) != 0, 0).clamp_min_(0)  # a power of two, or 0
    if words.shape[2] > 1:
        one = one.masked_fill(((apart != 0).sum(-1) != 1)[..., None], 0)
    return one.sum(0)


def _taken(words: Tensor, places: Tensor) -> Tensor:
    """Words ``(B, S, P)`` at places ``(B, K)`` of each set, ``(B, K, P)``."""
    return words.gather(1, places[..., None].expand(-1, -1, words.shape[2]))
