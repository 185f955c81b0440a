"""Texts to counted words through spaCy's tokenisers, on as many processes as wanted.

Workers send back numbers only: the hash of each word of a document, how often it came, and the
spelling of each hash once a block. Whole spaCy documents never travel between processes.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from topicfactors.corpus.pieces import PieceByPiece, TextByText, splits_at_white_space
from topicfactors.errors import ConfigurationError

BLOCK = 400_000  # characters that a worker gets at once
SERIAL = 15_000_000  # characters below which starting processes costs more than it saves
RULE = re.compile(r"([^\w\s])\1{99,}")  # spaCy needs the square of its length in time


@dataclass(frozen=True)
class TokenRules:
    """Which tokens count as words. (A rule of 100 or more equal signs is read as one sign.)

    Attributes
    ----------
    language
        spaCy's code of the language, whose blank tokeniser is used.
    lowercase
        Fold the case.
    letters_only
        Only tokens of letters alone; else whatever is not punctuation or white space.
    min_length
        Shortest word, in characters.
    stop_words
        Words left out, in the case of the tokens.
    """

    language: str = "en"
    lowercase: bool = True
    letters_only: bool = True
    min_length: int = 3
    stop_words: frozenset[str] = frozenset()


class CountedBlock(NamedTuple):
    """Word counts of a few documents."""

    documents: NDArray[np.int32]  # (nnz,) position in the block
    words: NDArray[np.int32]  # (nnz,) position in spellings
    counts: NDArray[np.int32]  # (nnz,)
    spellings: list[str]  # every word of the block once
    size: int  # documents


@functools.cache
def blank(language: str) -> Any:
    """spaCy's blank pipeline of a language.

    Raises
    ------
    ConfigurationError
        When spaCy does not have that language, or it needs a package that is not installed.
    """
    import spacy

    try:
        nlp = spacy.blank(language)
    except ImportError as error:
        reason = " ".join(str(error).split())
        raise ConfigurationError(
            f"language must be a spaCy language code such as 'en', 'de' or 'it', "
            f"got {language!r}: {reason}"
        ) from error
    nlp.max_length = 2**31 - 1  # the limit guards parsers, and there is none here
    return nlp


def language_stop_words(language: str) -> frozenset[str]:
    """spaCy's stop words of a language, in lower case."""
    return frozenset(word.lower() for word in blank(language).Defaults.stop_words)


@functools.lru_cache(maxsize=4)
def _stop_hashes(rules: TokenRules) -> NDArray[np.uint64]:
    strings = blank(rules.language).vocab.strings  # "det" and its like have numbers of their own
    return np.array(sorted(strings.add(word) for word in rules.stop_words), dtype=np.uint64)


@functools.lru_cache(maxsize=2)
def _reader(rules: TokenRules) -> TextByText:
    """What tokenises by these rules; remembers pieces of text between blocks."""
    from spacy.attrs import IS_ALPHA, IS_PUNCT, IS_SPACE, LENGTH, LOWER, ORTH

    def keep(tokens: NDArray[np.uint64]) -> NDArray[np.bool_]:
        hashes, lengths, letters, punctuation, spaces = tokens.T[:5]
        kept: NDArray[np.bool_] = lengths >= rules.min_length
        kept &= (letters == 1) if rules.letters_only else (punctuation == 0) & (spaces == 0)
        return kept & ~np.isin(hashes, _stop_hashes(rules))

    nlp = blank(rules.language)
    spelling = LOWER if rules.lowercase else ORTH
    kind = PieceByPiece if splits_at_white_space(nlp) else TextByText
    return kind(nlp, [spelling, LENGTH, IS_ALPHA, IS_PUNCT, IS_SPACE], keep)


def count_block(rules: TokenRules, texts: Sequence[str]) -> CountedBlock:
    """Tokenise and count some texts; runs in a worker."""
    documents, hashes = _reader(rules).words([RULE.sub(r"\1", text) for text in texts])
    spellings, places = np.unique(hashes, return_inverse=True)
    pairs, counts = np.unique(
        documents * max(1, len(spellings)) + places.ravel(), return_counts=True
    )
    rows, columns = np.divmod(pairs, max(1, len(spellings)))
    strings = blank(rules.language).vocab.strings
    return CountedBlock(
        rows.astype(np.int32),
        columns.astype(np.int32),
        counts.astype(np.int32),
        [strings[int(word)] for word in spellings],
        len(texts),
    )


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
    blocks = _blocks(texts)
    head = list(itertools.islice(blocks, SERIAL // BLOCK)) if n_jobs > 1 else []
    if len(head) < SERIAL // BLOCK:
        for block in itertools.chain(head, blocks):
            yield count_block(rules, block)
        return
    from joblib import Parallel, delayed

    with Parallel(n_jobs=n_jobs) as parallel:
        while head:
            yield from parallel(delayed(count_block)(rules, block) for block in head)
            head = list(itertools.islice(blocks, 8 * n_jobs))
