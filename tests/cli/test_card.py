"""The model card says what was fitted, how well it predicts, and what to mind."""

import json
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import scipy.sparse

from topicfactors.export.card import model_card
from topicfactors.export.factors import FactorRow


def row(number, status="active"):
    words = [f"word{n}" for n in range(10)]
    return FactorRow(number, 0.25, 0.2, status, 0.1, words, ["other"], ["a|b", "c"])


def scores(bound):
    numbers = {"per_document": 900.0, "corpus": 950.0, "standard_error": 5.0}
    return {"bound": bound, "perplexity": numbers, "unigram": {**numbers, "per_document": 1100.0}}


METRICS = {
    "model": "factor",
    "training": scores("truncated"),
    "held_out": {"truncated": scores("truncated"), "elbo": scores("elbo")},
    "npmi": 0.25,
    "diversity": 1.0,
    "active_factors": 1,
    "dead_factors": [1],
    "always_on_factors": [],
    "epochs": 6,
    "best_epoch": 4,
    "stopped": "",
}
DESCRIBED = {
    "options": {"corpus": "notes", "likelihood": "polya", "decoder": "log-linear", "seed": 0},
    "resolved": {"inference": "truncated"},
    "corpus": {"documents": 2000, "words": 500, "tokens": 90000.0, "sha256": "ab", "notes": []},
    "versions": {"topicfactors": "0.1.0"},
}


def card(**corpus):
    likelihood = corpus.pop("likelihood", "polya")
    described = DESCRIBED | {
        "corpus": DESCRIBED["corpus"] | corpus,
        "options": DESCRIBED["options"] | {"likelihood": likelihood},
    }
    return model_card([row(0), row(1, "dead")], METRICS, described)


def test_every_bound_is_beside_its_unigram():
    lines = card().splitlines()
    assert "| held out | truncated | 900.0 ± 5.0 | 1100.0 | 950.0 | 950.0 |" in lines
    assert sum(line.startswith("| held out |") for line in lines) == 2
    assert sum(line.startswith("| training |") for line in lines) == 1


def test_factors_have_words_and_documents():
    assert (
        r"| 0 | 25.0% | +0.10 | word0 word1 word2 word3 word4 word5 word6 word7 | a\|b, c |"
        in card()
    )
    assert "word7 (dead) |" in card()


@pytest.mark.parametrize(
    ("corpus", "said"),
    [
        ({"documents": 180}, "180 documents are few"),
        ({"tokens": 12000.0}, "The documents are short (6 words"),
        ({"notes": ["1 document is kept as an empty row"]}, "- The corpus: 1 document is kept"),
    ],
)
def test_cautions_are_those_of_the_corpus(corpus, said):
    assert said in card(**corpus)
    assert said not in card()


def test_dead_factors_are_named():
    assert "Factors that hardly vary between documents say nothing: 1." in card()


def test_the_card_of_a_run_agrees_with_its_files(fitted):
    text = (fitted / "model_card.md").read_text(encoding="utf-8")
    metrics = json.loads((fitted / "metrics.json").read_text())
    assert f"{metrics['training']['perplexity']['per_document']:.1f}" in text
    described = tomllib.loads((fitted / "run.toml").read_text())
    assert described["corpus"]["sha256"] in text
    for factor in json.loads((fitted / "factors.json").read_text())["factors"]:
        assert " ".join(word["word"] for word in factor["words"][:8]) in text
        assert all(name in text for name in factor["documents"])


def test_the_unigram_is_said_to_be_what_it_is():
    assert "presence, and compare with each other alone" in card(likelihood="bernoulli")
    assert "compare with each other" not in card()


@pytest.mark.parametrize("kind", ["factor", "mixture"])
def test_the_code_of_the_card_knows_of_covariates(call, corpus, tmp_path, monkeypatch, kind):
    texts = [path.read_text() for path in sorted(corpus.rglob("*.txt"))]
    rows = "".join(f"{n},{1700 + n},{text}\n" for n, text in enumerate(texts))
    (tmp_path / "t.csv").write_text(f"id,year,text\n{rows}")
    options = ("-k", "3", "--epochs", "1", "--min-df", "1", "--threads", "1", "-q")
    asked = ("--model", kind, "--covariate", "year", "-o", tmp_path / "run")
    assert call("fit", tmp_path / "t.csv", *asked, *options).status == 0
    monkeypatch.chdir(tmp_path / "run")
    (code,) = re.findall(r"```python\n(.*?)```", Path("model_card.md").read_text(), re.S)
    assert "a row a text of year" in code
    exec(code, {"texts": texts[:2], "covariates": {"year": [1700, 1740]}})


def test_the_code_of_the_card_runs_for_texts_and_for_counts(call, fitted, tmp_path, monkeypatch):
    texts = ["steam engine piston", "clock pendulum dial"]
    counts = scipy.sparse.csr_matrix(np.random.default_rng(0).poisson(1.0, (20, 8)))
    scipy.io.mmwrite(tmp_path / "c.mtx", counts)
    options = ("-k", "2", "--epochs", "1", "--threads", "1", "-q")
    assert call("fit", tmp_path / "c.mtx", "-o", tmp_path / "counted", *options).status == 0
    for run in (fitted, tmp_path / "counted"):
        monkeypatch.chdir(run)
        (code,) = re.findall(r"```python\n(.*?)```", (run / "model_card.md").read_text(), re.S)
        exec(code, {"texts": texts, "counts": counts})
