"""Blocks of texts to words in order and to counts, in one process or several."""

import gc
import time
import weakref

import numpy as np
import pytest

from topicfactors.corpus import pieces, pipelines, tokenizers
from topicfactors.corpus.rules import TokenRules
from topicfactors.corpus.tokenizers import count_block, count_texts, read_texts, token_block


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
        (TokenRules(letters_only=False, min_length=1), {"steam", "engines", "x", "$"}),
        (
            TokenRules(letters_only=False, min_length=1, numbers="keep"),
            {"steam", "engines", "x", "1712", "$"},
        ),
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


NUMBERS = "Steam 3-4 1,234.5 2nd two 7 example.org me@example.org"


@pytest.mark.parametrize("letters_only", [True, False])
@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({}, []),
        ({"numbers": "keep"}, ["1,234.5"]),
        ({"numbers": "fold"}, ["<number>"] * 4),
        ({"urls": "keep"}, ["example.org", "me@example.org"]),
        ({"urls": "fold", "lowercase": False}, ["<url>", "<url>"]),
        ({"urls": "fold", "numbers": "fold"}, [*["<number>"] * 4, "<url>", "<url>"]),
    ],
)
def test_numbers_and_urls_whatever_letters_only_says(letters_only, rules, expected):
    block = token_block(TokenRules(letters_only=letters_only, **rules), [NUMBERS])
    words = [word for word in block.texts()[0] if word not in ("Steam", "steam", "2nd", "two")]
    assert words == expected


def test_words_keep_their_order():
    block = token_block(TokenRules(), ["steam engine steam", "", "valve engine"])
    assert block.texts() == [["steam", "engine", "steam"], [], ["valve", "engine"]]
    assert block.lengths.tolist() == [3, 0, 2]


class TestPattern:
    def words(self, text, **rules):
        return token_block(TokenRules(**{"min_length": 1, **rules}), [text]).texts()[0]

    def test_it_finds_the_words(self):
        assert self.words("Hooke's spring-1", token_pattern=r"[a-z'-]+") == ["hooke's", "spring-"]

    def test_a_group_is_the_word(self):
        assert self.words("#steam #valve engine", token_pattern=r"#(\w+)") == ["steam", "valve"]

    def test_case_length_and_stop_words_hold(self):
        rules = {"token_pattern": r"\w+", "lowercase": False, "min_length": 3}
        stop = frozenset({"Valve"})
        assert self.words("Steam of Valve 1712", **rules, stop_words=stop) == ["Steam", "1712"]


class TestLemmas:
    def words(self, text, **rules):
        return token_block(TokenRules(lemmatize=True, **rules), [text]).texts()[0]

    def test_those_of_the_tables(self):
        assert self.words("Mice saw engines engines") == ["mouse", "see", "engine", "engine"]
        assert self.words("Die Häuser", language="de") == ["der", "haus"]

    def test_a_case_that_is_kept_is_looked_up_as_it_is(self):
        assert self.words("Mice mice", lowercase=False) == ["Mice", "mouse"]

    @pytest.mark.parametrize("stop", ["mice", "mouse"])
    def test_a_stop_word_is_one_before_and_after(self, stop):
        assert self.words("mice engines", stop_words=frozenset({stop})) == ["engine"]

    def test_the_length_is_that_of_the_lemma(self):
        assert self.words("mice engines", min_length=5) == ["mouse", "engine"]

    def test_folded_numbers_stay_folded(self):
        found = self.words("mice 1712", numbers="fold", min_length=1)
        assert found == ["mouse", "<number>"]

    @pytest.mark.parametrize("text", ["", "!?"])
    def test_no_words(self, text):
        assert self.words(text) == []

    def test_a_lemma_is_looked_up_once_for_each_piece(self, monkeypatch):
        from topicfactors.corpus import selection

        asked = []
        table = selection.lookup_lemmas("en")

        class Counting:
            def get(self, key):
                asked.append(key)
                return table.get(key)

        monkeypatch.setattr(selection, "lookup_lemmas", lambda language: Counting())
        rules = {"stop_words": frozenset({"unlike any other rules"})}
        self.words("engines engines engines", **rules)
        self.words("engines", **rules)
        assert len(asked) == 1


