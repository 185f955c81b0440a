"""The words that a corpus might be counted by, while its documents still stream past."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from topicfactors.corpus.documents import how_many
from topicfactors.corpus.pruning import Pruning
from topicfactors.corpus.store.spool import Spooled

MOST = 5_000_000  # different words that are remembered: some hundred bytes each


class Candidates:
    """How often each word came, and in how many documents; within bounds.

    Where there are more words than ``most``, those in the fewest documents are forgotten until
    half of them are left; a word that comes again begins anew.
    """

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self.known: dict[str, int] = {}
        self.documents = np.zeros(0, dtype=np.int64)
        self.totals = np.zeros(0, dtype=np.int64)
        self.forgotten = self.rarity = 0  # words, and in how many documents they were at most

    def add(self, shard: Spooled) -> None:
        """Count the words of a shard in."""
        known = self.known
        numbers = [known.setdefault(word, len(known)) for word in shard.spellings]
        places = np.array(numbers, dtype=np.int64)
        width = len(places)
        self._widen(len(known))
        self.documents[places] += np.bincount(shard.words, minlength=width)
        weights = np.bincount(shard.words, weights=shard.values, minlength=width)
        self.totals[places] += weights.astype(np.int64)
        if len(known) > self.most:
            self._forget()

    def vocabulary(self, pruning: Pruning, documents: int) -> list[str]:
        """The words that are kept of so many documents, sorted.

        The same as :class:`~topicfactors.DocumentVectorizer` keeps, unless words were forgotten.
        """
        within = pruning.within(self.documents[: len(self.known)], documents)
        spelled = np.array(list(self.known), dtype=object)[within]
        order = np.argsort(spelled)
        spelled, totals = spelled[order], self.totals[within[order]]
        if pruning.max_features is not None and len(spelled) > pruning.max_features:
            spelled = spelled[pruning.most_frequent(np.arange(len(spelled)), totals)]
        words: list[str] = spelled.tolist()
        return words

    def notes(self) -> list[str]:
        """What a user should know of words that were forgotten."""
        if not self.forgotten:
            return []
        return [
            f"more than {self.most:,} different words came: those in at most "
            f"{how_many(self.rarity, 'document')} were forgotten on the way "
            f"({self.forgotten:,} times), so that a word on the edge of min_df may be missing"
        ]

    def _widen(self, width: int) -> None:
        if width > len(self.documents):
            more = np.zeros(max(width, 2 * len(self.documents)) - len(self.documents), np.int64)
            self.documents = np.concatenate([self.documents, more])
            self.totals = np.concatenate([self.totals, more])

    def _forget(self) -> None:
        """Forget the rarest words until half of the room is free."""
        each: NDArray[np.int64] = self.documents[: len(self.known)]
        bound = 1
        while (stay := each > bound).sum() > self.most // 2:
            bound += 1
        self.rarity = max(self.rarity, bound)
        words = list(self.known)
        kept = np.flatnonzero(stay)
        self.forgotten += len(words) - len(kept)
        self.known = {words[place]: number for number, place in enumerate(kept.tolist())}
        self.documents, self.totals = each[kept], self.totals[kept]
