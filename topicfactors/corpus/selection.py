"""Which of spaCy's tokens count as words, and as which: rules over arrays of attributes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from topicfactors.corpus.pipelines import lookup_lemmas
from topicfactors.corpus.rules import NUMBER, URL, TokenRules

Hashes = NDArray[np.uint64]


def is_number(token: str) -> bool:
    """Digits with or without separators.

    >>> [is_number(token) for token in ("1,234.5", "3-4", "two", "2nd", "-")]
    [True, True, False, False, False]
    """
    digits = any(sign.isdigit() for sign in token)
    return digits and not any(sign.isalpha() for sign in token)


class Selection:
    """Token attributes ``(tokens, A)`` to which of them are words, and the hash of each.

    Attributes
    ----------
    attributes
        spaCy's numbers of the attributes that are wanted, in the order of the columns.
    """

    def __init__(self, rules: TokenRules, nlp: Any) -> None:
        from spacy import attrs

        self.rules, self.strings = rules, nlp.vocab.strings
        spelling = attrs.LOWER if rules.lowercase else attrs.ORTH
        self.attributes = [spelling, attrs.LENGTH, attrs.IS_ALPHA, attrs.IS_PUNCT, attrs.IS_SPACE]
        self.simple = rules.letters_only and (rules.numbers, rules.urls) == ("drop", "drop")
        if not self.simple or rules.lemmatize or rules.pos:
            self.attributes += [
                attrs.ORTH,
                attrs.LIKE_URL,
                attrs.LIKE_EMAIL,
                attrs.LEMMA,
                attrs.POS,
            ]
        # "det" and its like have numbers of their own
        self.stop = np.array(sorted(map(self.strings.add, rules.stop_words)), dtype=np.uint64)
        self.pos = np.array([self.strings[tag] for tag in rules.pos], dtype=np.uint64)

    def __call__(self, tokens: Hashes) -> tuple[NDArray[np.bool_], Hashes]:
        """The words among some tokens: which they are ``(tokens,)``, and all hashes."""
        rules = self.rules
        spelled, lengths, letters, punctuation, spaces = tokens.T[:5]
        kept = (letters == 1) if rules.letters_only else (punctuation == 0) & (spaces == 0)
        words = spelled
        if rules.lemmatize:
            words, lengths = self._lemmas(tokens)
        long = lengths >= rules.min_length
        if not self.simple:
            kept, long, words = self._numbers_and_urls(tokens, kept, long, words.copy())
        if rules.pos:
            kept &= np.isin(tokens[:, 9], self.pos)
        stopped = np.isin(spelled, self.stop) | np.isin(words, self.stop)
        return kept & long & ~stopped, words

    def _numbers_and_urls(
        self, tokens: Hashes, kept: NDArray[np.bool_], long: NDArray[np.bool_], words: Hashes
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_], Hashes]:
        urls = (tokens[:, 6] == 1) | (tokens[:, 7] == 1)
        distinct, places = np.unique(tokens[:, 5], return_inverse=True)
        numeric = [is_number(self.strings[number]) for number in distinct.tolist()]
        numbers = np.array(numeric, dtype=bool)[places] & ~urls
        for which, choice, folded in (
            (numbers, self.rules.numbers, NUMBER),
            (urls, self.rules.urls, URL),
        ):
            kept = kept & ~which if choice == "drop" else kept | which
            if choice == "fold":
                words[which] = self.strings.add(folded)
                long = long | which
        return kept, long, words

    def _lemmas(self, tokens: Hashes) -> tuple[Hashes, NDArray[np.int64]]:
        """Hash and length of the lemma of each token, worked out once for each different one."""
        column, read = (8, self._own_lemma) if self.rules.tagged else (5, self._table_lemma)
        pairs, places = np.unique(tokens[:, [column, 5]], axis=0, return_inverse=True)
        lemmas = [read(*pair) for pair in pairs.tolist()]
        if self.rules.lowercase:
            lemmas = [lemma.lower() for lemma in lemmas]
        hashes = np.array([self.strings.add(lemma) for lemma in lemmas], dtype=np.uint64)
        lengths = np.array([len(lemma) for lemma in lemmas], dtype=np.int64)
        places = places.ravel()
        return hashes[places], lengths[places]

    def _own_lemma(self, lemma: int, orth: int) -> str:
        found: str = self.strings[lemma or orth]
        return found

    def _table_lemma(self, orth: int, _: int) -> str:
        table, word = lookup_lemmas(self.rules.language), self.strings[orth]
        found: str | None = table.get(orth)
        if found is None and self.rules.lowercase:
            found = table.get(word.lower())  # the first word of a sentence
        return found or word
