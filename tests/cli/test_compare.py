"""``topicfactors compare``: from a corpus to a table of models."""

import json

import numpy as np
import pandas as pd
import pytest
import scipy.io
import scipy.sparse

from topicfactors.peers import PEERS
from topicfactors.studies.tournament import Tournament

QUICK = ("-k", "3", "--max-df", "1.0", "--models", "sklearn-nmf", "--no-c-v")


def test_a_table_on_stdout_and_in_a_file(call, corpus, tmp_path):
    path = tmp_path / "table.md"
    models = ("--models", "sklearn-nmf,mixture", "--seeds", "0,1")
    outcome = call("compare", corpus, "-k", "3", "--max-df", "1.0", *models, "-o", path)
    assert outcome.status == 0, outcome.err
    lines = outcome.out.splitlines()
    assert lines[0].split()[:2] == ["model", "NPMI"]
    assert "C_V" in lines[0]
    assert "unigram" in outcome.out
    assert "(in their order), 4 documents held out; seeds 0, 1" in outcome.out
    assert "45 documents, 18 words" in outcome.err
    assert "4/4 MixtureModel, seed 1: NPMI" in outcome.err
    page = path.read_text(encoding="utf-8")
    assert page.startswith("| model | NPMI × diversity |")
    assert "- MixtureModel: the defaults" in page


def test_counts_and_json_and_csv(call, tmp_path):
    counts = np.random.default_rng(0).poisson(1.0, (40, 12))
    scipy.io.mmwrite(tmp_path / "a.mtx", scipy.sparse.csr_matrix(counts))
    path = tmp_path / "table.csv"
    options = [option for option in QUICK if option not in ("--max-df", "1.0")]
    outcome = call("compare", tmp_path / "a.mtx", *options, "--json", "-q", "-o", path)
    assert (outcome.status, outcome.err) == (0, "")
    found = json.loads(outcome.out)
    assert found["settings"]["topics"] == 3
    assert found["settings"]["in_order"] is False
    assert [len(words) for words in found["trials"][0]["words"]] == [10, 10, 10]
    assert found["trials"][0]["c_v"] is None
    frame = pd.read_csv(path, index_col=0)
    assert frame.loc["scikit-learn NMF", "npmi"] == pytest.approx(
        found["models"][0]["npmi"], rel=1e-4
    )


def test_what_is_not_installed_is_one_note(call, corpus, monkeypatch):
    for name in PEERS:
        gone = PEERS[name]._replace(modules=("nothing_of_that_name",))
        monkeypatch.setitem(PEERS, name, gone)
    monkeypatch.setattr("topicfactors.studies.lineup.OURS", {})
    outcome = call("compare", corpus, "-k", "3", "--max-df", "1.0", "--models", "corex")
    assert outcome.status == 0
    assert "not installed: pip install corextopic six" in outcome.out
    last = outcome.err.splitlines()[-1]
    assert last == "note: not installed: CorEx; pip install corextopic six"


def test_an_interruption_keeps_what_was_measured(call, corpus, tmp_path, monkeypatch):
    trials = Tournament.__iter__

    def first(self):
        yield next(trials(self))
        raise KeyboardInterrupt

    monkeypatch.setattr(Tournament, "__iter__", first)
    path = tmp_path / "table.json"
    outcome = call("compare", corpus, *QUICK, "--seeds", "0,1", "-o", path)
    assert outcome.status == 130
    assert "interrupted; what was measured until then (1 fits) is above" in outcome.err
    assert json.loads(path.read_text())[0]["seeds"] == 1


def test_mistakes_are_one_line(refused, corpus, tmp_path):
    (tmp_path / "table.csv").write_text("kept")
    status, said = refused("compare", corpus, "-o", tmp_path / "table.csv")
    assert status == 1
    assert "is kept" in said
    assert (tmp_path / "table.csv").read_text() == "kept"
    assert "must end in one of" in refused("compare", corpus, "-o", tmp_path / "table.xls")[1]
    assert "whole numbers with commas" in refused("compare", corpus, "--seeds", "one")[1]
    assert "did you mean 'corex'" in refused("compare", corpus, "--models", "corx")[1]
