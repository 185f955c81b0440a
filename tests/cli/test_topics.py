"""``topicfactors topics``: the factors of a run as a table."""

import json

import pandas as pd
import pytest

from tests.cli.conftest import THEMES


def test_the_table_has_a_row_a_factor(call, fitted):
    outcome = call("topics", fitted)
    assert (outcome.status, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert lines[0].split() == ["factor", "on", "in", "NPMI", "words", "suppressed"]
    assert len(lines) == 1 + 3
    written = pd.read_csv(fitted / "factors.csv")
    for line, words in zip(lines[1:], written["top_words"], strict=True):
        assert words in line


def test_other_rankings_leave_the_coherence_out(call, fitted):
    assert "NPMI" in call("topics", fitted, "-n", "4").out
    outcome = call("topics", fitted, "-n", "4", "--ranking", "probability")
    assert "NPMI" not in outcome.out
    assert len(outcome.out.splitlines()) == 1 + 3


def test_json_is_all_there_is_on_stdout(call, fitted):
    outcome = call("topics", fitted, "--json", "-n", "1000")
    assert outcome.err == ""
    rows = json.loads(outcome.out, parse_constant=pytest.fail)
    known = set(" ".join(THEMES.values()).split())
    assert [row["factor"] for row in rows] == [0, 1, 2]
    assert all(set(row["words"]) <= known for row in rows)
    assert len(rows[0]["words"]) == len(set(rows[0]["words"])) > 10


def test_a_model_folder_serves_as_well_as_a_run(call, fitted):
    assert call("topics", fitted / "model", "--json").status == 0


def test_spoilt_coherences_are_left_out(call, run):
    for text in ("[]", "{", '{"factors": [{"coherence": null}]}', '{"factors": []}'):
        (run / "factors.json").write_text(text)
        outcome = call("topics", run)
        assert outcome.status == 0, outcome.err
        assert "NPMI" not in outcome.out


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--ranking", "unheard"], 2, "ranking must be one of"),
        (["-n", "0"], 2, "--words"),
    ],
)
def test_mistakes(refused, fitted, arguments, status, said):
    found, line = refused("topics", fitted, *arguments)
    assert found == status
    assert said in line


def test_a_folder_without_a_run(refused, tmp_path):
    for folder in (tmp_path, tmp_path / "nothing"):
        status, line = refused("topics", folder)
        assert status == 1
        assert "no model here" in line


def test_documents_are_shown_when_asked_for(call, fitted):
    rows = json.loads(call("topics", fitted, "--json").out)
    lines = call("topics", fitted, "--documents").out.splitlines()
    assert lines[0].split()[-1] == "documents"
    for row, line in zip(rows, lines[1:], strict=True):
        assert " ".join(row["documents"]) in line
        assert len(row["documents"]) == 3
