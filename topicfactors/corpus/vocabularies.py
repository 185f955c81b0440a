"""Vocabularies that come with counts: the word of each column, from files, lists and mappings."""

from __future__ import annotations

import contextlib
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from topicfactors.corpus.lines import lines_of
from topicfactors.corpus.text import without_surrogates
from topicfactors.errors import InputError


def words_of(vocabulary: object) -> list[str]:
    """The words in the order of the columns.

    Parameters
    ----------
    vocabulary
        Path of a file of one word a line; an iterable of words; or a mapping of columns to words,
        as gensim's Dictionary is, or of words to columns, as scikit-learn's ``vocabulary_`` is.

    Raises
    ------
    InputError
        When a column has no word, or two have the same.

    Examples
    --------
    >>> words_of({1: "engine", 0: "steam"})
    ['steam', 'engine']
    """
    if isinstance(vocabulary, str | Path):
        return distinct(lines_in(str(vocabulary)), str(vocabulary), first=1, place="line")
    kind = f"vocabulary ({type(vocabulary).__name__})"
    if isinstance(vocabulary, Mapping):
        return distinct(_by_column(vocabulary, kind), kind)
    if not isinstance(vocabulary, Iterable):
        raise InputError(
            "vocabulary must be the path of a file of one word a line, a list of words or a "
            f"gensim Dictionary, got {type(vocabulary).__name__}"
        )
    return distinct(list(vocabulary), kind)


def lines_in(path: str) -> list[str]:
    """Lines of a file without the space around them and without empty ones at its end."""
    with contextlib.closing(lines_of(path)) as lines:
        found = [line.strip() for line, _ in lines]
    while found and not found[-1]:
        found.pop()
    return found


def distinct(
    words: Sequence[Any], source: str, *, first: int = 0, place: str = "column"
) -> list[str]:
    """Words that are texts and come once each; ``first`` is how the source counts its places.

    Raises
    ------
    InputError
        With the places of what is wrong.
    """
    seen: dict[str, int] = {}
    for number, word in enumerate(words, first):
        if not isinstance(word, str) or not word.strip():
            raise InputError(
                f"{source}, {place} {number}: must be a word, got {reprlib.repr(word)}"
            )
        if word in seen:
            raise InputError(
                f"{source}: the word {word!r} comes twice ({place}s {seen[word]} and {number}); "
                "every column needs a word of its own"
            )
        seen[word] = number
    return [without_surrogates(word) for word in seen]


def _by_column(vocabulary: Mapping[Any, Any], kind: str) -> list[Any]:
    by_word = any(isinstance(key, str) for key in vocabulary)
    by_column = {vocabulary[word]: word for word in vocabulary} if by_word else dict(vocabulary)
    absent = next((n for n in range(len(vocabulary)) if n not in by_column), None)
    if absent is not None:
        raise InputError(
            f"{kind}: {len(vocabulary)} words, but none for column {absent}; columns are numbered "
            "from 0 without gaps (gensim: dictionary.compactify())"
        )
    return [by_column[column] for column in range(len(vocabulary))]
