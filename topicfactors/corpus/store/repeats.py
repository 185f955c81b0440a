"""Which ids come more than once, of any number of documents, in a bounded room.

Of each id a number is kept in a file; numbers that are alike are looked for among a share of them
at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

ROOM = 1 << 22  # numbers that are looked at at once, sixteen bytes each


class Repeated(NamedTuple):
    """The first id that comes again."""

    first: int  # its row
    again: int
    others: int  # ids that come more than once too


class Repeats:
    """Ids as they pass.

    Parameters
    ----------
    path
        A file for their numbers, written anew.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.room, self.begun = path, ROOM, False

    def add(self, ids: Sequence[str]) -> None:
        """Note the ids of some documents."""
        numbers = np.fromiter(map(hash, ids), dtype=np.int64, count=len(ids))
        with self.path.open("ab" if self.begun else "wb") as file:
            file.write(numbers.tobytes())
        self.begun = True

    def found(self, since: int = 0) -> Repeated | None:
        """The first that comes again from row ``since`` on, None where none does."""
        if not self.begun:
            return None
        numbers: NDArray[np.int64] = np.memmap(self.path, dtype=np.int64, mode="r")
        earliest, others = None, -1
        shares = -(-len(numbers) // self.room)
        for share in range(shares):
            rows = np.concatenate(list(self._rows(numbers, shares, share)))
            values = np.asarray(numbers[rows])
            order = np.argsort(values, kind="stable")
            alike = np.diff(values[order]) == 0
            second = np.flatnonzero(alike & ~np.concatenate([[False], alike[:-1]]))
            second = second[rows[order[second + 1]] >= since]
            others += len(second)
            if len(second):
                again = rows[order[second + 1]]
                place = int(again.argmin())
                found = (int(rows[order[second[place]]]), int(again[place]))
                earliest = found if earliest is None or found[1] < earliest[1] else earliest
        return None if earliest is None else Repeated(*earliest, others)

    def _rows(
        self, numbers: NDArray[np.int64], shares: int, share: int
    ) -> Iterator[NDArray[np.int64]]:
        for begin in range(0, len(numbers), self.room):
            yield begin + np.flatnonzero(numbers[begin : begin + self.room] % shares == share)
