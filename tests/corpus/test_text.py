"""Bytes to text without losing any."""

import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topicfactors.corpus.text import LATIN, UTF16, decode, without_surrogates


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", ("", None)),
        ("Škoda – 東京 😀".encode(), ("Škoda – 東京 😀", None)),
        (codecs.BOM_UTF8 + "Škoda".encode(), ("Škoda", None)),
        ("Škoda".encode("utf-16"), ("Škoda", UTF16)),
        (codecs.BOM_UTF16_BE + "Škoda".encode("utf-16-be"), ("Škoda", UTF16)),
        ("naïve café".encode("latin-1"), ("naïve café", LATIN)),
        (codecs.BOM_UTF16_LE + b"abc", ("ÿþabc", LATIN)),
    ],
)
def test_each_encoding_is_read_and_named(data, expected):
    assert decode(data) == expected


@settings(deadline=None, max_examples=50)
@given(st.binary(max_size=60))
def test_no_bytes_are_lost(data):
    text, note = decode(data)
    if note == LATIN:
        assert text.encode("latin-1") == data
    elif note is None:
        assert text.encode() in (data, data.removeprefix(codecs.BOM_UTF8))


@settings(deadline=None, max_examples=50)
@given(st.text(st.characters(), max_size=30))
def test_every_text_can_be_written_and_whole_ones_stay_as_they_are(text):
    found = without_surrogates(text)
    found.encode("utf-8")
    assert type(found) is str
    if not any("\ud800" <= letter <= "\udfff" for letter in text):
        assert found == text
