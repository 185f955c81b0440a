"""``topicfactors transform``: a row a document, in their order."""

import io
import json
import sys

import numpy as np
import pandas as pd
import pytest

from tests.cli.conftest import FIT, make_texts
from topicfactors import load, read_corpus, save
from topicfactors.cli import inputs
from topicfactors.cli.gain import Gain
from topicfactors.estimators.refining import Refinement

COLUMNS = ["id", "factor_0", "factor_1", "factor_2"]


@pytest.fixture
def documents(tmp_path):
    """A table with odd documents, ids in no order."""
    texts = ["steam engine piston", "", "words it has never met", "oven flour dough", "clock dial"]
    frame = pd.DataFrame({"id": ["z", "y", "x", "a", "b"], "text": texts})
    frame.to_csv(tmp_path / "new.csv", index=False)
    return tmp_path / "new.csv"


def expected_of(run, path):
    frame = pd.read_csv(path, keep_default_na=False)
    return frame["id"].tolist(), load(run / "model")[-1].transform(
        load(run / "model")[0].transform([text or "-" for text in frame["text"]])
    )


def test_rows_are_those_of_the_input_on_stdout(call, fitted, documents):
    outcome = call("transform", fitted, documents)
    assert outcome.status == 0
    ids, posteriors = expected_of(fitted, documents)
    found = pd.read_csv(io.StringIO(outcome.out))
    assert found.columns.tolist() == COLUMNS
    assert found["id"].tolist() == ids
    np.testing.assert_allclose(found[COLUMNS[1:]], posteriors, atol=1e-5)
    assert outcome.err == ("note: 1 document is kept as an empty row: row 1 (id y) is empty\n")


@pytest.mark.parametrize(
    ("suffix", "read"),
    [
        ("csv", pd.read_csv),
        ("jsonl", lambda path: pd.read_json(path, lines=True)),
        ("json", pd.read_json),
        ("parquet", pd.read_parquet),
    ],
)
def test_every_format(call, fitted, documents, tmp_path, suffix, read):
    output = tmp_path / f"out.{suffix}"
    outcome = call("transform", fitted, documents, "-o", output)
    assert (outcome.status, outcome.out) == (0, "")
    assert f"5 documents written to {output}" in outcome.err
    ids, posteriors = expected_of(fitted, documents)
    found = read(output)
    assert found.columns.tolist() == COLUMNS
    assert found["id"].tolist() == ids
    np.testing.assert_allclose(found[COLUMNS[1:]], posteriors, atol=1e-5)


def test_the_training_documents_give_the_posteriors_of_the_run(call, fitted, corpus):
    outcome = call("transform", fitted, corpus)
    found = pd.read_csv(io.StringIO(outcome.out))
    written = pd.read_csv(fitted / "posteriors.csv")
    assert found["id"].tolist() == written["id"].tolist()
    np.testing.assert_allclose(found[COLUMNS[1:]], written[COLUMNS[1:]], atol=1e-5)


def test_blocks_change_nothing(call, fitted, corpus, monkeypatch):
    whole = call("transform", fitted, corpus).out
    monkeypatch.setattr(inputs, "BLOCK", 7)
    assert call("transform", fitted, corpus).out.splitlines()[0] == whole.splitlines()[0]
    parts = pd.read_csv(io.StringIO(call("transform", fitted, corpus).out))
    found = pd.read_csv(io.StringIO(whole))
    assert parts["id"].tolist() == found["id"].tolist()
    np.testing.assert_allclose(parts[COLUMNS[1:]], found[COLUMNS[1:]], atol=1e-5)


def test_standard_input(call, fitted, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"steam engine\nclock\n")))
    outcome = call("transform", fitted, "-", "-q")
    assert outcome.err == ""
    assert pd.read_csv(io.StringIO(outcome.out))["id"].tolist() == [0, 1]


def test_named_columns(call, fitted, tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text(json.dumps({"key": "k", "body": "steam"}) + "\n")
    outcome = call("transform", fitted, path, "--text-column", "body", "--id-column", "key")
    assert outcome.out.splitlines()[1].startswith("k,")


def test_no_documents_give_a_header(call, fitted, tmp_path):
    (tmp_path / "none.txt").write_text("")
    outcome = call("transform", fitted, tmp_path / "none.txt")
    assert (outcome.status, outcome.out) == (0, ",".join(COLUMNS) + "\n")


def test_quiet_says_nothing(call, fitted, documents, tmp_path):
    assert call("transform", fitted, documents, "-q", "-o", tmp_path / "o.csv") == (0, "", "")


def test_an_existing_output_is_kept_unless_forced(call, refused, fitted, documents, tmp_path):
    output = tmp_path / "out.csv"
    output.write_text("mine")
    status, line = refused("transform", fitted, documents, "-o", output)
    assert status == 1
    assert "exists and is kept" in line
    assert output.read_text() == "mine"
    assert call("transform", fitted, documents, "-o", output, "--force").status == 0
    assert len(pd.read_csv(output)) == 5


def test_force_does_not_replace_the_input(refused, fitted, documents):
    before = documents.read_bytes()
    status, line = refused("transform", fitted, documents, "-o", documents, "--force")
    assert status == 2
    assert "would replace" in line
    assert documents.read_bytes() == before


def test_an_input_that_breaks_off_leaves_the_earlier_output(refused, fitted, tmp_path):
    (tmp_path / "t.jsonl").write_text('{"text": "steam"}\n' * 3 + "{broken\n")
    (tmp_path / "out.csv").write_text("mine")
    status, line = refused(
        "transform", fitted, tmp_path / "t.jsonl", "-o", tmp_path / "out.csv", "--force"
    )
    assert status == 2
    assert "t.jsonl, line 4" in line
    assert (tmp_path / "out.csv").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv", "t.jsonl"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no/such/corpus"], "no such file or folder"),
        (["lee", "-o", "out.xlsx"], "the name must end in one of"),
        (["lee", "--threads", "0"], "--threads"),
    ],
)
def test_mistakes(refused, fitted, arguments, said):
    status, line = refused("transform", fitted, *arguments)
    assert status == 2
    assert said in line


