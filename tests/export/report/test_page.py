"""What a page holds; how it looks and acts in a browser is in test_browser."""

import base64
import re

import numpy as np
import pytest

from tests.export.report.conftest import ATTACK, data_of
from topicfactors import InputError, StorageError, write_report


def words_of(told, place):
    """Word, times and nats of the first factor of a document, unpacked as the script does it."""
    documents = told["documents"]
    raw = {name: base64.b64decode(documents[name]) for name in ("words", "times", "evidence")}
    words = np.frombuffer(raw["words"], "<u4" if documents["wide"] else "<u2")
    evidence = np.frombuffer(raw["evidence"], np.int8)
    counts, shown = documents["word_counts"], [len(each) for each in documents["on"]]
    start, begin = sum(counts[:place]), sum(c * s for c, s in zip(counts[:place], shown))  # noqa: B905
    step, *parts = documents["whys"][sum(shown[:place])]
    nats = step * evidence[begin : begin + counts[place]]
    names = [documents["vocabulary"][word] for word in words[start : start + counts[place]]]
    return dict(zip(names, nats, strict=True)), parts


def test_nothing_of_a_text_is_markup(page):
    text = page.read_text(encoding="utf-8")
    assert text.count("<script") == text.count("</script>") == 2
    assert "<img" not in text
    assert "<i>" not in text
    told = data_of(page)
    assert told["documents"]["texts"][4].startswith(ATTACK)
    assert told["title"] == "<h1>Title & more"


def test_the_page_asks_for_nothing_outside(page):
    text = page.read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)[1]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert not re.search(r"(?:src|href)=\"?(?:https?:)?//|url\(|@import", text)


def test_evidence_is_that_of_explain(fitted, texts, page):
    told = data_of(page)
    counts = fitted[:-1].transform([texts[0]])
    found = fitted[-1].explain(counts)[0]
    factor, probability = told["documents"]["on"][0][0]
    expected = next(each for each in found.factors if each.factor == factor)
    words, (prior, rest, total) = words_of(told, 0)
    assert {word: pytest.approx(words[word], abs=0.03) for word in words} == {
        word.word: word.nats for word in expected.words
    }
    assert prior + rest + total == pytest.approx(expected.log_odds, abs=2e-3)
    assert probability == pytest.approx(fitted.transform([texts[0]])[0, factor], abs=1e-3)


def test_every_document_is_there_with_its_label_and_its_factors(page, texts, fitted):
    told = data_of(page)
    documents = told["documents"]
    assert documents["of"] == len(documents["ids"]) == len(texts)
    assert documents["texts"] == texts
    on = (fitted.transform(texts) > 0.5).sum(1)
    assert [sum(p > 0.5 for _, p in each) for each in documents["on"]] == on.tolist()
    assert [view["name"] for view in told["over"]] == ["label", "year", "<u>kind"]
    assert any("no word of the vocabulary" in note for note in told["notes"])


def test_words_of_a_card_are_those_of_top_words(page, fitted):
    told = data_of(page)
    for card, words in zip(told["factors"], fitted[-1].top_words(12), strict=True):
        assert [word for word, *_ in card["words"]] == [word for word, _ in words]
        _, nats, on, off = card["words"][0]
        assert nats > 0
        assert on > off


def test_many_documents_are_sampled_and_long_texts_cut(fitted, texts, tmp_path, monkeypatch):
    monkeypatch.setattr("topicfactors.export.report.explorer.CAP", 20)
    monkeypatch.setattr("topicfactors.export.report.explorer.TEXT", 2000)
    told = data_of(write_report(fitted, texts, tmp_path / "a.html"))["documents"]
    assert (told["of"], len(told["ids"])) == (len(texts), 20)
    assert told["ids"] == [str(row) for row in told["rows"]]
    assert sum(map(len, told["texts"])) <= 2000
    for row, text, length in zip(told["rows"], told["texts"], told["lengths"], strict=True):
        assert texts[row].startswith(text)
        assert length == len(texts[row])
    assert all(told["standing"])


def test_a_refused_page_leaves_the_old_one(fitted, texts, tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    with pytest.raises(InputError, match="ids: must be one for each of 45 documents, got 1"):
        write_report(fitted, texts, path, ids=["a"])
    with pytest.raises(InputError, match="no documents to report on"):
        write_report(fitted, [], path)
    with pytest.raises(InputError, match="put it in a list"):
        write_report(fitted, "a text", path)
    with pytest.raises(InputError, match="got a int"):
        write_report(3, texts, path)
    with pytest.raises(StorageError, match="cannot be written"):
        write_report(fitted, texts[:9], path / "below.html")
    assert path.read_text() == "old"
