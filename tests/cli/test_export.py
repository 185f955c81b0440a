"""``topicfactors export``: the tables of a run in other formats, lengths and rankings."""

import json

import numpy as np
import pandas as pd
import pytest

READ = {
    "csv": pd.read_csv,
    "jsonl": lambda path: pd.read_json(path, lines=True),
    "json": pd.read_json,
    "parquet": pd.read_parquet,
}


@pytest.mark.parametrize("suffix", sorted(READ))
def test_tables_in_every_format(call, fitted, tmp_path, suffix):
    folder = tmp_path / "tables"
    outcome = call("export", fitted, folder, "--format", suffix)
    assert (outcome.status, outcome.out) == (0, "")
    assert f"written to {folder}: 3 factors, 10 words each" in outcome.err
    tables = {f"{name}.{suffix}" for name in ("factors", "top_words", "posteriors")}
    assert {path.name for path in folder.iterdir()} == tables | {"factors.json", "model_card.md"}
    found, written = (
        READ[suffix](folder / f"posteriors.{suffix}"),
        pd.read_csv(fitted / "posteriors.csv"),
    )
    assert found["id"].tolist() == written["id"].tolist()
    assert found["label"].tolist() == written["label"].tolist()
    np.testing.assert_allclose(found.iloc[:, 2:], written.iloc[:, 2:], rtol=1e-5)
    words = READ[suffix](folder / f"top_words.{suffix}")
    assert words["word"].tolist() == pd.read_csv(fitted / "top_words.csv")["word"].tolist()


def test_markdown_is_a_table(call, fitted, tmp_path):
    assert call("export", fitted, tmp_path / "md", "--format", "md", "-q").status == 0
    head, rule, *rows = (tmp_path / "md" / "factors.md").read_text().splitlines()
    assert head.startswith("| factor | prevalence |")
    assert set(rule) == set("|-")
    assert len(rows) == 3
    card = (tmp_path / "md" / "model_card.md").read_bytes()
    assert card == (fitted / "model_card.md").read_bytes()


def test_the_defaults_are_the_tables_of_the_run(call, fitted, tmp_path):
    assert call("export", fitted, tmp_path / "tables", "-q") == (0, "", "")
    for name in ("factors.csv", "factors.json", "top_words.csv", "posteriors.csv"):
        assert (tmp_path / "tables" / name).read_bytes() == (fitted / name).read_bytes()


def test_other_lengths_and_rankings(call, fitted, tmp_path):
    folder = tmp_path / "tables"
    call("export", fitted, folder, "-n", "4", "--ranking", "weight", "--no-posteriors")
    assert not list(folder.glob("posteriors*"))
    listed = json.loads((folder / "factors.json").read_text())
    assert listed["ranking"] == "weight"
    assert [len(row["words"]) for row in listed["factors"]] == [4, 4, 4]
    scores = [word["score"] for word in listed["factors"][0]["words"]]
    assert scores == sorted(scores, reverse=True)


def test_a_run_without_posteriors_says_so(call, run, tmp_path):
    (run / "posteriors.csv").unlink()
    outcome = call("export", run, tmp_path / "tables")
    assert outcome.status == 0
    assert "has no posteriors.csv" in outcome.err


def test_an_existing_folder_is_kept_unless_forced(call, refused, fitted, tmp_path):
    folder = tmp_path / "tables"
    call("export", fitted, folder)
    (folder / "mine.txt").write_text("x")
    status, line = refused("export", fitted, folder)
    assert status == 1
    assert "exists and is kept" in line
    assert (folder / "mine.txt").exists()
    assert call("export", fitted, folder, "--force").status == 0
    assert not (folder / "mine.txt").exists()


def test_force_never_replaces_the_run_itself_or_other_folders(refused, run, tmp_path):
    for folder in (run, tmp_path):
        status, line = refused("export", run, folder, "--force")
        assert status == 2
        assert "would replace" in line
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.txt").write_text("years")
    assert refused("export", run, tmp_path / "thesis", "--force")[0] == 1
    assert (run / "model" / "config.json").exists()
    assert (tmp_path / "thesis" / "chapter1.txt").exists()


def test_damaged_posteriors_are_one_line_and_leave_nothing(refused, run, tmp_path):
    with (run / "posteriors.csv").open("a") as stream:
        stream.write("x,clocks,one,two,three\n")
    status, line = refused("export", run, tmp_path / "tables")
    assert status == 1
    assert "posteriors.csv, line 47: damaged" in line
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--format", "jsonlines"], "did you mean 'jsonl'?"),
        (["--ranking", "unheard"], "ranking must be one of"),
        (["-n", "0"], "--words"),
    ],
)
def test_mistakes_leave_nothing(refused, fitted, tmp_path, arguments, said):
    status, line = refused("export", fitted, tmp_path / "tables", *arguments)
    assert status == 2
    assert said in line
    assert list(tmp_path.iterdir()) == []
