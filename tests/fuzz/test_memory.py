"""Bags, vocabularies and columns that are in memory already."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.guard import guarded
from tests.fuzz.settings import few
from topicfactors import read_corpus
from topicfactors.corpus.bags import from_bags, is_bag_stream
from topicfactors.corpus.vocabularies import words_of

SIZES = st.sampled_from([0, 1, 2, -1, 2**31, 2**62, 2**64, 10**30, True, np.int64(3), 0.5])
VALUES = SIZES | st.floats() | st.sampled_from(["a", None, (1, 2), b"x", "\ud800", "a\nb", "\0"])
PAIRS = st.tuples(SIZES, VALUES) | st.tuples(VALUES, VALUES) | VALUES
BAGS = st.lists(st.lists(PAIRS, max_size=3) | VALUES, max_size=4)
CELLS = st.dictionaries(st.sampled_from(["text", "id", "label", "x"]) | VALUES, VALUES, max_size=4)


@few
@given(bags=BAGS, words=st.none() | SIZES.filter(lambda size: isinstance(size, int)))
def test_any_bags(bags, words):
    with guarded():
        is_bag_stream(bags)
        counts = from_bags(bags, words)
        counts.check_format(full_check=True)


@few
@given(words=st.lists(VALUES, max_size=4) | st.dictionaries(VALUES, VALUES, max_size=4) | VALUES)
def test_any_vocabulary(words):
    if isinstance(words, str):
        return  # a path
    with guarded():
        found = words_of(words)
        assert len(set(found)) == len(found)


@few
@given(rows=st.lists(CELLS | VALUES, max_size=4))
def test_any_rows(rows):
    with guarded():
        corpus = read_corpus(rows)
        assert len(list(corpus)) == len(corpus.ids) == len(rows)
        "".join([*corpus, *corpus.ids, *(label or "" for label in corpus.labels or ())]).encode()
