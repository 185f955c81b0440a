"""``topicfactors corpora``: the samples, their pages, files of them."""

import pandas as pd
import pytest

from topicfactors import read_corpus
from topicfactors.corpus.samples import SAMPLES, corpora_folder


def test_without_a_name_all_are_listed(call):
    outcome = call("corpora")
    assert (outcome.status, outcome.err) == (0, "")
    assert [line.split()[0] for line in outcome.out.splitlines()] == list(SAMPLES)


def test_a_name_shows_its_page(call):
    page = (corpora_folder() / "lee" / "README.md").read_text(encoding="utf-8")
    assert call("corpora", "lee").out.strip() == page.strip()


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_a_file_of_a_sample_reads_as_the_sample(call, tmp_path, suffix):
    path = tmp_path / f"notes.{suffix}"
    outcome = call("corpora", "revolution", path)
    assert outcome.out == ""
    assert "180 documents written" in outcome.err
    written, sample = read_corpus(path, covariates=["decade"]), read_corpus("revolution")
    assert list(written.texts) == list(sample.texts)
    assert (written.ids, written.labels) == (sample.ids, sample.labels)
    assert [int(d) for d in written.covariates["decade"]] == sample.covariates["decade"]


def test_newsgroups_from_a_folder_that_one_has(call, tmp_path):
    for part in ("train", "test"):
        folder = tmp_path / "posts" / f"20news-bydate-{part}" / "sci.space"
        folder.mkdir(parents=True)
        (folder / "1").write_text(f"To the moon, {part}")
    output = tmp_path / "posts.csv"
    call("corpora", "20newsgroups", output, "--source", tmp_path / "posts")
    found = pd.read_csv(output)
    assert found["label"].tolist() == ["sci.space", "sci.space"]
    assert sorted(found["part"]) == ["test", "train"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["revolution", "notes.docx"], "must end in one of"),
        (["lee", "--source", "x"], "--source is for 20newsgroups only"),
        (["unheard"], "NAME must be one of"),
    ],
)
def test_mistakes(refused, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    status, line = refused("corpora", *arguments)
    assert status == 2
    assert said in line
    assert list(tmp_path.iterdir()) == []
