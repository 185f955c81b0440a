"""``topicfactors gradients``: from a corpus to a table, files and a plot."""

import json

import numpy as np
import pandas as pd
import pytest
import scipy.io
import scipy.sparse

from topicfactors.cli.comparing import names_in
from topicfactors.gradients import GRADIENTS
from topicfactors.studies.comparison import Comparison

QUICK = (
    *("-k", "3", "--epochs", "1", "--documents", "8", "--draws", "10", "--samples", "2"),
    *("--seconds", "0.05", "--evaluations", "1", "--max-df", "1.0", "--threads", "1"),
    *("--warm-up", "5"),
)


def test_a_table_on_stdout_and_three_files(call, corpus, tmp_path):
    folder = tmp_path / "study"
    outcome = call("gradients", corpus, "-o", folder, *QUICK, "--likelihood", "multinomial")
    assert outcome.status == 0, outcome.err
    for name in GRADIENTS:
        assert name in outcome.out
    assert "45 documents, 18 words" in outcome.err
    assert "3 factors, 18 words, multinomial, mean-field posterior" in outcome.out
    frame = pd.read_csv(folder / "gradients.csv", index_col=0)
    found = json.loads((folder / "gradients.json").read_text())
    assert list(frame.index) == [record["estimator"] for record in found["estimators"]]
    assert frame.loc["nvil", "evaluations"] == 5
    assert found["settings"]["draws"] == 10
    page = (folder / "gradients.html").read_text(encoding="utf-8")
    assert "local-expectation" in page
    assert 'src="http' not in page  # it needs no network
    assert {path.name for path in folder.iterdir()} == {
        "gradients.csv",
        "gradients.html",
        "gradients.json",
    }


def test_json_and_those_asked_for(call, corpus):
    asked = ("--estimators", "nvil:samples=2,decay=0.5, exact", "--seconds", "0", "-q")
    outcome = call("gradients", corpus, *QUICK, *asked, "--json")
    assert (outcome.status, outcome.err) == (0, "")
    found = json.loads(outcome.out)
    measured = {record["estimator"]: record for record in found["estimators"]}
    assert set(measured) == {"nvil:samples=2,decay=0.5", "exact"}
    assert measured["exact"]["elbo_after_time"] is None
    assert found["refused"] == []


def test_one_that_cannot_serve_is_said(call, corpus):
    asked = ("--estimators", "exact,nvil", "-k", "17", "--reference-draws", "20")
    outcome = call("gradients", corpus, *QUICK, *asked)
    assert outcome.status == 0, outcome.err
    assert "not measured: exact: " in outcome.out
    assert "20 draws of local-expectation" in outcome.out


def test_counts_are_read_as_fit_reads_them(call, tmp_path):
    counts = np.random.default_rng(0).poisson(1.0, (30, 12))
    scipy.io.mmwrite(tmp_path / "a.mtx", scipy.sparse.csr_matrix(counts))
    budget = [word for word in QUICK if word not in ("--max-df", "1.0")]
    outcome = call("gradients", tmp_path / "a.mtx", *budget, "--estimators", "nvil", "-q")
    assert outcome.status == 0, outcome.err
    assert "3 factors, 12 words" in outcome.out


def test_an_interruption_keeps_what_was_measured(call, corpus, tmp_path, monkeypatch):
    measured = Comparison._measured

    def second(self, contestant, device):
        if contestant.label == "straight-through":
            raise KeyboardInterrupt
        return measured(self, contestant, device)

    monkeypatch.setattr(Comparison, "_measured", second)
    folder = tmp_path / "study"
    asked = ("--estimators", "nvil,straight-through")
    outcome = call("gradients", corpus, "-o", folder, *QUICK, *asked)
    assert outcome.status == 130
    assert "interrupted" in outcome.err
    found = json.loads((folder / "gradients.json").read_text())
    assert [record["estimator"] for record in found["estimators"]] == ["nvil"]
    asked = ("--estimators", "straight-through,nvil")
    outcome = call("gradients", corpus, "-o", tmp_path / "other", *QUICK, *asked)
    assert outcome.status == 130
    assert outcome.err.splitlines()[-1] == "topicfactors: interrupted; nothing was written"
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("nvil", ["nvil"]),
        ("nvil, exact,", ["nvil", "exact"]),
        (
            "gumbel-softmax:start=2,end=0.3,dvae:end=5",
            ["gumbel-softmax:start=2,end=0.3", "dvae:end=5"],
        ),
    ],
)
def test_names_with_commas_between(text, names):
    assert names_in(text) == names


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--estimators", "nvill"], "did you mean 'nvil'?"),
        (["--estimators", ","], "at least one name"),
        (["--inference", "exact"], "leave inference='auto'"),
        (["--draws", "1"], "--draws"),
        (["--min-df", "many"], "--min-df"),
    ],
)
def test_mistakes(refused, corpus, arguments, said):
    status, line = refused("gradients", corpus, *QUICK, *arguments, "-q")
    assert status == 2
    assert said in line
