"""``fit --response``: a column of numbers that the factors explain, and what a run says of it."""

import csv
import json
import tomllib

import numpy as np
import pandas as pd
import pytest

from tests.cli.conftest import FIT, THEMES, make_texts
from topicfactors import load

YEARS = {"engines": 1769, "clocks": 1657, "baking": 1500}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """45 texts, the year of their theme, every fifth unknown."""
    path = tmp_path_factory.mktemp("responses") / "notes.csv"
    with path.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["id", "text", "year"])
        for number, text in enumerate(make_texts()):
            year = YEARS[list(THEMES)[number % 3]] + number % 4
            rows.writerow([f"n{number}", text, "" if number % 5 == 0 else year])
    return path


def test_a_run_has_the_effects_and_the_expected_responses(table, call, tmp_path):
    folder = tmp_path / "run"
    call("fit", table, "--response", "year", "-o", folder, "-q", *FIT)
    pipeline = load(folder / "model")
    model = pipeline[-1]
    factors = pd.read_csv(folder / "factors.csv")
    np.testing.assert_allclose(factors["response"], model.response_coef_, rtol=1e-4)
    listed = json.loads((folder / "factors.json").read_text())["factors"]
    assert [row["response"] for row in listed] == pytest.approx(model.response_coef_, rel=1e-4)
    posteriors = pd.read_csv(folder / "posteriors.csv")
    assert posteriors.columns[-1] == "response"
    expected = model.predict_response(pipeline[:-1].transform(list(make_texts())))
    np.testing.assert_allclose(posteriors["response"], expected, rtol=1e-4)
    options = tomllib.loads((folder / "run.toml").read_text())["options"]
    assert (options["response"], options["response_family"]) == ("year", "gaussian")
    assert call("transform", folder, table, "-o", tmp_path / "again.csv").status == 0
    again = pd.read_csv(tmp_path / "again.csv")
    np.testing.assert_allclose(again["response"], expected, rtol=1e-4)


def test_the_years_of_a_sample_corpus_are_a_response(call, tmp_path):
    folder = tmp_path / "run"
    how = ["--response", "decade", "--response-family", "poisson:weight=2", "-k", "3"]
    quick = ["--epochs", "1", "--threads", "1", "-q"]
    assert call("fit", "revolution", *how, "-o", folder, *quick).status == 0
    assert load(folder)[-1].response == "poisson:weight=2"
    assert pd.read_csv(folder / "posteriors.csv")["response"].between(1500, 1900).all()


def test_a_response_beside_a_covariate(table, call, tmp_path):
    """Both are columns of one table; the last column of a run is the response."""
    path, run = tmp_path / "notes.csv", tmp_path / "run"
    frame = pd.read_csv(table)
    frame["place"] = ["mill", "hall", "mine"] * (len(frame) // 3)
    frame.to_csv(path, index=False)
    both = ["--covariate", "place", "--response", "year"]
    call("fit", path, *both, "-o", run, "-q", *FIT)
    pipeline = load(run)
    counts, known = pipeline[:-1].transform(frame["text"]), frame[["place"]]
    expected = pipeline[-1].predict_response(counts, covariates=known)
    np.testing.assert_allclose(pd.read_csv(run / "posteriors.csv")["response"], expected, rtol=1e-4)
    assert (run / "effects.csv").exists()
    call("transform", run, path, "-o", tmp_path / "again.csv")
    again = pd.read_csv(tmp_path / "again.csv")["response"]
    np.testing.assert_allclose(again, expected, rtol=1e-4)


def test_a_run_without_a_response_has_no_such_column(fitted):
    assert "response" not in pd.read_csv(fitted / "posteriors.csv").columns
    assert "response" not in pd.read_csv(fitted / "factors.csv").columns


@pytest.mark.parametrize(
    ("cell", "family", "said"),
    [
        ("soon", "gaussian", "row 1 (id b), column 'year': 'soon' is no finite number"),
        ("-3", "poisson", "row 1 (id b), column 'year': -3 is below 0"),
    ],
)
def test_a_cell_that_cannot_be_is_named(cell, family, said, refused, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(f"id,text,year\na,steam engine,1712\nb,pendulum clock,{cell}\n")
    options = ["--response", "year", "--response-family", family, *FIT]
    status, line = refused("fit", path, *options, "-o", tmp_path / "run", "-q")
    assert status == 2
    assert said in line
    assert str(path) in line
    assert not (tmp_path / "run").exists()


def test_a_record_that_lacks_the_key_is_unknown(call, tmp_path):
    path = tmp_path / "a.jsonl"
    lines = [{"text": text, "year": 1700 + n} for n, text in enumerate(make_texts(12))]
    del lines[3]["year"]
    lines[5]["year"] = None
    path.write_text("\n".join(map(json.dumps, lines)))
    assert call("fit", path, "--response", "year", "-o", tmp_path / "run", *FIT).status == 0
