"""``topicfactors sweep``: from a corpus to a table, a recommendation and a folder."""

import json

import pytest

from topicfactors.cli.sweep import joined, numbers_in
from topicfactors.studies import sweep_fits

QUICK = ("--epochs", "2", "--min-df", "1", "--max-df", "1.0", "--jobs", "1", "--runs", "2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("sweeps") / "sweep"


@pytest.fixture
def fits(monkeypatch):
    """The fits that are made, as they are."""
    seen, fit = [], sweep_fits.fit

    def counted(task, k, seed):
        seen.append((k, seed))
        return fit(task, k, seed)

    monkeypatch.setattr(sweep_fits, "fit", counted)
    return seen


def test_a_table_a_recommendation_and_a_folder(call, corpus, folder, fits):
    outcome = call("sweep", "-k", "1", "2", "3", corpus, "-o", folder, *QUICK)
    assert outcome.status == 0, outcome.err
    assert fits == [(k, seed) for seed in (0, 1) for k in (1, 2, 3)]
    assert outcome.out.startswith("k  perplexity  behind best")
    assert "\nTake k = " in outcome.out
    assert "36 documents fitted, 9 held out of all fits, 2 runs each" in outcome.out
    assert "45 documents, 18 words" in outcome.err
    assert "6/6 k = 3, seed 1: bound " in outcome.err
    assert f"written to {folder}; next: topicfactors fit {corpus} -k " in outcome.err
    assert {path.name for path in folder.iterdir()} == {
        "fits",
        "sweep.csv",
        "sweep.html",
        "sweep.json",
    }


def test_the_same_command_goes_on(call, corpus, folder, fits):
    again = call("sweep", corpus, "-k", "1,2", "-k", "3", "-o", folder, *QUICK, "--json")
    assert again.status == 0, again.err
    assert fits == []
    assert "6 of 6 fits are there already" in again.err
    told = json.loads(again.out)
    assert [row["k"] for row in told["rows"]] == [1, 2, 3]
    assert told["recommendation"]["k"] in (1, 2, 3)


def test_another_command_is_refused_before_the_corpus_is_read(refused, corpus, folder, fits):
    other = ("sweep", corpus, "-k", "2", "-o", folder, *QUICK, "--epochs", "3")
    status, line = refused(*other)
    assert status == 1
    assert "holds a sweep with epochs=2, and this is with 3; choose another folder" in line
    assert fits == []


def test_an_interruption_shows_what_there_is(call, corpus, tmp_path, monkeypatch):
    fit = sweep_fits.fit

    def third(task, k, seed):
        if (k, seed) == (1, 1):
            raise KeyboardInterrupt
        return fit(task, k, seed)

    monkeypatch.setattr(sweep_fits, "fit", third)
    outcome = call("sweep", corpus, "-k", "1", "2", "-o", tmp_path / "a", *QUICK)
    assert outcome.status == 130
    assert "what 2 of 4 fits say is above; the same command goes on in" in outcome.err
    assert "Take k = " in outcome.out
    assert (tmp_path / "a" / "sweep.csv").exists()


def test_a_mixture_without_a_folder(call, corpus):
    mixture = ("--model", "mixture", "--starts", "1", "--runs", "1", "--held-out", "0.4", "-q")
    outcome = call("sweep", corpus, "-k", "2", *QUICK, *mixture)
    assert (outcome.status, outcome.err) == (0, "")
    assert "27 documents fitted, 18 held out" in outcome.out


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["-k", "10", "20", "notes"], ["-k", "10,20", "notes"]),
        (["notes", "--factors", "10", "20"], ["notes", "--factors", "10,20"]),
        (["-k", "10, 20", "30", "-o", "5"], ["-k", "10, 20,30", "-o", "5"]),
        (["-k", "--", "2"], ["-k", "--", "2"]),
        (["-k10", "2020"], ["-k10", "2020"]),
        (["-k", "notes"], ["-k", "notes"]),
        ([], []),
    ],
)
def test_numbers_that_follow_each_other(arguments, found):
    assert joined(arguments) == found


def test_numbers_of_texts():
    assert numbers_in(["20,10", "5 10"]) == [5, 10, 20]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-k", "ten"], "must be numbers of 1 or more, as in 10 20 50, got 'ten'"),
        (["-k", "0"], "got '0'"),
        (["-k", ","], "must have a number"),
        ([], "Missing option"),
        (["-k", "2", "--model", "semisupervised"], "use factor or mixture"),
        (["-k", "2", "--model", "mixtur"], "did you mean 'mixture'"),
        (["-k", "2", "--prior", "bernouli"], "did you mean 'bernoulli'"),
        (["-k", "99"], "more than its 45 documents"),
        (["-k", "2", "--held-out", "0.05"], "held_out"),
        (["-k", "2", "--spacy-modle", "x"], "--spacy-modle"),
    ],
)
def test_mistakes(refused, corpus, arguments, said):
    status, line = refused("sweep", corpus, *QUICK, "-q", *arguments)
    assert status == 2
    assert said in line
