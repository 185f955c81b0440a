"""``topicfactors prepare``: a store, which goes on after a kill and is read like a corpus."""

import hashlib
import io
import json
import signal
import subprocess
import sys
import time
import tomllib

import pandas as pd
import pytest

from tests.cli.conftest import FIT, make_texts
from topicfactors import BinaryFactorModel, load
from topicfactors.corpus.store import CountsStore, passes

WORDS = ("--min-df", "1", "--max-df", "1.0", "--threads", "1")
SHORT = ("--epochs", "2", "--no-report")


def contents(folder):
    return {
        path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def store(call, corpus, tmp_path):
    """The corpus in shards of ten."""
    outcome = call("prepare", corpus, tmp_path / "store", "--shard-documents", "10", "-q", *WORDS)
    assert (outcome.status, outcome.out, outcome.err) == (0, "", "")
    return tmp_path / "store"


def test_what_is_said(call, corpus, tmp_path):
    outcome = call("prepare", corpus, tmp_path / "s", "--shard-documents", "10", *WORDS)
    assert outcome.status == 0
    assert outcome.out == ""
    store = CountsStore.open(tmp_path / "s")
    assert outcome.err.splitlines() == [
        f"45 documents, {store.shape[1]} words, {store.tokens:,.0f} tokens: 5 shards, 0.0 MB",
        f"written to {tmp_path / 's'}; next: topicfactors fit {tmp_path / 's'}",
    ]
    again = call("prepare", corpus, tmp_path / "s", "--json", "--force", "-q", *WORDS)
    told = json.loads(again.out)
    assert (told["documents"], told["shards"], told["tokens"]) == (45, 1, store.tokens)


def test_options_of_words_are_those_of_fit(call, corpus, fitted, tmp_path):
    call("prepare", corpus, tmp_path / "s", "-q", *WORDS)
    own = load(fitted / "model")[0]
    assert CountsStore.open(tmp_path / "s").vectorizer().vocabulary_ == own.vocabulary_


def test_columns_and_standard_input(call, tmp_path, monkeypatch):
    rows = [{"text": text, "year": 1800 + n} for n, text in enumerate(make_texts(12))]
    pd.DataFrame(rows).to_csv(tmp_path / "table.csv", index=False)
    outcome = call(
        *("prepare", tmp_path / "table.csv", tmp_path / "s", "--response", "year"),
        *("--covariate", "year:spline", *WORDS),
    )
    assert outcome.status == 0
    assert CountsStore.open(tmp_path / "s").columns(0)["year"][0] in (1800, "1800")
    lines = "".join(f"{text}\n" for text in make_texts(12)).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines)))
    assert call("prepare", "-", tmp_path / "lines", *WORDS).status == 0
    assert CountsStore.open(tmp_path / "lines").shape == CountsStore.open(tmp_path / "s").shape


def test_documents_are_added(call, store, corpus):
    outcome = call("prepare", corpus, store, "--append", "--shard-documents", "20", "-q")
    assert (outcome.status, outcome.out, outcome.err) == (0, "", "")
    assert CountsStore.open(store).sizes == [10, 10, 10, 10, 5, 20, 20, 5]


def test_posteriors_are_those_of_the_texts(call, fitted, corpus, store):
    of_texts = call("transform", fitted, corpus)
    of_store = call("transform", fitted, store)
    assert of_store.status == 0
    assert of_store.out == of_texts.out
    assert of_store.err == ""


def test_words_that_the_run_has_not_are_left_out(call, fitted, corpus, tmp_path):
    call("prepare", corpus, tmp_path / "s", "-q", "--min-df", "1", "--min-length", "5")
    outcome = call("transform", fitted, tmp_path / "s")
    assert outcome.status == 0
    assert "was counted by other words" in outcome.err
    assert len(outcome.out.splitlines()) == 46


def test_scores_are_those_of_the_texts(call, fitted, corpus, store):
    of_texts = json.loads(call("evaluate", fitted, corpus, "--json").out)
    of_store = json.loads(call("evaluate", fitted, store, "--json").out)
    del of_texts["documents"], of_store["documents"]
    for one, other in zip(of_store.pop("bounds"), of_texts.pop("bounds"), strict=True):
        assert one.pop("bound") == other.pop("bound")
        for name in ("perplexity", "unigram"):
            assert one.pop(name) == pytest.approx(other.pop(name), rel=1e-4)
        assert one == pytest.approx(other, rel=1e-4)
    assert of_store == of_texts


def test_scores_of_a_store_hold_a_block_at_a_time(call, fitted, store, monkeypatch):
    """However many documents there are: none of its shards is stacked on another."""
    sizes, read = [], BinaryFactorModel._scores_of

    def scores_of(model, counts, measure):
        sizes.append(counts.shape[0])
        return read(model, counts, measure)

    monkeypatch.setattr(BinaryFactorModel, "_scores_of", scores_of)
    told = json.loads(call("evaluate", fitted, store, "--json", "--bound", "elbo").out)
    assert sizes == CountsStore.open(store).sizes
    assert told["documents_read"] == sum(sizes)


