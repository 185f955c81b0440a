"""A few documents at a time: their words in order, the same counted, and many as one matrix."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from topicfactors.corpus.matrix import CountsMatrix


class TokenBlock(NamedTuple):
    """The words of a few documents, in their order."""

    lengths: NDArray[np.int32]  # (size,) words of each document
    words: NDArray[np.int32]  # (tokens,) position in spellings
    spellings: list[str]  # every word of the block once

    def texts(self) -> list[list[str]]:
        """The same as lists of words."""
        ends = np.cumsum(self.lengths).tolist()
        words = [self.spellings[word] for word in self.words.tolist()]
        return [words[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]


class CountedBlock(NamedTuple):
    """Word counts of a few documents."""

    documents: NDArray[np.int32]  # (nnz,) position in the block
    words: NDArray[np.int32]  # (nnz,) position in spellings
    counts: NDArray[np.int32]  # (nnz,)
    spellings: list[str]  # every word of the block once
    size: int  # documents


def counted(block: TokenBlock) -> CountedBlock:
    """How often each document of a block has each word."""
    documents = np.repeat(np.arange(len(block.lengths)), block.lengths)
    width = max(1, len(block.spellings))
    pairs, counts = np.unique(documents * width + block.words, return_counts=True)
    rows, columns = np.divmod(pairs, width)
    return CountedBlock(
        rows.astype(np.int32),
        columns.astype(np.int32),
        counts.astype(np.int32),
        block.spellings,
        len(block.lengths),
    )


def assemble(blocks: Iterable[CountedBlock], known: dict[str, int], grow: bool) -> Any:
    """Counts ``(N, len(known))``; unknown words get a column (``grow``) or are dropped."""
    rows, columns, values, documents = [], [], [], 0
    for block in blocks:
        if grow:
            for word in block.spellings:
                known.setdefault(word, len(known))
        place = np.array([known.get(word, -1) for word in block.spellings], dtype=np.int32)
        found = place[block.words] if len(place) else block.words
        keep = found >= 0
        rows.append(np.bincount(block.documents[keep], minlength=block.size))
        columns.append(found[keep])
        values.append(block.counts[keep])
        documents += block.size
    each = np.concatenate(rows) if rows else np.empty(0, np.int64)
    offsets = np.concatenate([[0], np.cumsum(each)])
    parts = [np.concatenate(p) if p else np.empty(0, np.int32) for p in (values, columns)]
    matrix = CountsMatrix((*parts, offsets), shape=(documents, len(known)), dtype=np.int32)
    matrix.sort_indices()
    return matrix
