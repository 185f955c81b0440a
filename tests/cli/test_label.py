"""``topicfactors label``: labels from words, or from a server on this machine."""

import json
import shutil
import tomllib

import pytest

from tests.cli.conftest import THEMES
from tests.insight.servers import said, serving
from topicfactors import load


@pytest.fixture
def serve(monkeypatch):
    yield from serving(monkeypatch)


def arguments(server, *more):
    return ("--endpoint", server.url, "--model", "small", *more)


def edits(folder):
    return tomllib.loads((folder / "run.toml").read_text())["edits"]


def test_labels_from_words_are_shown_and_kept(call, fitted, tmp_path):
    outcome = call("label", fitted, "-n", "2")
    assert (outcome.status, outcome.err) == (0, "")
    first = load(fitted)[-1].label_factors(2)[0]
    assert f"0       {first}" in outcome.out
    told = json.loads(call("label", fitted, "--json", "-o", tmp_path / "new", "-q").out)
    assert [row["label"] for row in told] == load(tmp_path / "new")[-1].factor_names_
    assert {row["source"] for row in told} == {"words"}
    assert edits(tmp_path / "new")[0]["labels"][0]["label"] == told[0]["label"]


def test_without_send_the_prompts_are_all(call, serve, fitted):
    server = serve()
    outcome = call("label", fitted, *arguments(server))
    assert outcome.status == 0
    assert server.asked == []
    assert "You name topics" in outcome.out
    assert outcome.out.count("Words of the topic") == 3
    assert f"nothing was sent; --send sends this to {server.url}" in outcome.err
    listed = json.loads(call("label", fitted, *arguments(server, "--json", "-q")).out)
    assert len(listed["prompts"]) == 3


def test_answers_become_names_and_their_origin_is_kept(
    call,
    serve,
    fitted,
    tmp_path,
    monkeypatch,
):
    monkeypatch.setenv("SOME_KEY", "sk-123")
    server, new = serve(said("Steam"), said(""), said("Steam")), tmp_path / "new"
    outcome = call(
        "label", fitted, *arguments(server, "--send", "--api-key-env", "SOME_KEY", "-o", new)
    )
    assert outcome.status == 0, outcome.err
    own = load(fitted)[-1].label_factors()
    names = ["Steam", *own[1:]]
    assert load(new)[-1].factor_names_ == names
    assert "factor 1: the answer is empty; its label is from its words" in outcome.err
    assert "factor 2: 'Steam' is the label of another factor" in outcome.err
    assert outcome.err.index("Words of the topic") < outcome.err.index("the answer is empty")
    (entry,) = edits(new)
    assert entry["asked"]["model"] == "small"
    assert entry["asked"]["host"] in server.url
    assert [told["source"] for told in entry["labels"]] == ["small", "words", "words"]
    sent = [question["messages"][1]["content"] for question in server.asked]
    assert [told["prompt"] for told in entry["labels"]] == sent
    assert server.headers[0]["Authorization"] == "Bearer sk-123"
    kept = b"".join(path.read_bytes() for path in new.rglob("*") if path.is_file())
    assert b"sk-123" not in kept
    assert "sk-123" not in outcome.out + outcome.err


def test_words_alone_are_sent_unless_excerpts_are_asked_for(call, serve, fitted):
    server = serve(*[said(name) for name in (*THEMES, *THEMES)])
    call("label", fitted, *arguments(server, "--send", "--top-words", "3"))
    assert all("documents" not in str(question["messages"][1]) for question in server.asked)
    assert server.asked[0]["messages"][1]["content"].splitlines()[0].count(",") == 3
    call("label", fitted, *arguments(server, "--send", "--excerpts", "2"))
    text = server.asked[-1]["messages"][1]["content"]
    assert len([line for line in text.splitlines() if line.startswith("- ")]) == 2


def test_a_fault_keeps_the_labels_so_far(call, serve, fitted, tmp_path):
    server = serve(said("Steam"), (401, "no", {}))
    outcome = call("label", fitted, *arguments(server, "--send", "-o", tmp_path / "new"))
    assert outcome.status == 0
    assert load(tmp_path / "new")[-1].factor_names_[0] == "Steam"
    assert len(server.asked) == 2
    assert "factor 2: not asked" in outcome.err


def test_no_label_at_all_is_a_failure_told_once(call, serve, fitted):
    outcome = call("label", fitted, *arguments(serve((401, "no", {})), "--send"))
    assert outcome.status == 1
    assert outcome.err.count("not asked") == 1
    assert "gave no label; all are from words" in outcome.err


def test_an_interruption_keeps_the_labels_so_far(
    call,
    serve,
    fitted,
    tmp_path,
    monkeypatch,
):
    def interrupt(seconds):
        raise KeyboardInterrupt

    server = serve(said("Steam"), (429, "", {}))
    monkeypatch.setattr("topicfactors.insight.endpoints.time.sleep", interrupt)
    outcome = call("label", fitted, *arguments(server, "--send", "-o", tmp_path / "new"))
    assert outcome.status == 130
    assert "interrupted after 1 of 3" in outcome.err
    assert load(tmp_path / "new")[-1].factor_names_[0] == "Steam"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--model", "small"], "--model is of --endpoint"),
        (["--send"], "--send is of --endpoint"),
        (["--endpoint", "http://localhost/v1"], "name the model"),
        (["--endpoint", "http://example.org/v1", "--model", "m"], "must be https"),
        (["--endpoint", "http://localhost/v1", "--model", "m", "-o", "new"], "add --send"),
        (
            ["--endpoint", "http://localhost/v1", "--model", "m", "--api-key-env", "NO_SUCH_KEY"],
            "no variable NO_SUCH_KEY",
        ),
    ],
)
def test_mistakes_send_nothing(refused, fitted, tmp_path, monkeypatch, more, said):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    status, line = refused("label", fitted, *more)
    assert status == 2
    assert said in line


def test_excerpts_need_the_texts(refused, call, serve, run, corpus, tmp_path):
    path, server = run / "run.toml", serve()
    path.write_text(path.read_text().replace(str(corpus), str(tmp_path / "gone")))
    status, line = refused("label", run, *arguments(server, "--excerpts", "1"))
    assert status == 2
    assert "is not there any more; name the documents behind the run" in line
    other = tmp_path / "other"
    shutil.copytree(corpus / "clocks", other)
    status, line = refused("label", run, other, *arguments(server, "--excerpts", "1"))
    assert status == 2
    assert "has none of the representative documents" in line
    assert call("label", run, corpus, *arguments(server, "--excerpts", "1")).status == 0
