"""Documents and corpora: rows never reorder and none is lost."""

import decimal
import pickle
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from topicfactors.corpus.documents import (
    Corpus,
    Document,
    LazyTexts,
    Ledger,
    Problem,
    check_texts,
    clean_text,
    describe_problems,
)
from topicfactors.corpus.folders import read_file
from topicfactors.errors import InputError


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "is empty"),
        (" \t\r\n ", "is empty"),
        (None, "is None"),
        (float("nan"), "is NaN"),
        (np.float32("nan"), "is NaN"),
        (pd.NA, "is missing"),
        (pd.NaT, "is missing"),
        (5, "is not a text but 5 (int)"),
        (b"bytes", "is not a text but b'bytes' (bytes)"),
        (["a"], "is not a text but ['a'] (list)"),
        (decimal.Decimal(1), "is not a text but Decimal('1') (Decimal)"),
    ],
)
def test_what_is_no_text_becomes_an_empty_one_with_a_reason(value, reason):
    assert clean_text(value) == ("", reason)


def test_a_long_value_is_abbreviated_in_the_reason():
    assert len(clean_text(["word"] * 10_000)[1]) < 200


def test_numpy_strings_become_plain_ones():
    text, problem = clean_text(np.str_("steam"))
    assert (type(text), text, problem) == (str, "steam", None)


@pytest.mark.parametrize(
    "texts",
    [
        pd.DataFrame({"text": ["a"]}),
        np.array([["a", "b"]]),
        np.array("a"),
        {"a": "steam"},
        5,
        None,
    ],
)
def test_what_is_no_iterable_of_texts_is_refused(texts):
    with pytest.raises(InputError, match="texts must be"):
        check_texts(texts)


@pytest.mark.parametrize(
    "texts", [["a"], ("a",), iter("ab"), pd.Series(["a"]), np.array(["a"]), {"a": 1}.values()]
)
def test_iterables_of_texts_pass(texts):
    check_texts(texts)


def test_problems_are_described_in_one_line_with_row_and_id():
    problems = [Problem(row, f"a\n{row}", "is empty") for row in range(5)]
    assert describe_problems(problems) == (
        "5 documents are kept as an empty row: row 0 (id a 0) is empty; row 1 (id a 1) is empty; "
        "row 2 (id a 2) is empty; and 2 more"
    )


def test_a_ledger_keeps_everything_but_the_texts_in_order():
    documents = [
        Document("one", "a", "x", {"year": 1}),
        Document("", "b", None, {"year": 2}, problem="is empty"),
        Document("three", "c", "y", {"year": 3}, note="were odd"),
        Document("four", "d", "y", {"year": 4}, note="were odd"),
    ]
    ledger = Ledger()
    assert list(ledger.record(documents)) == ["one", "", "three", "four"]
    assert ledger.ids == ["a", "b", "c", "d"]
    assert ledger.labels == ["x", None, "y", "y"]
    assert ledger.covariates == {"year": [1, 2, 3, 4]}
    assert ledger.notes() == [
        "1 document is kept as an empty row: row 1 (id b) is empty",
        "2 documents were odd (first: c)",
    ]


def test_an_id_that_comes_twice_is_noted_with_its_rows():
    ledger = Ledger()
    list(ledger.record(Document("text", name) for name in "abcba"))
    assert ledger.ids == list("abcba")
    assert ledger.notes() == ["id 'b' comes more than once (rows 1 and 3); so does 1 more"]


class TestStrict:
    def test_the_first_document_with_a_problem_is_refused(self):
        documents = [Document("one", "a"), Document("", "b", problem="is NaN"), Document("", "c")]
        texts = Ledger(strict=True).record(documents)
        assert next(texts) == "one"
        with pytest.raises(InputError, match=r"row 1 \(id b\) is NaN; mend it or leave it out"):
            next(texts)

    def test_an_id_that_comes_twice_is_refused(self):
        texts = Ledger(strict=True).record(Document("text", name) for name in "aba")
        with pytest.raises(InputError, match=r"id 'a' comes more than once \(rows 0 and 2\); give"):
            list(texts)

    def test_what_was_only_read_otherwise_passes(self):
        documents = [Document("one", "a", note="were odd"), Document("two", "b")]
        assert list(Ledger(strict=True).record(documents)) == ["one", "two"]


def test_ids_and_labels_can_always_be_written():
    ledger = Ledger()
    list(ledger.record([Document("", "a\ud800", "b\udfff", problem="is empty")]))
    "".join([*ledger.ids, *ledger.labels, *ledger.notes()]).encode()


def test_a_corpus_without_labels_has_none():
    ledger = Ledger()
    corpus = Corpus(list(ledger.record([Document("a", "0"), Document("b", "1")])), ledger)
    assert corpus.labels is None
    assert list(corpus) == ["a", "b"]
    assert repr(corpus) == "<Corpus of 2 documents>"


def test_lazy_texts_slice_and_iterate_like_a_list(tmp_path):
    paths = [tmp_path / f"{number}.txt" for number in range(5)]
    for path in paths:
        path.write_text(f"text {path.stem}")
    texts = LazyTexts(paths, partial(read_file, tmp_path))
    whole = [f"text {number}" for number in range(5)]
    assert list(texts) == whole
    assert isinstance(texts[1:4], LazyTexts)
    assert list(texts[1:4]) == whole[1:4]
    assert list(texts[::-2]) == whole[::-2]
    assert texts[-1] == whole[-1]
    assert texts[np.int64(2)] == whole[2]
    assert list(pickle.loads(pickle.dumps(texts))) == whole
    with pytest.raises(IndexError):
        texts[5]


def test_lazy_texts_are_read_when_asked_for(tmp_path):
    path = Path(tmp_path / "a.txt")
    path.write_text("before")
    texts = LazyTexts([path], partial(read_file, tmp_path))
    path.write_text("after")
    assert texts[0] == "after"


def test_a_covariate_that_some_documents_lack_stays_in_line():
    """What is known of a document is in its row, however many others have nothing."""
    ledger = Ledger()
    told = [{}, {"year": 1712}, {}, {"year": 1698, "place": "Dudley"}, {}]
    for _ in ledger.record(Document("text", str(n), covariates=c) for n, c in enumerate(told)):
        pass
    assert ledger.covariates == {
        "year": [None, 1712, None, 1698, None],
        "place": [None, None, None, "Dudley", None],
    }
