"""Phrases are gensim's; words are four bytes until they are counted."""

import numpy as np
import pytest
from gensim.models.phrases import Phrases
from hypothesis import given, settings
from hypothesis import strategies as st

from topicfactors.corpus.blocks import TokenBlock
from topicfactors.corpus.phrases import Sequences, join, learn

TEXTS = ["new york steam engine", "steam engine new york new york", "", "new steam boiler york"]
DOCUMENTS = [text.split() for text in TEXTS] * 4


def block_of(documents):
    places = {}
    words = [places.setdefault(word, len(places)) for words in documents for word in words]
    lengths = np.array([len(words) for words in documents], dtype=np.int32)
    return TokenBlock(lengths, np.array(words, dtype=np.int32), list(places))


def sequences(documents, size=3):
    parts = [documents[start : start + size] for start in range(0, len(documents), size)]
    return Sequences(map(block_of, parts))


def test_sequences_give_back_the_words():
    corpus = sequences(DOCUMENTS)
    for _ in range(2):
        assert [words for block in corpus for words in block.texts()] == DOCUMENTS


def test_sequences_hold_four_bytes_a_word():
    assert {words.dtype for _, words in sequences(DOCUMENTS)._kept} == {np.dtype(np.int32)}


def test_scores_are_those_of_gensim():
    peer = Phrases(DOCUMENTS, min_count=2, threshold=0.5, delimiter="_").export_phrases()
    assert peer
    assert learn(sequences(DOCUMENTS), 2, 0.5) == pytest.approx(peer)


def test_nothing_is_learnt_from_nothing():
    assert learn(sequences([]), 1, 1.0) == {}
    assert learn(sequences([[]]), 1, 1.0) == {}


def test_words_with_the_joint_in_them_are_words():
    documents = [["new_york", "steam_engine"], ["new_york"], ["boiler"]] * 5
    assert set(learn(sequences(documents), 1, 0.1)) <= {"new_york_steam_engine"}


LETTERS = st.lists(st.lists(st.sampled_from("abc"), max_size=9), max_size=6)


@settings(deadline=None, max_examples=150)
@given(LETTERS, st.sets(st.sampled_from([f"{a}_{b}" for a in "abc" for b in "abc"])))
def test_joining_is_that_of_frozen_phrases(documents, phrases):
    frozen = Phrases([], threshold=0.5).freeze()
    frozen.phrasegrams = dict.fromkeys(phrases, 1.0)
    found = join(block_of(documents), dict.fromkeys(phrases, 1.0))
    assert found.texts() == [list(frozen[words]) for words in documents]
    assert len(set(found.spellings)) == len(found.spellings)
    assert set(found.spellings) == {word for words in found.texts() for word in words}


def test_a_phrase_never_spans_two_documents():
    found = join(block_of([["steam"], [], ["engine", "steam"], ["engine"]]), {"steam_engine": 1.0})
    assert found.texts() == [["steam"], [], ["engine", "steam"], ["engine"]]
