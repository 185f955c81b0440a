"""Vocabularies: a word for each column, or a line that says what is wrong."""

import pytest
from gensim.corpora import Dictionary

from topicfactors.corpus.vocabularies import words_of
from topicfactors.errors import InputError


@pytest.mark.parametrize(
    "vocabulary",
    [
        ["steam", "time"],
        ("steam", "time"),
        {0: "steam", 1: "time"},
        {"time": 1, "steam": 0},
        Dictionary([["steam"], ["time"]]),
    ],
)
def test_words_come_in_the_order_of_the_columns(vocabulary):
    assert words_of(vocabulary) == ["steam", "time"]


def test_a_file_has_a_word_a_line(tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_bytes("steam\r\nŠkoda\r\nsteam engine\r\n\r\n".encode())
    assert words_of(path) == words_of(str(path)) == ["steam", "Škoda", "steam engine"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\nb\na\n", r"vocab\.txt: the word 'a' comes twice \(lines 1 and 3\)"),
        ("a\n\nb\n", r"vocab\.txt, line 2: must be a word, got ''"),
    ],
)
def test_a_file_that_does_not_name_each_column_is_refused(tmp_path, text, message):
    (tmp_path / "vocab.txt").write_text(text)
    with pytest.raises(InputError, match=message):
        words_of(tmp_path / "vocab.txt")


@pytest.mark.parametrize(
    ("vocabulary", "message"),
    [
        (["a", "b", "a"], r"vocabulary \(list\): the word 'a' comes twice \(columns 0 and 2\)"),
        (["a", 3], r"column 1: must be a word, got 3"),
        ({0: "a", 2: "b"}, r"2 words, but none for column 1; .*compactify"),
        (5, r"must be the path of a file of one word a line, a list .* got int"),
    ],
)
def test_other_vocabularies_are_refused(vocabulary, message):
    with pytest.raises(InputError, match=message):
        words_of(vocabulary)
