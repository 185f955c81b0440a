"""One training in several processes: who this one is, and sums over all of them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class World(NamedTuple):
    """The processes of a training; by default this one alone."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Is this the process that speaks and writes?"""
        return self.rank == 0

    def total(self, numbers: Tensor) -> Tensor:
        """The sum of every process's numbers, the same in all of them."""
        if self.size > 1:
            numbers = numbers.clone()
            torch.distributed.all_reduce(numbers)
        return numbers


ALONE = World()
