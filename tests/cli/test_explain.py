"""``topicfactors explain``: which factors are on, and which words say so."""

import io
import json
import sys

import pytest
import scipy.io

from topicfactors import explain, load

TEXT = "steam engine piston piston boiler valve valve clock zorblax"


def test_it_prints_what_python_says(call, fitted):
    outcome = call("explain", fitted, TEXT)
    assert outcome.status == 0
    assert outcome.out.rstrip("\n") == str(explain(load(fitted / "model"), TEXT))
    assert "1 other (zorblax)" in outcome.out


def test_json_adds_up(call, fitted):
    found = json.loads(call("explain", fitted, TEXT, "--json").out, parse_constant=pytest.fail)
    assert found["unknown"] == ["zorblax"]
    assert found["tokens"] == 8
    assert sorted(factor["factor"] for factor in found["factors"]) == [0, 1, 2]
    for factor in found["factors"]:
        total = factor["prior"] + factor["rest"] + sum(word["nats"] for word in factor["words"])
        assert factor["log_odds"] == pytest.approx(total)
        assert {word["word"]: word["tokens"] for word in factor["words"]}["piston"] == 2


def test_a_file_standard_input_and_a_corpus_say_the_same(
    call, fitted, corpus, tmp_path, monkeypatch
):
    path = corpus / "clocks" / "01.txt"
    text = path.read_text()
    expected = call("explain", fitted, text).out
    assert call("explain", fitted, path).out == expected
    assert call("explain", fitted, corpus, "--id", "clocks/01.txt").out == expected
    (tmp_path / "t.csv").write_text(f'key,body\nother,x\nthis,"{text}"\n')
    table = ("--id", "this", "--id-column", "key", "--text-column", "body")
    assert call("explain", fitted, tmp_path / "t.csv", *table).out == expected
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert call("explain", fitted, "-").out == expected


def test_a_text_without_known_words_has_the_prior_alone(call, fitted):
    outcome = call("explain", fitted, "unheard words")
    assert "0 words of the vocabulary, 2 others (unheard, words)" in outcome.out
    assert "words +0.00" in outcome.out


def test_refine_reaches_the_search(refused, call, fitted):
    assert call("explain", fitted, TEXT, "--refine", "3").status == 0
    status, line = refused("explain", fitted, TEXT, "--refine", "0")
    assert status == 2
    assert "refine must be" in line


def test_a_binary_file_is_no_text(refused, fitted, tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\x00\x01")
    status, line = refused("explain", fitted, tmp_path / "a.txt")
    assert status == 2
    assert "NUL" in line


@pytest.mark.parametrize("length", [300, 999, 5000])
def test_a_long_text_is_no_path(call, fitted, length):
    text = ("steam engine piston " * 300)[:length]
    assert call("explain", fitted, text).status == 0


def test_a_file_of_one_text_by_any_name(call, refused, fitted, tmp_path):
    (tmp_path / "note.rst").write_text(TEXT)
    assert call("explain", fitted, tmp_path / "note.rst").out == call("explain", fitted, TEXT).out
    status, line = refused("explain", fitted, "letter.md")
    assert status == 2
    assert "no such file" in line


def test_columns_without_an_id_are_refused(refused, fitted):
    status, line = refused("explain", fitted, TEXT, "--text-column", "body")
    assert status == 2
    assert "belong to a corpus" in line


def test_a_document_of_counts(call, refused, fitted, corpus, tmp_path):
    pipeline = load(fitted / "model")
    counts = pipeline[0].transform([(corpus / "clocks" / "01.txt").read_text(), TEXT])
    scipy.io.mmwrite(tmp_path / "c.mtx", counts)
    from_counts = call("explain", fitted, tmp_path / "c.mtx", "--id", "1").out
    assert from_counts == call("explain", fitted, TEXT.removesuffix(" zorblax")).out
    status, line = refused("explain", fitted, tmp_path / "c.mtx", "--id", "7")
    assert status == 2
    assert "none of 2 documents has the id '7'" in line
