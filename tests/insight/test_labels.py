"""Labels from words."""

import numpy as np
import pytest

from topicfactors.insight.labels import alike, own_words, word_labels
from topicfactors.insight.topics import Factors


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("engine", "engines", True),
        ("Engine", "engineering", True),
        ("galaxy", "galaxies", True),
        ("boiler", "boiled", True),
        ("communism", "communist", True),
        ("war", "wars", True),
        ("war", "warm", True),  # letters cannot tell; it costs a word
        ("steam", "steel", False),
        ("government", "grammar", False),
        ("sun", "sundial", False),
        ("машина", "машины", True),
        ("a", "a", True),
    ],
)
def test_forms_of_a_word(one, other, same):
    assert alike(one, other) is same
    assert alike(other, one) is same


def test_forms_count_once_and_phrases_come_first():
    scored = [("engines", 3.0), ("engine", 2.9), ("steam_engine", 2.0), ("steam", 1.9), ("coal", 1)]
    assert word_labels([scored], 2) == ["steam engine / coal"]
    weak = [("coal", 3.0), ("fire", 2.0), ("blast_furnace", 1.0)]
    assert word_labels([weak], 2) == ["coal / fire"]


def test_labels_are_distinct_and_can_be_names():
    scored = [("one", 2.0), ("two", 1.0)]
    assert word_labels([scored] * 4, 1) == ["one", "one / two", "one / two (2)", "one / two (3)"]
    assert word_labels([[], []]) == ["no words", "no words (2)"]
    years = [("1789", 2.0), ("paris", 1.0)]
    assert word_labels([years], 1, lambda label: not label.isdecimal()) == ["1789 / paris"]
    assert word_labels([years[:1]], 1, lambda label: not label.isdecimal()) == ["1789 (1)"]


def test_what_cannot_be_printed_is_left_out():
    assert word_labels([[("a\nb", 2.0), ("steam", 1.0)]]) == ["steam"]


def test_words_are_those_that_tell_more_of_a_factor_than_of_any_other():
    evidence = np.array([[3.0, 1.0, -1.0, 0.5], [1.0, 2.0, -2.0, 0.0], [0.5, 0.9, -3.0, 0.1]])
    flat = np.full((3, 4), 0.25)
    known = Factors(evidence, flat, flat[0], np.full(4, np.inf), flat[:, 0], evidence)
    known = known._replace(document_frequency=np.full(4, 1e12))
    names = ["engine", "salt", "acid", "coal"]
    listed = [[word for word, _ in words] for words in own_words(known, names)]
    assert listed == [["engine", "coal"], ["salt"], ["salt", "engine", "coal"]]