def test_one_document_of_a_store(call, fitted, store):
    name = CountsStore.open(store).ids(2)[3]
    outcome = call("explain", fitted, store, "--id", name)
    assert outcome.status == 0, outcome.err
    assert call("explain", fitted, store, "--id", "nobody").status == 2


def test_a_run_of_covariates_reads_them_from_the_store(call, tmp_path):
    rows = [{"text": text, "year": 1800 + n} for n, text in enumerate(make_texts(30))]
    pd.DataFrame(rows).to_csv(tmp_path / "t.csv", index=False)
    table, run = tmp_path / "t.csv", tmp_path / "run"
    call("fit", table, "-o", run, "-q", "--covariate", "year", *FIT)
    call("prepare", table, tmp_path / "s", "-q", "--covariate", "year", *WORDS)
    assert call("transform", run, tmp_path / "s").out == call("transform", run, table).out


def run_and_kill(arguments, shards, folder):
    """Start the command, and kill it as soon as there are so many files of spooled shards."""
    process = subprocess.Popen(
        [sys.executable, "-m", "topicfactors", *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    pattern, deadline = "*/0*.json", time.monotonic() + 100
    while process.poll() is None and time.monotonic() < deadline:
        if len(list(folder.glob(pattern))) + len(list(folder.glob("store/shards/0*.s*"))) >= shards:
            break
        time.sleep(0.0005)
    process.send_signal(signal.SIGKILL)
    return process.wait()


@pytest.mark.parametrize("shards", [1, 25, 70])
def test_a_kill_at_any_moment_loses_no_shard(call, tmp_path, shards):
    """Of 40 shards: in the first pass, later in it, and in the second."""
    corpus, settings = tmp_path / "lines.txt", ("--shard-documents", "50", *WORDS)
    corpus.write_text("".join(f"{text}\n" for text in make_texts(2_000)))
    call("prepare", corpus, tmp_path / "whole", "-q", *settings)
    begun = tmp_path / "store.preparing"
    status = run_and_kill(("prepare", corpus, tmp_path / "store", *settings), shards, begun)
    assert status == -signal.SIGKILL
    assert not (tmp_path / "store").exists()
    kept = {path: path.stat().st_mtime_ns for path in begun.glob("spool/0*.json")}
    assert len(kept) >= min(shards, 40) - 1
    outcome = call("transform", tmp_path, tmp_path / "store")
    assert outcome.status == 1
    assert call("prepare", corpus, tmp_path / "store", "-q", *settings).status == 0
    assert contents(tmp_path / "store") == contents(tmp_path / "whole")
    assert not begun.exists()


def test_a_column_is_a_covariate_and_the_response(call, tmp_path):
    rows = [{"text": text, "year": 1800 + n} for n, text in enumerate(make_texts(30))]
    pd.DataFrame(rows).to_csv(tmp_path / "t.csv", index=False)
    call("prepare", tmp_path / "t.csv", tmp_path / "s", "-q", "--response", "year", *WORDS)
    both = ("--covariate", "year", "--response", "year")
    outcome = call("fit", tmp_path / "s", "-o", tmp_path / "run", "-q", "-k", "2", *both, *SHORT)
    assert (outcome.status, outcome.err) == (0, "")


@pytest.mark.parametrize("model", ["factor", "mixture"])
def test_a_run_knows_the_store_that_it_was_fitted_to(call, store, tmp_path, model):
    run, fits = tmp_path / "run", ("-k", "2", "--model", model)
    call("fit", store, "-o", run, "-q", *fits, *(SHORT if model == "factor" else ()))
    described = tomllib.loads((run / "run.toml").read_text())["corpus"]
    assert described["sha256"] == CountsStore.open(store).fingerprint
    outcome = call("edit", run, "--drop", "0", "-o", tmp_path / "edited")
    assert outcome.status == 0, outcome.err
    assert "other documents" not in outcome.err


@pytest.mark.parametrize(
    ("force", "there", "said"),
    [
        ((), False, "shards that are kept: 2; the same command goes on from there"),
        (("--force",), False, "kept: 2; the same command without --force goes on from there"),
        (("--force",), True, "s is what it was, and the same command begins anew"),
    ],
)
def test_an_interruption_says_what_comes_of_it(
    call, corpus, tmp_path, monkeypatch, force, there, said
):
    settings = ("prepare", corpus, tmp_path / "s", "--shard-documents", "10", *WORDS)
    if there:
        call(*settings, "-q")
    keep = passes.TwoPasses._keep

    def keep_two(self, *shard):
        if len(self.sizes) == 2:
            raise KeyboardInterrupt
        keep(self, *shard)

    with monkeypatch.context() as patch:
        patch.setattr(passes.TwoPasses, "_keep", keep_two)
        outcome = call(*settings, *force)
    assert outcome.status == 130
    assert said in outcome.err
    again = call(*settings, *(() if said.endswith("there") else force))
    assert again.status == 0
