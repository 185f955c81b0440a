"""``topicfactors report``, and the page that ``fit`` leaves."""

import shutil

import pytest
import scipy.io
import scipy.sparse

from tests.cli.conftest import FIT
from tests.export.report.conftest import data_of

COUNTS = ("-k", "2", "--epochs", "1", "--threads", "1", "-q")


def test_fit_writes_a_page_of_its_corpus(fitted, corpus):
    told = data_of(fitted / "report.html")
    assert told["title"] == "corpus: 3 factors"
    assert ["corpus", "corpus"] in told["facts"]
    assert {score["where"] for score in told["scores"]} >= {"training"}
    assert len(told["documents"]["texts"]) == 45
    assert [view["name"] for view in told["over"]] == ["label"]


def test_fit_leaves_it_out_when_told(call, corpus, tmp_path):
    outcome = call("fit", corpus, "-o", tmp_path / "run", "-q", "--no-report", *FIT)
    assert outcome.status == 0
    assert not (tmp_path / "run" / "report.html").exists()
    assert call("report", tmp_path / "run", "-q") == (0, "", "")
    told = data_of(tmp_path / "run" / "report.html")
    assert [score["where"] for score in told["scores"]][-1] == "these documents"


def test_the_corpus_of_the_run_is_read_again_and_a_change_is_said(call, run, corpus, tmp_path):
    before = data_of(run / "report.html")
    outcome = call("report", run)
    assert outcome.status == 0
    assert outcome.err.splitlines() == [f"written to {run / 'report.html'}"]
    after = data_of(run / "report.html")
    assert after["factors"] == before["factors"]
    assert after["documents"]["texts"] == before["documents"]["texts"]
    path = sorted(corpus.rglob("*.txt"))[0]
    text = path.read_text()
    try:
        path.write_text("steam steam")
        outcome = call("report", run, "-o", tmp_path / "new.html")
    finally:
        path.write_text(text)
    assert f"note: {corpus} is not what {run} was fitted to" in outcome.err


def test_other_documents_and_a_column_of_theirs(call, run, tmp_path):
    table = tmp_path / "new.csv"
    table.write_text(
        "id,text,year\n" + "".join(f"n{n},steam engine,{1700 + n}\n" for n in range(9))
    )
    page = tmp_path / "new.html"
    assert call("report", run, table, "--over", "year", "-o", page, "-q") == (0, "", "")
    told = data_of(page)
    assert told["documents"]["ids"] == [f"n{n}" for n in range(9)]
    assert [view["name"] for view in told["over"]] == ["year"]
    assert call("report", run, table, "-o", page).status == 1
    assert call("report", run, table, "-o", page, "--force").status == 0


def test_counts_show_words_instead_of_texts(call, tmp_path):
    counts = scipy.sparse.random(30, 8, 0.5, random_state=0).ceil()
    scipy.io.mmwrite(tmp_path / "counts.mtx", counts)
    assert call("fit", tmp_path / "counts.mtx", "-o", tmp_path / "run", *COUNTS).status == 0
    assert call("report", tmp_path / "run", "-q") == (0, "", "")
    told = data_of(tmp_path / "run" / "report.html")["documents"]
    assert told["texts"] is None
    assert len(told["ids"]) == 30
    assert sum(told["word_counts"]) == counts.nnz


@pytest.mark.parametrize(("kind", "noun"), [("mixture", "component"), ("semisupervised", "class")])
def test_mixtures_and_classifiers_have_a_page_too(call, corpus, tmp_path, kind, noun):
    words = ("--min-df", "1", "--max-df", "1.0", "--threads", "1", "-q")
    more = ("-k", "3") if kind == "mixture" else ()
    outcome = call("fit", corpus, "-o", tmp_path / "run", "--model", kind, *more, *words)
    assert outcome.status == 0, outcome.err
    told = data_of(tmp_path / "run" / "report.html")
    assert (told["noun"], len(told["factors"])) == (noun, 3)
    assert "pairs" not in told["relations"]
    assert told["documents"]["exact"]
    assert all(len(each) == 1 for each in told["documents"]["on"])


def test_a_corpus_that_is_gone(refused, run, corpus, tmp_path):
    moved = corpus.rename(corpus.parent / "moved")
    try:
        status, line = refused("report", run)
    finally:
        moved.rename(corpus)
    assert status == 2
    assert "is not there any more; name the documents behind the run" in line
    shutil.rmtree(run / "model")
    assert refused("report", run)[0] == 1
