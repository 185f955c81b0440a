"""Texts to words, in order or counted, on as many processes as wanted.

Workers send back numbers only: the words of each document as positions in a list of spellings,
which comes once a block. Whole spaCy documents never travel between processes.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from topicfactors.corpus import pipelines
from topicfactors.corpus.abreast import in_order
from topicfactors.corpus.blocks import CountedBlock, TokenBlock, counted
from topicfactors.corpus.pieces import (
    PieceByPiece,
    TextByText,
    TextByTextTagged,
    Words,
    splits_at_white_space,
)
from topicfactors.corpus.rules import TokenRules
from topicfactors.corpus.selection import Selection

BLOCK = 400_000  # characters that a worker gets at once
SERIAL = 15_000_000  # characters below which starting processes costs more than it saves
SERIAL_TAGGED = 800_000  # the same where a pipeline tags, which takes long
# Of what has no white space spaCy peels signs one by one: the square of the length in time.
RULE = re.compile(r"[\W_]{100,}")
SIGNS = re.compile(r"\S{100,}")
SIGNS_KEPT = 3  # of a run of different signs; of one sign, one
LONG = re.compile(r"(?<!\S)(?!https?://)\S{2000,}")
SIGN_IN_LONG = re.compile(r"\S{200,}?(?:[^\w\s]|_)")
Block = TypeVar("Block")


class ByPattern:
    """The words that a regular expression finds, as in scikit-learn's CountVectorizer."""

    cuts = spent = False

    def __init__(self, rules: TokenRules) -> None:
        self.rules, self.find = rules, re.compile(rules.token_pattern or "").findall
        self.spellings: list[str] = []

    def words(self, texts: Sequence[str]) -> Words:
        """The words of some texts; instead of hashes, positions in their spellings."""
        lists = [self._found(text) for text in texts]
        places: dict[str, int] = {}
        every = [places.setdefault(word, len(places)) for words in lists for word in words]
        self.spellings = list(places)
        owners = np.repeat(np.arange(len(texts)), [len(words) for words in lists])
        return Words(owners, np.array(every, dtype=np.uint64))

    def spell(self, hashes: NDArray[np.uint64]) -> list[str]:
        """The spellings of some words that :meth:`words` gave last."""
        return [self.spellings[place] for place in hashes.tolist()]

    def _found(self, text: str) -> list[str]:
        rules = self.rules
        found = self.find(text.lower() if rules.lowercase else text)
        return [w for w in found if len(w) >= rules.min_length and w not in rules.stop_words]


@functools.lru_cache(maxsize=2)
def _reader(rules: TokenRules) -> TextByText | ByPattern:
    """What tokenises by these rules; remembers pieces of text between blocks."""
    if rules.token_pattern is not None:
        return ByPattern(rules)
    nlp = rules.pipeline()
    selection = Selection(rules, nlp)
    if rules.tagged:
        return TextByTextTagged(nlp, selection.attributes, selection)
    kind = PieceByPiece if splits_at_white_space(nlp) else TextByText
    return kind(nlp, selection.attributes, selection)


def _tamed(text: str, cuts: bool) -> str:
    """A text without long runs of signs and, where ``cuts``, with space in very long pieces."""
    text = RULE.sub(lambda run: SIGNS.sub(_few_signs, run[0]), text)
    if cuts and len(text) >= 2000:
        text = LONG.sub(lambda piece: SIGN_IN_LONG.sub(r"\g<0> ", piece[0]), text)
    return text


def _few_signs(run: re.Match[str]) -> str:
    signs = run[0]
    return signs[:1] if signs == signs[0] * len(signs) else signs[:SIGNS_KEPT]


def token_block(rules: TokenRules, texts: Sequence[str]) -> TokenBlock:
    """Tokenise some texts; runs in a worker."""
    reader = _reader(rules)
    if reader.spent:
        pipelines.forget()
        _reader.cache_clear()
        reader = _reader(rules)
    if rules.token_pattern is None:
        texts = [_tamed(text, reader.cuts) for text in texts]
    documents, hashes = reader.words(texts)
    distinct, places = np.unique(hashes, return_inverse=True)
    lengths = np.bincount(documents, minlength=len(texts)).astype(np.int32)
    return TokenBlock(lengths, places.ravel().astype(np.int32), reader.spell(distinct))


def count_block(rules: TokenRules, texts: Sequence[str]) -> CountedBlock:
    """Tokenise and count some texts; runs in a worker."""
    return counted(token_block(rules, texts))


def read_texts(rules: TokenRules, texts: Iterable[str], n_jobs: int = 1) -> Iterator[TokenBlock]:
    """The words of a stream of texts in order; see :func:`count_texts`."""
    return _stream(token_block, rules, texts, n_jobs)


def count_texts(rules: TokenRules, texts: Iterable[str], n_jobs: int = 1) -> Iterator[CountedBlock]:
    """Counts of a stream of texts in its order, holding a few blocks of texts at a time.

    Parameters
    ----------
    rules
        Which tokens count.
    texts
        Any iterable of str; read once.
    n_jobs
        Processes; one is used anyway for a short corpus.
    """
    return _stream(count_block, rules, texts, n_jobs)


def _blocks(texts: Iterable[str]) -> Iterator[list[str]]:
    block: list[str] = []
    size = 0
    for text in texts:
        block.append(text)
        size += len(text) + 200
        if size > BLOCK:
            yield block
            block, size = [], 0
    if block:
        yield block


def _stream(
    work: Callable[[TokenRules, Sequence[str]], Block],
    rules: TokenRules,
    texts: Iterable[str],
    n_jobs: int,
) -> Iterator[Block]:
    """What a function makes of each block of texts, in their order."""
    blocks = _blocks(texts)
    short = max(1, (min(SERIAL, SERIAL_TAGGED) if rules.tagged else SERIAL) // BLOCK)
    head = list(itertools.islice(blocks, short)) if n_jobs > 1 else []
    tasks = ((rules, block) for block in itertools.chain(head, blocks))
    yield from in_order(work, tasks, 1 if len(head) < short else n_jobs)