@pytest.mark.parametrize("sign", ["(", "'", "=", "-"])
def test_a_long_rule_of_signs_takes_no_long_time(sign):
    began = time.perf_counter()
    found = words_of(TokenRules(), f"steam {sign * 50_000} engine {sign * 50_000}")
    assert found == {"steam": 1, "engine": 1}
    assert time.perf_counter() - began < 5


def seconds(text):
    """The least of three times that a text takes."""
    least = float("inf")
    for _ in range(3):
        tokenizers._reader.cache_clear()
        tokenizers._reader(TokenRules())
        began = time.perf_counter()
        token_block(TokenRules(), [text])
        least = min(least, time.perf_counter() - began)
    return least


@pytest.mark.parametrize("signs", ["=_", ".,", "»«", "()", "'\"", "'s", "’s-"])
def test_pieces_of_signs_take_time_by_their_length_alone(signs):
    short, long = (seconds(signs * times) for times in (3_000, 12_000))
    assert long < 9 * short + 0.05  # spaCy alone takes sixteen times as long


@pytest.mark.parametrize(
    "text",
    [
        "«Well…» — (so-called) 'steam-engine', isn't it?! " * 80,
        "=" * 99 + " " + "- " * 300 + "* * *" * 60 + " steam_engine __init__ _____",
        "https://example.org/?q=" + "a-b&" * 900 + " steam",
        "a" * 1999 + " " + "日本語。" * 499,
    ],
)
def test_tokens_of_normal_texts_are_those_of_spacy(text):
    nlp = pipelines.blank("en")
    rules = TokenRules(letters_only=False, min_length=1, numbers="keep", urls="keep")
    expected = [t.lower_ for t in nlp(text) if not t.is_punct and not t.is_space]
    assert token_block(rules, [text]).texts() == [expected]


def test_scripts_without_white_space_are_not_cut():
    text = "我们，" * 1_000
    rules = TokenRules("zh", letters_only=False, min_length=1)
    assert len(token_block(rules, [text]).texts()[0]) == 2_000


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_a_pipeline_has_met_is_forgotten_and_nothing_else_changes(monkeypatch, language):
    rules = TokenRules(language, min_length=1)
    blocks = [
        [f"word{number} steam 工作{number}" for number in range(start, start + 30)]
        for start in range(0, 120, 30)
    ]
    plain = [token_block(rules, block).texts() for block in blocks]
    monkeypatch.setattr(pieces, "KEPT", 20)
    monkeypatch.setattr(pieces, "SPELLINGS", 20)
    pipelines.forget()
    tokenizers._reader.cache_clear()
    seen = weakref.WeakSet()
    for block, expected in zip(blocks, plain, strict=True):
        assert token_block(rules, block).texts() == expected
        seen.add(tokenizers._reader(rules).nlp)
    gc.collect()
    assert len(seen) < len(blocks)  # those before are gone


@pytest.mark.parametrize("choice", ["keep", "fold"])
def test_stop_words_may_be_numbers_and_urls(choice):
    stop = frozenset({"2024", "example.org"})
    rules = TokenRules(numbers=choice, urls=choice, stop_words=stop)
    found = token_block(rules, ["steam 2024 1712 example.org a@example.org"]).texts()[0]
    kept = ["1712", "a@example.org"] if choice == "keep" else ["<number>", "<url>"]
    assert found == ["steam", *kept]


def test_stop_words_may_be_folded_words():
    rules = TokenRules(numbers="fold", stop_words=frozenset({"<number>"}))
    assert token_block(rules, ["steam 2024"]).texts() == [["steam"]]


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


def test_words_in_order_come_from_several_processes_too(monkeypatch):
    monkeypatch.setattr(tokenizers, "BLOCK", 2_000)
    monkeypatch.setattr(tokenizers, "SERIAL", 4_000)
    texts = [f"word{'abcdefghij'[number % 10] * 3} " * (number % 7) for number in range(100)]
    blocks = list(read_texts(TokenRules(), iter(texts), 2))
    assert [words for block in blocks for words in block.texts()] == [t.split() for t in texts]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_threshold_below_a_block_loses_nothing(monkeypatch, jobs):
    monkeypatch.setattr(tokenizers, "SERIAL", 0)
    blocks = list(count_texts(TokenRules(), ["steam engine"], jobs))
    assert [block.size for block in blocks] == [1]


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
