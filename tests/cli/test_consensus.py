"""``fit --runs``: what the terminal, the tables and the run folder say of several fits."""

import csv
import json

import pytest

from tests.export.report.conftest import data_of


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    return tmp_path_factory.mktemp("several") / "run"


def test_a_fit_of_several_runs(call, corpus, several):
    quick = ("-k", "4", "--epochs", "3", "--min-df", "1", "--max-df", "1.0", "--threads", "1")
    outcome = call("fit", corpus, "-o", several, *quick, "--runs", "3")
    assert outcome.status == 0, outcome.err
    assert "3 runs agree to " in outcome.err
    assert "back in" in outcome.out
    metrics = json.loads((several / "metrics.json").read_text())["consensus"]
    assert metrics["seeds"] == [0, 1, 2]
    assert f"the run with seed {metrics['chosen']} is kept" in outcome.err
    card = (several / "model_card.md").read_text()
    assert bool(metrics["lost"]) == ("less than half of 2 other runs" in card)
    with (several / "factors.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    back = [float(row["came_back"]) for row in rows]
    assert [number for number, share in enumerate(back) if share < 0.5] == metrics["lost"]
    assert all(-1 <= float(row["agreement"]) <= 1 for row in rows)
    cards = data_of(several / "report.html")["factors"]
    assert [card["came_back"] for card in cards] == back


def test_topics_shows_what_came_back(call, several):
    outcome = call("topics", several)
    assert outcome.out.splitlines()[0].split()[:6] == ["factor", "on", "in", "NPMI", "back", "in"]
    rows = json.loads(call("topics", several, "--json").out)
    assert {row["came_back"] for row in rows} <= {0.0, 0.5, 1.0}


def test_one_run_says_nothing_of_others(call, fitted):
    assert "back in" not in call("topics", fitted).out
    assert "consensus" not in json.loads((fitted / "metrics.json").read_text())
    assert "came_back" not in (fitted / "factors.csv").read_text()


def test_runs_are_of_factors(refused, corpus):
    status, line = refused("fit", corpus, "--model", "mixture", "--runs", "2")
    assert status == 2
    assert "--runs is of --model factor" in line