@pytest.mark.parametrize("alone", ["model", "pipeline", "vectorizer"])
def test_a_model_that_cannot_read_texts_is_refused(refused, fitted, tmp_path, documents, alone):
    pipeline = load(fitted / "model")
    things = {"model": pipeline[-1], "pipeline": pipeline[1:], "vectorizer": pipeline[0]}
    save(things[alone], tmp_path / "saved")
    status, line = refused("transform", tmp_path / "saved", documents)
    assert status in (1, 2)
    assert "vectorizer" in line.lower()


def test_what_an_ascent_gains_is_told(call, tmp_path, documents):
    run = tmp_path / "run"
    pd.DataFrame({"text": list(make_texts())}).to_csv(tmp_path / "texts.csv", index=False)
    posterior = ("--inference", "gumbel-softmax", "--posterior", "autoregressive:groups=2")
    assert call("fit", tmp_path / "texts.csv", "-o", run, *FIT, *posterior, "-q").status == 0
    pipeline = load(run / "model")
    counts = pipeline[0].transform(
        [text or "-" for text in pd.read_csv(documents, keep_default_na=False)["text"]]
    )
    outcome = call("transform", run, documents, "--refine", 4)
    gained = pipeline[-1].refinement(counts, refine=4)
    moved = "rose" if gained.gain >= 0 else "fell"
    assert f"the ELBO {moved} by {abs(gained.gain):.2f} nats a document, from" in outcome.err
    found = pd.read_csv(io.StringIO(outcome.out))[COLUMNS[1:]]
    np.testing.assert_allclose(found, pipeline[-1].transform(counts, refine=4), atol=1e-4)
    for silent in (("--refine", 4, "-q"), ("--refine", 0), ()):
        assert "ELBO" not in call("transform", run, documents, *silent).err


def test_refine_is_rounds_of_search(call, refused, fitted, documents):
    counts = load(fitted / "model")[0].transform(
        [text or "-" for text in pd.read_csv(documents, keep_default_na=False)["text"]]
    )
    for rounds in (0, 7):
        outcome = call("transform", fitted, documents, "--refine", rounds, "-q")
        found = pd.read_csv(io.StringIO(outcome.out))
        expected = load(fitted / "model")[-1].transform(counts, refine=rounds)
        np.testing.assert_allclose(found[COLUMNS[1:]], expected, atol=1e-5)
    for nonsense in ("-1", "deep", "2.5"):
        status, line = refused("transform", fitted, documents, "--refine", nonsense)
        assert status == 2
        assert "refine must be 'auto', 'exact' or a whole number of 0 or more" in line


def test_columns_of_the_fit_are_remembered(call, refused, tmp_path, corpus):
    """And where a table has not got them, it is read as any table is."""
    texts = [path.read_text() for path in sorted(corpus.rglob("*.txt"))]
    rows = [{"key": f"k{n}", "one": text, "two": "x"} for n, text in enumerate(texts)]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    named = ("--text-column", "one", "--id-column", "key")
    options = ("-k", "2", "--epochs", "1", "--min-df", "1", "--max-df", "1.0", "-q")
    run = tmp_path / "run"
    assert call("fit", tmp_path / "t.jsonl", "-o", run, *named, *options).status == 0
    first = call("transform", run, tmp_path / "t.jsonl", "-q")
    assert first.out.splitlines()[1].startswith("k0,")
    assert first.out == call("transform", run, tmp_path / "t.jsonl", "-q", *named).out
    assert call("explain", run, tmp_path / "t.jsonl", "--id", "k3").status == 0
    (tmp_path / "other.csv").write_text("id,text\na,steam engine\n")
    assert call("transform", run, tmp_path / "other.csv", "-q").out.splitlines()[1][:2] == "a,"
    (tmp_path / "none.csv").write_text("three,four\na,steam engine\n")
    assert "which column holds the text?" in refused("transform", run, tmp_path / "none.csv")[1]


def test_a_table_where_a_run_is_meant(refused, documents, fitted):
    status, line = refused("transform", documents, fitted)
    assert status == 1
    assert "is a file; expected a folder that topicfactors has saved" in line


def test_the_exact_posterior_of_any_run(call, fitted, corpus):
    outcome = call("transform", fitted, corpus, "--refine", "exact", "-q")
    rows = [line.split(",")[1:] for line in outcome.out.splitlines()[1:]]
    pipeline = load(fitted / "model")
    counts = pipeline[0].transform(read_corpus(corpus).texts)
    expected = pipeline[-1].transform(counts, refine="exact")
    np.testing.assert_allclose(np.array(rows, dtype=float), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (-5.0, -4.0, "the ELBO rose by 1.00 nats a document, from -5.00 to -4.00"),
        (-4.0, -4.5, "the ELBO fell by 0.50 nats a document, from -4.00 to -4.50"),
    ],
)
def test_a_bound_that_fell_is_not_said_to_have_risen(before, after, said, capsys):
    class Model:
        def _ascends(self):
            return True

        def refinement(self, counts, refine):
            return Refinement(refine, *(np.full(len(counts), bound) for bound in (before, after)))

    gain = Gain(Model(), 3, quiet=False)
    gain.heard(np.ones((2, 1)))
    gain.tell()
    assert said in capsys.readouterr().err
