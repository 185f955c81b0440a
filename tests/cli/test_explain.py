"""``topicfactors explain``: which factors are on, and which words say so."""

import io
import json
import sys

import pytest

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
