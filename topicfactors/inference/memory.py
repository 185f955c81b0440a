"""What each document of a corpus was last explained by: packed states, or log-odds."""

from __future__ import annotations

import math
import tempfile
from typing import Any

import numpy as np
import torch
from torch import Tensor

from topicfactors.bits import EMPTY, words_of

BLOCK = 2**16  # documents
IN_MEMORY = 2**26  # bytes; a larger store is a file that the operating system maps
ON_DEVICE = 2**32  # bytes, on a GPU: a mapped file would be copied there batch by batch


class StateMemory:
    """S packed states for each of N documents, ``(N, S, P)`` int64 (a ``contracts.Memory``).

    Lives on the device, or, above ``in_memory`` bytes, in an unnamed temporary file that is mapped
    and goes when the store goes. Every document begins with the state that has nothing on.

    Parameters
    ----------
    documents, states, factors
        N, S and D.
    device
        Where it lives when it is not mapped.
    in_memory
        Bytes above which the file is used; None for 64 MiB, 4 GiB on a GPU.
    """

    def __init__(
        self,
        documents: int,
        states: int,
        factors: int,
        device: torch.device | str = "cpu",
        in_memory: int | None = None,
    ) -> None:
        shape = (documents, states, words_of(factors))
        self.mapped = 8 * math.prod(shape) > _most(device, in_memory)
        self.words = (
            _mapped(shape, np.int64)
            if self.mapped
            else torch.empty(shape, dtype=torch.int64, device=device)
        )
        for rows in torch.split(self.words, BLOCK):  # a mapped file is filled by pieces
            rows.fill_(EMPTY)[:, 0] = 0
        self._visited = 0

    @property
    def fresh(self) -> bool:
        """Are there documents that nobody has asked for yet?"""
        return self._visited < len(self.words)

    def read(self, rows: Tensor) -> Tensor:
        """The sets of documents ``rows (B,)``, ``(B, S, P)``, on the device of ``rows``."""
        self._visited += len(rows)
        return self.words[rows.to(self.words.device)].to(rows.device)

    def write(self, rows: Tensor, words: Tensor) -> None:
        """Keep the sets of documents ``rows``."""
        self.words[rows.to(self.words.device)] = words.to(self.words.device)

    def state_dict(self) -> dict[str, Any]:
        """Every set, and how often documents were asked for."""
        return {"kept": self.words, "visited": self._visited}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Keep what another store of as many documents kept."""
        self.words.copy_(state["kept"])
        self._visited = state["visited"]


class LogitMemory:
    """Log-odds of D factors for each of N documents, ``(N, D)`` float32 (a ``contracts.Memory``).

    Lives where a :class:`StateMemory` does.

    Parameters
    ----------
    documents
        N.
    start
        What every document begins with, ``(D,)``; its device is that of the store.
    in_memory
        Bytes above which a file is mapped; None as for a :class:`StateMemory`.
    """

    def __init__(self, documents: int, start: Tensor, in_memory: int | None = None) -> None:
        shape = (documents, len(start))
        self.mapped = 4 * math.prod(shape) > _most(start.device, in_memory)
        self.logits = _mapped(shape, np.float32) if self.mapped else start.new_empty(shape).float()
        for rows in torch.split(self.logits, BLOCK):
            rows.copy_(start.detach())
        self._visited = 0

    @property
    def fresh(self) -> bool:
        """Are there documents that nobody has asked for yet?"""
        return self._visited < len(self.logits)

    def read(self, rows: Tensor) -> Tensor:
        """The log-odds of documents ``rows (B,)``, ``(B, D)``, on the device of ``rows``."""
        self._visited += len(rows)
        return self.logits[rows.to(self.logits.device)].to(rows.device)

    def write(self, rows: Tensor, words: Tensor) -> None:
        """Keep those of documents ``rows``."""
        self.logits[rows.to(self.logits.device)] = words.to(self.logits)

    def state_dict(self) -> dict[str, Any]:
        """The log-odds of all documents, and how often they were asked for."""
        return {"kept": self.logits, "visited": self._visited}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Keep what another store of as many documents kept."""
        self.logits.copy_(state["kept"])
        self._visited = state["visited"]


def _most(device: torch.device | str, asked: int | None) -> int:
    """Bytes that are kept in memory."""
    on_device = torch.device(device).type != "cpu"
    return (ON_DEVICE if on_device else IN_MEMORY) if asked is None else asked


def _mapped(shape: tuple[int, ...], kind: type[np.generic]) -> Tensor:
    """A tensor in an unnamed temporary file, which goes when the tensor goes."""
    with tempfile.TemporaryFile() as file:  # the map outlives its name
        return torch.from_numpy(np.memmap(file, kind, "w+", shape=shape))
