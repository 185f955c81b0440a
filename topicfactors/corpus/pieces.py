"""spaCy's tokeniser, asked once for every different piece of text between white space.

spaCy splits a text at white space first and then works on each piece alone, so a piece that was
seen before need not be split again. Natural language repeats itself: of the pieces of 20
Newsgroups one in twelve is new. Tokenisers that do not work so (Chinese, Japanese, …) are asked
text by text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

KEPT = 300_000  # pieces remembered by a process


class Words(NamedTuple):
    """The words of some texts, one after the other."""

    owners: NDArray[np.int64]  # (tokens,) text of each word, ascending
    hashes: NDArray[np.uint64]  # (tokens,) spaCy's hash of its spelling


Keep = Callable[[NDArray[np.uint64]], NDArray[np.bool_]]
"""Token attributes ``(tokens, A)`` -> which of them are words; the first column is the hash."""


def splits_at_white_space(nlp: Any) -> bool:
    """Does this pipeline's tokeniser work on pieces between white space alone?"""
    from spacy.tokenizer import Tokenizer

    if type(nlp.tokenizer) is not Tokenizer:
        return False
    return not any(len(rule.split()) > 1 for rule in nlp.tokenizer.rules)


class TextByText:
    """Tokenise every text as a whole."""

    def __init__(self, nlp: Any, attributes: Sequence[int], keep: Keep) -> None:
        self.nlp, self.attributes, self.keep = nlp, list(attributes), keep

    def words(self, texts: Sequence[str]) -> Words:
        """The words of some texts."""
        arrays = [self._tokens(text) for text in texts]
        tokens = np.concatenate(arrays) if arrays else np.empty((0, 1), np.uint64)
        owners = np.repeat(np.arange(len(texts)), [len(array) for array in arrays])
        kept = self.keep(tokens) if len(tokens) else np.empty(0, bool)
        return Words(owners[kept], tokens[kept, 0])

    def _tokens(self, text: str) -> NDArray[np.uint64]:
        array: NDArray[np.uint64] = self.nlp.make_doc(text).to_array(self.attributes)
        return array.reshape(-1, len(self.attributes))


class PieceByPiece(TextByText):
    """Tokenise every different piece once, and put the texts together from them."""

    def __init__(self, nlp: Any, attributes: Sequence[int], keep: Keep) -> None:
        super().__init__(nlp, attributes, keep)
        self._forget()

    def words(self, texts: Sequence[str]) -> Words:
        """The words of some texts."""
        if len(self.places) > KEPT:
            self._forget()
        pieces = [text.split() for text in texts]
        self._learn(dict.fromkeys(piece for text in pieces for piece in text))
        places = self.places
        every = np.fromiter((places[piece] for piece in chain.from_iterable(pieces)), np.int64)
        owners = np.repeat(np.arange(len(texts)), [len(text) for text in pieces])
        starts, ends = self.bounds[every], self.bounds[every + 1]
        each = ends - starts
        first = np.cumsum(each) - each
        tokens = np.repeat(starts - first, each) + np.arange(each.sum())
        return Words(np.repeat(owners, each), self.hashes[tokens])

    def _forget(self) -> None:
        self.places: dict[str, int] = {}
        self.bounds = np.zeros(1, np.int64)  # words of piece i are hashes[bounds[i]:bounds[i + 1]]
        self.hashes = np.empty(0, np.uint64)

    def _learn(self, pieces: dict[str, None]) -> None:
        from spacy.attrs import SPACY

        new = [piece for piece in pieces if piece not in self.places]
        if not new:
            return
        doc = self.nlp.make_doc(" ".join(new))
        tokens = doc.to_array([*self.attributes, SPACY])
        owners = np.concatenate([[0], np.cumsum(tokens[:-1, -1])]).astype(np.int64)
        kept = self.keep(tokens)
        ends = np.cumsum(np.bincount(owners[kept], minlength=len(new)))
        self.bounds = np.concatenate([self.bounds, self.bounds[-1] + ends])
        self.hashes = np.concatenate([self.hashes, tokens[kept, 0]])
        numbers = range(len(self.places), len(self.places) + len(new))
        self.places.update(zip(new, numbers, strict=True))
