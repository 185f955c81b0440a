"""q(z | x) on a set of states of each document, found by search."""

from __future__ import annotations

import functools
from typing import NamedTuple

import torch
from torch import Tensor

from topicfactors.bits import EMPTY, marginals, pack, unpack
from topicfactors.contracts import Batch, Draw, Sizes, Target
from topicfactors.inference.encoders import BagOfWordsEncoder
from topicfactors.inference.memory import StateMemory
from topicfactors.inference.posteriors import (
    MeanField,
    MeanFieldPosterior,
    Posterior,
    WeightedStates,
)
from topicfactors.inference.search import Sets, evaluated, improved, settled, started

FEWEST_ROUNDS, FACTORS_A_ROUND = 6, 8
FIRST_LOOK = 16  # flips that may join the set of a new document in its first round
FIRST_VISIT = 6  # rounds at least when a document of the training is met for the first time


class Search(NamedTuple):
    """How far a set of states is looked for."""

    states: int = 12  # kept for each document of the training
    rounds: int = 2  # members of the set whose flips are looked at, a visit
    breadth: int = 4  # flips that may join the set in a round
    final_states: int = 64  # of a document that is not of the training
    final_rounds: int | None = None  # of it; None: 6, and one more for every 8 factors

    def new_rounds(self, factors: int) -> int:
        """Rounds of a document that is not of the training; more where its best state is new."""
        if self.final_rounds is not None:
            return self.final_rounds
        return FEWEST_ROUNDS + factors // FACTORS_A_ROUND


class Truncated(WeightedStates):
    """q(z | x) ∝ p(x, z) on a set of S states.

    Parameters
    ----------
    sets
        Packed states and log p(x, z), ``(B, S)``; a place without a state has log p = −∞.
    factors
        D.
    """

    def __init__(self, sets: Sets, factors: int) -> None:
        self.sets, self.factors = sets, factors

    @functools.cached_property
    def states(self) -> Tensor:
        """The bits, ``(S, B, D)``."""
        log_joint = self.sets.log_joint
        words = self.sets.words.masked_fill((self.sets.words == EMPTY).all(-1, keepdim=True), 0)
        return unpack(words, self.factors, log_joint.dtype).transpose(0, 1)

    @functools.cached_property
    def log_weights(self) -> Tensor:
        """Log q(z | x) of each state, ``(S, B)`` nats."""
        return self.sets.log_joint.log_softmax(1).t()

    def bound(self) -> Tensor:
        """F = log Σ_z p(x, z) over the set, ``(B,)`` nats."""
        return self.sets.bound()

    def support(self) -> tuple[Tensor, Tensor]:
        """The states and their weights."""
        return self.states, self.log_weights

    def mean(self) -> Tensor:
        """P(z_d = 1 | x), ``(B, D)``."""
        weights = self.sets.log_joint.softmax(1)
        return marginals(self.sets.words, weights, self.factors).clamp_max(1.0)  # rounding

    def pairwise(self) -> Tensor:
        """P(z_d = 1, z_e = 1 | x), ``(B, D, D)``; the diagonal is the mean."""
        states = self.states.transpose(0, 1)  # (B, S, D)
        both = (states * self.log_weights.exp().t()[..., None]).transpose(1, 2) @ states
        return both.clamp_max(1.0)

    def at(self, places: Tensor) -> Tensor:
        """Bits of the states at places ``(K, B)`` of each set, ``(K, B, D)``."""
        return self.states.gather(0, places[..., None].expand(-1, -1, self.factors))

    def log_prob(self, draw: Draw) -> Tensor:
        """Log q(z | x) of the states drawn, ``(S, B)`` nats; −∞ outside the set."""
        words = pack(draw.bits).transpose(0, 1)  # (B, samples, P)
        same = (words[:, :, None] == self.sets.words[:, None]).all(-1)  # (B, samples, S)
        found = self.log_weights.t()[:, None].masked_fill(~same, -torch.inf)
        return found.amax(-1).t()

    def detach(self) -> Truncated:
        """Itself: nothing of it is in the graph."""
        return self


class TruncatedPosterior(Posterior):
    """Searched sets of states, and an encoder that learns to guess them.

    Documents of the training keep their sets in the memory of the batch, from visit to visit; the
    set of any other document starts from the encoder's guess and from the state with nothing on.

    Parameters
    ----------
    sizes
        Number of factors D; its ``features`` is one more than the encoder's width.
    encoder
        Counts to features.
    search
        How far sets are looked for.
    """

    family = Truncated
    sampled = False
    searched = True

    def __init__(
        self, sizes: Sizes, encoder: BagOfWordsEncoder, search: Search | None = None
    ) -> None:
        super().__init__()
        self.sizes, self.search = sizes, search or Search()
        self.guess = MeanFieldPosterior(sizes, encoder)

    def forward(self, batch: Batch, target: Target) -> Truncated:
        """The set of every document, better than before where there is a memory of it."""
        search, memory = self.search, batch.memory
        if memory is None:
            size, rounds = search.final_states, search.new_rounds(self.sizes.factors)
            guess = self.amortised(batch)
            return searched(target, guess, size, rounds, search.breadth, settle=True)
        rounds = max(search.rounds, FIRST_VISIT) if memory.fresh else search.rounds
        with torch.autocast(batch.rows.device.type, enabled=False):
            landscape = target.landscape()
            sets = evaluated(landscape, memory.read(batch.rows))
            sets = improved(landscape, sets, rounds, search.breadth)
        memory.write(batch.rows, sets.words)
        return Truncated(sets, self.sizes.factors)

    def amortised(self, batch: Batch) -> MeanField:
        """The encoder's guess."""
        return self.guess.amortised(batch)

    def memory(self, documents: int) -> StateMemory:
        """A store of the sets of so many documents."""
        device = self.guess.head.weight.device
        return StateMemory(documents, self.search.states, self.sizes.factors, device)

    def arrange(self, order: Tensor, flipped: Tensor) -> None:
        """Reorder and turn the encoder's factors; the sets of documents are not kept so long."""
        self.guess.arrange(order, flipped)


@torch.no_grad()
def searched(
    target: Target,
    guess: MeanField,
    states: int,
    rounds: int,
    breadth: int,
    *,
    settle: bool = False,
) -> Truncated:
    """Sets of ``states`` states, looked for from the mode of a guess and from no factor on.

    ``settle`` gives more rounds to the documents that need them.
    """
    with torch.autocast(guess.logits.device.type, enabled=False):
        landscape = target.landscape()
        mode = (guess.logits > 0).to(landscape.dtype)
        sets = started(landscape, torch.stack([mode, torch.zeros_like(mode)]), states)
        improve = settled if settle else improved
        sets = improve(landscape, sets, rounds, breadth, first=min(states, FIRST_LOOK))
    return Truncated(sets, landscape.factors)
