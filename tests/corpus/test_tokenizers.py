"""Blocks of texts to counts, in one process or several."""

import time

import numpy as np
import pytest
import spacy

from topicfactors.corpus import tokenizers
from topicfactors.corpus.tokenizers import (
    TokenRules,
    blank,
    count_block,
    count_texts,
    language_stop_words,
)
from topicfactors.errors import ConfigurationError


def words_of(rules, text):
    """What the rules leave of one text, as {word: count}."""
    block = count_block(rules, [text])
    pairs = zip(block.words.tolist(), block.counts.tolist(), strict=True)
    return {block.spellings[word]: count for word, count in pairs}


def test_a_block_holds_position_word_and_count():
    block = count_block(TokenRules(), ["steam engine steam", "", "the engine!"])
    assert block.size == 3
    found = {
        (document, block.spellings[word]): count
        for document, word, count in zip(
            block.documents.tolist(), block.words.tolist(), block.counts.tolist(), strict=True
        )
    }
    assert found == {(0, "steam"): 2, (0, "engine"): 1, (2, "the"): 1, (2, "engine"): 1}


@pytest.mark.parametrize("texts", [[], [""], ["", "!?"], [" \n"]])
def test_blocks_without_words_have_rows(texts):
    block = count_block(TokenRules(), texts)
    assert (block.size, len(block.words), block.spellings) == (len(texts), 0, [])


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (TokenRules(), {"steam", "engines"}),
        (TokenRules(lowercase=False), {"Steam", "engines"}),
        (TokenRules(min_length=1), {"steam", "engines", "x"}),
        (TokenRules(min_length=6), {"engines"}),
        (TokenRules(letters_only=False, min_length=1), {"steam", "engines", "x", "1712", "$"}),
        (TokenRules(stop_words=frozenset({"steam"})), {"engines"}),
    ],
)
def test_each_rule(rules, expected):
    assert set(words_of(rules, "Steam engines, x 1712 $.")) == expected


def test_min_length_counts_characters_not_bytes():
    assert set(words_of(TokenRules(min_length=3), "éé éÉé 東京都")) == {"ééé", "東京都"}


@pytest.mark.parametrize("word", ["det", "conj", "nsubj", "dep"])
def test_words_that_spacy_has_numbers_for_are_words(word):
    assert words_of(TokenRules(), f"{word} steam") == {word: 1, "steam": 1}
    assert words_of(TokenRules(stop_words=frozenset({word})), f"{word} steam") == {"steam": 1}


def test_stop_words_are_those_of_the_language():
    assert {"the", "and"} <= language_stop_words("en")
    assert {"und", "die"} <= language_stop_words("de")


def test_a_language_is_made_once():
    assert blank("en") is blank("en")
    assert blank("en").lang == spacy.blank("en").lang


@pytest.mark.parametrize("language", ["qq", "", "ja-not-installed", None])
def test_an_unknown_language_is_refused_in_one_line(language):
    with pytest.raises(ConfigurationError, match="language must be a spaCy") as caught:
        blank(language)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("sign", ["(", "'", "=", "-"])
def test_a_long_rule_of_signs_takes_no_long_time(sign):
    began = time.perf_counter()
    found = words_of(TokenRules(), f"steam {sign * 50_000} engine {sign * 50_000}")
    assert found == {"steam": 1, "engine": 1}
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize("jobs", [1, 2])
def test_blocks_come_in_the_order_of_the_texts_whatever_the_number_of_processes(monkeypatch, jobs):
    monkeypatch.setattr(tokenizers, "BLOCK", 2_000)
    monkeypatch.setattr(tokenizers, "SERIAL", 10_000)
    texts = [f"word{'abcdefghij'[number % 10] * 3} " * (number % 7) for number in range(300)]
    blocks = list(count_texts(TokenRules(letters_only=False), iter(texts), jobs))
    assert len(blocks) > 20
    assert sum(block.size for block in blocks) == len(texts)
    totals = np.concatenate(
        [np.bincount(block.documents, block.counts, minlength=block.size) for block in blocks]
    )
    assert totals.tolist() == [number % 7 for number in range(300)]


def test_texts_are_held_a_few_blocks_at_a_time(monkeypatch):
    monkeypatch.setattr(tokenizers, "BLOCK", 1_000)
    taken = 0

    def texts():
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield "steam engine " * 20

    next(count_texts(TokenRules(), texts()))
    assert taken < 10
