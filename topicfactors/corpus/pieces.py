"""spaCy's tokeniser, asked once for every different piece of text between white space.

spaCy splits a text at white space first and then works on each piece alone, so a piece that was
seen before need not be split again. Natural language repeats itself: of the pieces of 20
Newsgroups one in twelve is new. Tokenisers that do not work so (Chinese, Japanese, …) are asked
text by text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

KEPT = 300_000  # pieces remembered by a process
SPELLINGS = 1_000_000  # the same of what a pipeline has met in whole texts


class Words(NamedTuple):
    """The words of some texts, one after the other."""

    owners: NDArray[np.int64]  # (tokens,) text of each word, ascending
    hashes: NDArray[np.uint64]  # (tokens,) spaCy's hash of its spelling


Select = Callable[[NDArray[np.uint64]], tuple[NDArray[np.bool_], NDArray[np.uint64]]]
"""Token attributes ``(tokens, A)`` -> which of them are words, and the hash of each as a word."""


def splits_at_white_space(nlp: Any) -> bool:
    """Does this pipeline's tokeniser work on pieces between white space alone?"""
    from spacy.tokenizer import Tokenizer

    if type(nlp.tokenizer) is not Tokenizer:
        return False
    return not any(len(rule.split()) > 1 for rule in nlp.tokenizer.rules)


class TextByText:
    """Tokenise every text as a whole."""

    def __init__(self, nlp: Any, attributes: Sequence[int], select: Select) -> None:
        self.nlp, self.attributes, self.select = nlp, list(attributes), select
        self.cuts = splits_at_white_space(nlp)
        self._known = len(nlp.vocab.strings)

    @property
    def spent(self) -> bool:
        """Has it met so much that another with a fresh pipeline should take its place?"""
        return len(self.nlp.vocab.strings) > self._known + SPELLINGS

    def words(self, texts: Sequence[str]) -> Words:
        """The words of some texts."""
        width = len(self.attributes)
        arrays = [doc.to_array(self.attributes).reshape(-1, width) for doc in self._read(texts)]
        tokens = np.concatenate([*arrays, np.empty((0, width), np.uint64)])
        owners = np.repeat(np.arange(len(texts)), [len(array) for array in arrays])
        kept, hashes = self.select(tokens)
        return Words(owners[kept], hashes[kept])

    def spell(self, hashes: NDArray[np.uint64]) -> list[str]:
        """The spellings of some hashes that :meth:`words` gave last."""
        strings = self.nlp.vocab.strings
        return [strings[number] for number in hashes.tolist()]

    def _read(self, texts: Sequence[str]) -> Iterable[Any]:
        return map(self.nlp.make_doc, texts)


class TextByTextTagged(TextByText):
    """Send every text through the whole pipeline: its taggers look at neighbours."""

    def _read(self, texts: Sequence[str]) -> Iterable[Any]:
        documents: Iterable[Any] = self.nlp.pipe(texts)
        return documents


class PieceByPiece(TextByText):
    """Tokenise every different piece once, and put the texts together from them."""

    def __init__(self, nlp: Any, attributes: Sequence[int], select: Select) -> None:
        super().__init__(nlp, attributes, select)
        self.places: dict[str, int] = {}
        self.bounds = np.zeros(1, np.int64)  # words of piece i are hashes[bounds[i]:bounds[i + 1]]
        self.hashes = np.empty(0, np.uint64)

    @property
    def spent(self) -> bool:
        """As of :class:`TextByText`, by the number of pieces."""
        return len(self.places) > KEPT

    def words(self, texts: Sequence[str]) -> Words:
        """The words of some texts."""
        pieces = [text.split() for text in texts]
        flat = list(chain.from_iterable(pieces))
        self._learn(dict.fromkeys(flat))
        every = np.fromiter(map(self.places.__getitem__, flat), np.int64, len(flat))
        owners = np.repeat(np.arange(len(texts)), [len(text) for text in pieces])
        starts, ends = self.bounds[every], self.bounds[every + 1]
        each = ends - starts
        first = np.cumsum(each) - each
        tokens = np.repeat(starts - first, each) + np.arange(each.sum())
        return Words(np.repeat(owners, each), self.hashes[tokens])

    def _learn(self, pieces: dict[str, None]) -> None:
        from spacy.attrs import SPACY

        new = [piece for piece in pieces if piece not in self.places]
        if not new:
            return
        doc = self.nlp.make_doc(" ".join(new))
        tokens = doc.to_array([*self.attributes, SPACY])
        owners = np.concatenate([[0], np.cumsum(tokens[:-1, -1])]).astype(np.int64)
        kept, hashes = self.select(tokens)
        ends = np.cumsum(np.bincount(owners[kept], minlength=len(new)))
        self.bounds = np.concatenate([self.bounds, self.bounds[-1] + ends])
        self.hashes = np.concatenate([self.hashes, hashes[kept]])
        numbers = range(len(self.places), len(self.places) + len(new))
        self.places.update(zip(new, numbers, strict=True))
