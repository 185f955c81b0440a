"""The norms around states, each state's computed once however often a search comes by it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from topicfactors.bits import pack, padded, unpack
from topicfactors.model.state_logits import StateLogits

HELD = 2**24  # floats that are kept, where one call does not need more


class FlipNorms:
    """Norms of states and after each single flip of them, remembered from call to call.

    The documents of a batch share most of the states near no factor, and so do the rounds of their
    search. Parameters must not change meanwhile, and nothing but the state may move the logits.

    Parameters
    ----------
    joint
        The model.
    """

    def __init__(self, joint: Any) -> None:
        self.joint, self.factors = joint, joint.sizes.factors
        self.table = joint.decoder.bias.new_empty(0, self.factors + 1)
        self.keys = torch.empty(0, dtype=torch.int64, device=self.table.device)  # in order
        self.places = self.keys  # row of the table of each

    def __call__(self, bits: Tensor) -> tuple[Tensor, Tensor]:
        """Norms after each flip of ``bits (B, D)``, ``(B, D)``, and before ``(B,)``."""
        words = pack(bits)
        if words.shape[1] > 1:  # a key is one word: these are shared within the call only
            found, places = torch.unique(words, dim=0, return_inverse=True)
            rows = self._computed(found, bits.dtype).index_select(0, places)
        else:
            found, places = torch.unique(words[:, 0], return_inverse=True)
            held = self._rows(found, bits.dtype)
            rows = self.table.index_select(0, held[places])
        return rows[:, :-1], rows[:, -1]

    def _rows(self, states: Tensor, dtype: torch.dtype) -> Tensor:
        """Rows of the table with some different states ``(R,)`` in order, computed if need be."""
        near = torch.searchsorted(self.keys, states)
        known = torch.cat([self.keys, self.keys.new_full((1,), -1)])[near] == states
        missing = states[~known]
        if len(missing) == 0:
            return self.places[near]
        if (len(self.keys) + len(missing)) * (self.factors + 1) > HELD:
            self.keys, self.places, missing = self.keys[:0], self.places[:0], states
        self._keep(missing, self._computed(missing[:, None], dtype))
        return self.places[torch.searchsorted(self.keys, states)]

    def _keep(self, states: Tensor, rows: Tensor) -> None:
        held, end = len(self.keys), len(self.keys) + len(states)
        if end > len(self.table):
            larger = self.table.new_empty(max(end, 2 * held), self.factors + 1)
            larger[:held] = self.table[:held]
            self.table = larger
        self.table[held:end] = rows
        counted = torch.arange(end, device=states.device)
        old = counted[:held] + torch.searchsorted(states, self.keys)
        new = counted[: len(states)] + torch.searchsorted(self.keys, states)
        keys, places = states.new_empty(end), states.new_empty(end)
        keys[old], keys[new] = self.keys, states
        places[old], places[new] = self.places, counted[held:]
        self.keys, self.places = keys, places

    def _computed(self, words: Tensor, dtype: torch.dtype) -> Tensor:
        """Norms after each flip of states ``(R, P)`` and, last, before: ``(R, D + 1)``."""
        bits = unpack(padded(words), self.factors, dtype)
        logits = StateLogits(*self.joint.logits(bits[:, None, :]))
        after, norm = self.joint.likelihood.flip_norms(logits, self.factors)
        return torch.cat([after[: len(words), 0], norm[: len(words)]], 1)
