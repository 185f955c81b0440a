"""Neighbouring words that come together more often than by chance become one word.

The score is that of Mikolov et al. (2013), *Distributed representations of words and phrases and
their compositionality*, as gensim computes it: ``(n(a, b) - min_count) n / (n(a) n(b))``, where n
without an argument is the number of different words and pairs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from topicfactors.corpus.blocks import TokenBlock

JOINT = "_"


class Sequences:
    """The words of a corpus in their order, four bytes each; read as often as wanted."""

    def __init__(self, blocks: Iterable[TokenBlock]) -> None:
        known: dict[str, int] = {}
        self._kept: list[tuple[NDArray[np.int32], NDArray[np.int32]]] = []
        for block in blocks:
            numbers = [known.setdefault(word, len(known)) for word in block.spellings]
            places = np.array(numbers, dtype=np.int32)
            self._kept.append((block.lengths, places[block.words]))
        self.spellings = list(known)

    def __iter__(self) -> Iterator[TokenBlock]:
        for lengths, words in self._kept:
            distinct, places = np.unique(words, return_inverse=True)
            spellings = [self.spellings[word] for word in distinct.tolist()]
            yield TokenBlock(lengths, places.astype(np.int32), spellings)

    def documents(self) -> Iterator[list[int]]:
        """The words of each document as positions in ``spellings``."""
        for lengths, words in self._kept:
            ends = np.cumsum(lengths).tolist()
            for begin, end in zip([0, *ends], ends, strict=False):
                yield words[begin:end].tolist()


def learn(corpus: Sequences, min_count: int, threshold: float) -> dict[str, float]:
    """The phrases of a corpus and their scores, ``{"steam_engine": 24.1}``.

    A phrase is known by its spelling: of words that have the joint in them, two pairs may be
    spelled alike ("a_b" with "c", and "a" with "b_c"), and then both are joined, with the score
    of one of them.

    Parameters
    ----------
    corpus
        Words in their order; a phrase never spans two documents.
    min_count
        Two words have to stand together more often than that.
    threshold
        Their score has to be higher than that.
    """
    from gensim.models.phrases import Phrases

    # Numbers instead of words: a word that has the joint in it would be taken apart by gensim.
    names = [str(number) for number in range(len(corpus.spellings))]
    sentences = ([names[word] for word in words] for words in corpus.documents())
    model = Phrases(sentences, min_count=min_count, threshold=threshold, delimiter=JOINT)
    spelled = corpus.spellings
    scores: dict[str, float] = {}
    for pair, score in model.export_phrases().items():
        first, second = map(int, pair.split(JOINT))
        scores[f"{spelled[first]}{JOINT}{spelled[second]}"] = float(score)
    return scores


def join(block: TokenBlock, phrases: Mapping[str, float]) -> TokenBlock:
    """Neighbours that are a phrase become one word, from left to right.

    The result is what gensim's ``FrozenPhrases`` gives for each document of the block.
    """
    width = len(block.spellings)
    pairs = block.words[:-1] * np.int64(width) + block.words[1:]
    pairs[np.cumsum(block.lengths)[:-1][_inside(block)] - 1] = -1  # documents end here
    distinct, places = np.unique(pairs, return_inverse=True)
    known = {word: place for place, word in enumerate(block.spellings)}
    joined = np.full(len(distinct), -1, dtype=np.int32)
    for number, pair in enumerate(distinct.tolist()):
        first, second = divmod(pair, width)
        phrase = f"{block.spellings[first]}{JOINT}{block.spellings[second]}" if pair >= 0 else ""
        if phrase in phrases:
            joined[number] = known.setdefault(phrase, len(known))
    found = joined[places]  # -1 where neighbours are no phrase
    heads = _every_other(found >= 0)
    words = block.words.copy()
    words[heads] = found[heads]
    stay = np.ones(len(words), dtype=bool)
    stay[heads + 1] = False
    documents = np.repeat(np.arange(len(block.lengths)), block.lengths)
    lengths = np.bincount(documents[stay], minlength=len(block.lengths)).astype(np.int32)
    used, places = np.unique(words[stay], return_inverse=True)
    spellings = list(known)
    return TokenBlock(lengths, places.astype(np.int32), [spellings[n] for n in used.tolist()])


def _inside(block: TokenBlock) -> NDArray[np.bool_]:
    """Ends of documents (but the last) that have words on both sides."""
    ends = np.cumsum(block.lengths)[:-1]
    return (ends > 0) & (ends < len(block.words))


def _every_other(matches: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The first, third, … of each run of pairs that match: a word belongs to one phrase."""
    places = np.flatnonzero(matches)
    starts = np.flatnonzero(np.diff(places, prepend=-2) > 1)
    first = np.repeat(places[starts], np.diff(starts, append=len(places)))
    heads: NDArray[np.int64] = places[(places - first) % 2 == 0]
    return heads
