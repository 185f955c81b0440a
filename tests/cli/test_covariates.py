"""Covariates on the command line: columns of the corpus, at fit and for new documents."""

import csv
import json

import pytest

from tests.cli.conftest import FIT, make_texts
from topicfactors import InputError, load
from topicfactors.cli.covariates import at_values, names_of, told
from topicfactors.corpus.documents import Document, Ledger

OPTIONS = (
    "--covariate",
    "year:spline=3",
    "--covariate",
    "place:both",
    "--validation-fraction",
    "0",
)


def write_table(path, documents=45, years=None, columns=("id", "year", "place", "text")):
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        for row, text in enumerate(make_texts(documents)):
            year = 1800 + row if years is None else years[row]
            writer.writerow([f"note-{row}", year, ("mill", "hall")[row % 2], text])
    return path


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return write_table(tmp_path_factory.mktemp("covariates") / "notes.csv")


@pytest.fixture(scope="module")
def covaried(table):
    """A run with covariates; read only."""
    from topicfactors.cli.main import main

    folder = table.parent / "run"
    with pytest.raises(SystemExit) as ended:
        main(["fit", str(table), "-o", str(folder), "-q", *FIT, *OPTIONS])
    assert ended.value.code == 0
    return folder


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_run_has_the_effects_and_the_words(covaried):
    model = load(covaried)[-1]
    effects = rows_of(covaried / "effects.csv")
    assert len(effects) == len(model.effects()) == 3 * (3 + 2)
    assert float(effects[0]["log_odds"]) == pytest.approx(model.effects()[0].log_odds, rel=1e-4)
    assert {row["level"] for row in rows_of(covaried / "covariate_words.csv")} == {"mill", "hall"}
    assert "year:spline=3, place:both" in (covaried / "model_card.md").read_text()


def test_new_documents_are_read_with_their_columns(call, covaried, tmp_path):
    table = write_table(tmp_path / "new.csv", columns=("id", "year", "place", "text"))
    outcome = call("transform", covaried, table, "-q")
    assert outcome.status == 0
    own = rows_of(covaried / "posteriors.csv")
    found = list(csv.DictReader(outcome.out.splitlines()))
    assert [row["id"] for row in found] == [row["id"] for row in own]
    assert float(found[3]["factor_0"]) == pytest.approx(float(own[3]["factor_0"]), abs=1e-4)
    assert json.loads(call("evaluate", covaried, table, "--json", "-q").out)["tokens"] > 0


def test_tables_of_a_run_are_exported_too(call, covaried, tmp_path):
    assert call("export", covaried, tmp_path / "tables", "-q").status == 0
    assert (tmp_path / "tables" / "effects.csv").read_text().startswith("factor,column,level,")


def test_a_document_is_explained_with_its_covariates(call, refused, covaried, table):
    by_id = call("explain", covaried, table, "--id", "note-3", "--json")
    text = next(row["text"] for row in rows_of(table) if row["id"] == "note-3")
    typed = call("explain", covaried, text, "--at", "year=1803", "--at", "place=hall", "--json")
    assert json.loads(by_id.out)["factors"] == json.loads(typed.out)["factors"]
    other = call("explain", covaried, text, "--at", "year=1803", "--at", "place=mill", "--json")
    assert json.loads(other.out)["factors"] != json.loads(typed.out)["factors"]
    assert "give --at year=…, or name" in refused("explain", covaried, text)[1]


def test_columns_that_are_not_there_are_named(refused, covaried, corpus, tmp_path):
    few = write_table(tmp_path / "few.csv", columns=("id", "yeer", "place", "text"))
    assert "no column 'year'; it has" in refused("transform", covaried, few, "-q")[1]
    status, line = refused("transform", covaried, corpus, "-q")
    assert status == 2
    assert "its documents have no column 'year' (they have none)" in line


def test_a_bad_cell_is_named_with_the_corpus(call, refused, covaried, tmp_path):
    gap = write_table(tmp_path / "gap.csv", years=[1800 + n if n != 7 else "" for n in range(45)])
    said = "gap.csv: covariates, row 7: 'year' is empty; fill it in"
    assert said in refused("transform", covaried, gap, "-q")[1]
    outcome = call("fit", gap, "-o", tmp_path / "run", "-q", *FIT, "--covariate", "year")
    assert outcome.status == 2
    assert said in outcome.err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--covariate", "yeer"), "no column 'yeer'; it has"),
        (("--covariate", "year:spline=0"), "2 or more knots"),
        (("--covariate-shrinkage", "2"), "name one with --covariate"),
    ],
)
def test_options_are_refused_before_the_corpus_is_read(refused, table, tmp_path, options, said):
    line = refused("fit", table, "-o", tmp_path / "run", *FIT, "-q", *options)[1]
    assert said in line


def test_names_are_those_of_the_columns():
    assert names_of(["year:spline", "place:content"]) == ("year", "place")
    assert names_of(None) == names_of([]) == ()


def test_the_last_rows_of_the_ledger_are_told():
    ledger = Ledger()
    documents = [Document("a", str(n), covariates={"year": n}) for n in range(5)]
    assert len(list(ledger.record(documents))) == 5
    assert told(ledger, "notes", ["year"], last=2) == {"year": [3, 4]}
    assert told(ledger, "notes", []) is None
    with pytest.raises(InputError, match=r"no column 'yeer' .*; did you mean 'year'"):
        told(ledger, "notes", ["yeer"])


def test_values_that_are_typed_win_and_are_checked():
    assert at_values(["year=1850"], {"year": 1700, "other": 1}, ["year"]) == {"year": "1850"}
    assert at_values(None, {"other": 1}, []) is None
    for typed, said in (
        (["year"], "such as year=1850, got 'year'"),
        (["yeer=1"], "'yeer' is no covariate of this run; it has 'year'; did you mean"),
        ([], "give --at year=…"),
    ):
        with pytest.raises(InputError, match=said):
            at_values(typed, {}, ["year"])
