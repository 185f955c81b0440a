"""Piece by piece gives what spaCy gives text by text."""

import numpy as np
import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.attrs import IS_SPACE, LENGTH, ORTH

from topicfactors.corpus import pieces
from topicfactors.corpus.pieces import (
    PieceByPiece,
    TextByText,
    TextByTextTagged,
    splits_at_white_space,
)

ATTRIBUTES = [ORTH, LENGTH, IS_SPACE]
TEXTS = [
    "Dr. Hooke's (so-called) springs: 3.5kg, isn't it? See http://example.org/a?b=c.",
    "",
    "\n\n  U.K.-based e.g. naïve   co-operation :-) \t don't  can't. \xa0 U.S.A.!!",
    "isn't it? See http://example.org/a?b=c.",
]


def not_space(tokens):
    return tokens[:, 2] == 0, tokens[:, 0]


def both(language="en"):
    nlp = spacy.blank(language)
    return TextByText(nlp, ATTRIBUTES, not_space), PieceByPiece(nlp, ATTRIBUTES, not_space)


def agree(one, other):
    np.testing.assert_array_equal(one.owners, other.owners)
    np.testing.assert_array_equal(one.hashes, other.hashes)


@pytest.mark.parametrize("language", ["en", "de", "fr", "it"])
def test_the_words_are_those_of_whole_texts(language):
    whole, parts = both(language)
    assert splits_at_white_space(whole.nlp)
    for _ in range(2):  # the second time everything is remembered
        agree(whole.words(TEXTS), parts.words(TEXTS))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), max_size=4))
def test_so_are_those_of_any_texts(texts):
    whole, parts = both()
    agree(whole.words(texts), parts.words(texts))


def test_hashes_are_spelled_again():
    for reader in both():
        found = reader.words(["steam engine"])
        assert reader.spell(found.hashes) == ["steam", "engine"]


def test_a_pipeline_reads_whole_texts():
    nlp = spacy.blank("en")
    seen = []

    @spacy.Language.component("pieces_test_watch")
    def watch(doc):
        seen.append(doc.text)
        return doc

    nlp.add_pipe("pieces_test_watch")
    whole, _ = both()
    agree(whole.words(TEXTS), TextByTextTagged(nlp, ATTRIBUTES, not_space).words(TEXTS))
    assert seen == TEXTS


def test_only_new_pieces_are_asked_for(monkeypatch):
    _, parts = both()
    parts.words(["steam engine", "steam clock"])
    asked = []
    plain = parts.nlp.make_doc
    monkeypatch.setattr(parts.nlp, "make_doc", lambda text: asked.append(text) or plain(text))
    parts.words(["engine steam clock", "steam boiler"])
    assert asked == ["boiler"]


def test_a_reader_is_spent_when_it_remembers_much(monkeypatch):
    monkeypatch.setattr(pieces, "KEPT", 3)
    monkeypatch.setattr(pieces, "SPELLINGS", 30)
    for reader in both():
        assert not reader.spent
        reader.words(["steam"])
        assert not reader.spent
        reader.words([f"word{number}" for number in range(40)])
        assert reader.spent


def test_tokenisers_that_look_across_white_space_are_not_taken_apart():
    nlp = spacy.blank("en")
    assert splits_at_white_space(nlp)
    nlp.tokenizer.add_special_case("New York", [{"ORTH": "New York"}])
    assert not splits_at_white_space(nlp)
    assert not splits_at_white_space(spacy.blank("zh"))
