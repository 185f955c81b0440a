"""``topicfactors fit``: a whole run or nothing, reproducible from its run.toml."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import tomllib

import pandas as pd
import pytest

from tests.cli.conftest import FIT, THEMES, make_texts
from topicfactors import load

FILES = {
    "model",
    "factors.csv",
    "factors.json",
    "top_words.csv",
    "posteriors.csv",
    "metrics.json",
    "run.toml",
}


def strict(text):
    return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


class TestRunFolder:
    def test_every_file_is_there_and_parses(self, fitted, corpus):
        assert {path.name for path in fitted.iterdir()} >= FILES
        assert not [path for path in fitted.rglob("*") if path.name.startswith(".")]
        factors = pd.read_csv(fitted / "factors.csv")
        assert factors["factor"].tolist() == [0, 1, 2]
        assert factors["prevalence"].between(0, 1).all()
        listed = strict((fitted / "factors.json").read_text(encoding="utf-8"))["factors"]
        assert [[word["word"] for word in row["words"]] for row in listed] == [
            words.split() for words in factors["top_words"]
        ]
        assert len(pd.read_csv(fitted / "top_words.csv")) == 3 * 10
        metrics = strict((fitted / "metrics.json").read_text())
        assert metrics["documents"] == 45
        assert metrics["training"]["perplexity"]["per_document"] > 1

    def test_posteriors_have_a_row_a_document_in_their_order(self, fitted, corpus):
        posteriors = pd.read_csv(fitted / "posteriors.csv")
        expected = sorted(path.relative_to(corpus).as_posix() for path in corpus.rglob("*.txt"))
        assert posteriors["id"].tolist() == expected
        assert posteriors["label"].tolist() == [name.split("/")[0] for name in expected]
        assert posteriors.drop(columns=["id", "label"]).stack().between(0, 1).all()

    def test_the_model_gives_the_posteriors_that_are_written(self, fitted, corpus):
        posteriors = pd.read_csv(fitted / "posteriors.csv")
        texts = [(corpus / name).read_text() for name in posteriors["id"]]
        found = load(fitted / "model").transform(texts)
        assert abs(found - posteriors.drop(columns=["id", "label"]).to_numpy()).max() < 1e-5

    def test_run_toml_says_what_was_done(self, fitted, corpus):
        described = tomllib.loads((fitted / "run.toml").read_text(encoding="utf-8"))
        assert described["options"]["corpus"] == str(corpus)
        assert described["options"]["factors"] == 3
        assert described["corpus"]["documents"] == 45
        assert described["corpus"]["labels"] == len(THEMES)
        assert re.fullmatch(r"[0-9a-f]{64}", described["corpus"]["sha256"])
        assert described["resolved"]["inference"] != "auto"
        assert {"topicfactors", "python", "torch"} <= set(described["versions"])

    def test_run_toml_as_config_gives_the_same_bytes(self, call, fitted, tmp_path):
        again = tmp_path / "again"
        assert call("fit", "--config", fitted / "run.toml", "-o", again, "-q").status == 0
        for name in ("factors.csv", "top_words.csv", "posteriors.csv", "metrics.json"):
            assert (again / name).read_bytes() == (fitted / name).read_bytes()
        options = [
            tomllib.loads((folder / "run.toml").read_text())["options"]
            for folder in (again, fitted)
        ]
        assert options[0] == options[1]

    def test_another_seed_gives_others(self, call, fitted, tmp_path):
        other = tmp_path / "other"
        call("fit", "--config", fitted / "run.toml", "-o", other, "-q", "--seed", "7")
        name = "posteriors.csv"
        assert (other / name).read_bytes() != (fitted / name).read_bytes()

    def test_the_default_folder_is_in_runs(self, call, corpus, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert call("fit", corpus, "-q", *FIT).status == 0
        (folder,) = (tmp_path / "runs").iterdir()
        assert folder.name.startswith("corpus-")
        assert {path.name for path in folder.iterdir()} >= FILES


class TestSources:
    def test_a_table_with_named_columns(self, call, tmp_path):
        path = tmp_path / "t.csv"
        frame = pd.DataFrame({"key": [f"d{n}" for n in range(45)], "body": list(make_texts())})
        frame.to_csv(path, index=False)
        run = tmp_path / "run"
        options = ("--text-column", "body", "--id-column", "key")
        assert call("fit", path, "-o", run, "-q", *options, *FIT).status == 0
        assert pd.read_csv(run / "posteriors.csv")["id"].tolist() == frame["key"].tolist()

    def test_standard_input(self, call, tmp_path, monkeypatch):
        data = "\n".join(make_texts()).encode()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        assert call("fit", "-", "-o", tmp_path / "run", "-q", *FIT).status == 0
        assert len(pd.read_csv(tmp_path / "run" / "posteriors.csv")) == 45

    def test_more_factors_than_documents(self, call, tmp_path):
        path = tmp_path / "t.txt"
        path.write_text("\n".join(make_texts(8)))
        options = ("-k", "20", "--epochs", "1", "--min-df", "1", "--max-df", "1.0")
        outcome = call("fit", path, "-o", tmp_path / "run", "-q", *options)
        assert outcome.status == 2
        assert "20 factors are more than its 8 documents" in outcome.err
        assert not (tmp_path / "run").exists()

    def test_empty_rows_are_kept_and_noted_once(self, call, tmp_path):
        path = tmp_path / "t.jsonl"
        rows = [{"text": text, "id": n} for n, text in enumerate(make_texts())]
        rows[5]["text"] = rows[7]["text"] = ""
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        outcome = call("fit", path, "-o", tmp_path / "run", *FIT)
        assert outcome.status == 0
        said = "note: 2 documents are kept as an empty row: row 5 (id 5) is empty; row 7 (id 7)"
        assert outcome.err.count("kept as an empty row") == 1
        assert said in outcome.err
        assert len(pd.read_csv(tmp_path / "run" / "posteriors.csv")) == 45
        notes = tomllib.loads((tmp_path / "run" / "run.toml").read_text())["corpus"]["notes"]
        assert len(notes) == 1

    def test_ids_of_any_characters_are_written(self, call, tmp_path):
        path = tmp_path / "t.jsonl"
        odd = ["a\nb", 'q"uote', "half \ud83d", "Škoda,", " "]
        rows = [{"text": text, "id": f"{odd[n % 5]}{n}"} for n, text in enumerate(make_texts())]
        rows[3]["text"] = ""
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        outcome = call("fit", path, "-o", tmp_path / "run", *FIT)
        assert outcome.status == 0, outcome.err
        with (tmp_path / "run" / "posteriors.csv").open(encoding="utf-8", newline="") as stream:
            ids = [row[0] for row in csv.reader(stream)][1:]
        assert ids[0] == "a\nb0"
        assert len(ids) == 45


class TestOutput:
    def test_data_on_stdout_and_notes_on_stderr(self, call, corpus, tmp_path):
        outcome = call("fit", corpus, "-o", tmp_path / "run", *FIT)
        assert outcome.status == 0
        assert outcome.out.splitlines()[0].split()[:3] == ["factor", "on", "in"]
        assert "45 documents" in outcome.err
        assert "epoch 1/3" in outcome.err
        assert f"next: topicfactors topics {tmp_path / 'run'}" in outcome.err

    def test_json_on_stdout_is_all_there_is(self, call, corpus, tmp_path):
        outcome = call("fit", corpus, "-o", tmp_path / "run", "--json", *FIT)
        found = strict(outcome.out)
        assert found["run"] == str(tmp_path / "run")
        assert [factor["factor"] for factor in found["factors"]] == [0, 1, 2]
        assert found["metrics"] == strict((tmp_path / "run" / "metrics.json").read_text())
        assert "45 documents" in outcome.err

    def test_quiet_says_nothing(self, call, corpus, tmp_path):
        assert call("fit", corpus, "-o", tmp_path / "run", "-q", *FIT) == (0, "", "")

    def test_quiet_json_says_only_json(self, call, corpus, tmp_path):
        outcome = call("fit", corpus, "-o", tmp_path / "run", "-q", "--json", *FIT)
        strict(outcome.out)
        assert outcome.err == ""


class TestOverwriting:
    def test_an_existing_run_is_kept_before_anything_is_read(self, refused, run):
        before = (run / "factors.csv").read_bytes()
        status, line = refused("fit", "no/such/corpus", "-o", run)
        assert status == 1
        assert "exists and is kept" in line
        assert "--force" in line
        assert (run / "factors.csv").read_bytes() == before

    def test_force_replaces_a_run(self, call, run, corpus):
        (run / "mine.txt").write_text("x")
        assert call("fit", corpus, "-o", run, "--force", "-q", *FIT, "-k", "2").status == 0
        assert {path.name for path in run.iterdir()} >= FILES
        assert not (run / "mine.txt").exists()
        assert len(pd.read_csv(run / "factors.csv")) == 2

    def test_a_failure_keeps_the_earlier_run(self, refused, run, tmp_path):
        (tmp_path / "empty.txt").write_text("\n\n")
        before = (run / "factors.csv").read_bytes()
        refused("fit", tmp_path / "empty.txt", "-o", run, "--force", "-q")
        assert (run / "factors.csv").read_bytes() == before

    def test_force_does_not_replace_other_folders(self, refused, corpus, tmp_path):
        (tmp_path / "thesis").mkdir()
        (tmp_path / "thesis" / "chapter1.txt").write_text("years")
        status, line = refused("fit", corpus, "-o", tmp_path / "thesis", "--force")
        assert status == 1
        assert "holds something else" in line
        assert (tmp_path / "thesis" / "chapter1.txt").exists()

    def test_force_does_not_replace_the_corpus(self, refused, corpus):
        for output in (corpus, corpus.parent):
            status, line = refused("fit", corpus, "-o", output, "--force")
            assert status == 2
            assert "would replace" in line
        assert len(list(corpus.rglob("*.txt"))) == 45


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--inference", "nvill"], "inference must be one of"),
        (["--inference", "nvil:unheard=3"], "no option 'unheard'"),
        (["--inference", "exact", "-k", "60"], "use inference='truncated' or fewer factors"),
        (["--prior", "unheard"], "prior must be one of"),
        (["--init", "unheard"], "init must be one of"),
        (["--device", "abacus"], "device must be"),
        (["--language", "qq"], "language must be"),
        (["--language", "qq", "--stop-words", "none"], "language must be"),
        (["--stop-words", "no/such/file"], "--stop-words must be"),
        (["--min-df", "half"], "must be a number of documents such as 5"),
        (["--min-df", "0"], "min_df must be"),
        (["--max-df", "1.5"], "max_df must be"),
        (["--batch-size", "many"], "batch_size must be"),
        (["--learning-rate", "-1"], "learning_rate must be"),
        (["--kl-warmup", "nan"], "kl_warmup must be"),
        (["--validation-fraction", "2"], "validation_fraction must be"),
        (["--overlap-penalty", "-1"], "overlap_penalty must be"),
        (["--seed", "-1"], "--seed"),
        (["--threads", "0"], "--threads"),
    ],
)
def test_a_wrong_value_is_one_line_before_anything_is_read(
    refused, corpus, tmp_path, options, said
):
    status, line = refused("fit", corpus, "-o", tmp_path / "run", *options)
    assert status == 2
    assert said in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("t.csv", "", "the file is empty"),
        ("t.csv", "a,b\n1,2\n", "which column holds the text?"),
        ("t.csv", "text,b\n1\n", "t.csv, line 2"),
        ("t.jsonl", "{broken\n", "t.jsonl, line 1: not JSON"),
        ("t.csv.gz", "junk", "t.csv.gz: cannot be read"),
        ("t.docx", "x", "cannot tell how to read"),
        ("t.txt", "", "there are no documents"),
        ("t.txt", "steam\n", "min_df=5"),
        ("t.txt", "1712\n", "no words in 1 document"),
    ],
)
def test_a_corpus_that_cannot_be_used_is_one_line(refused, tmp_path, name, text, said):
    path = tmp_path / name
    path.write_text(text)
    status, line = refused("fit", path, "-o", tmp_path / "run", "-q")
    assert status == 2
    assert said in line
    assert [found.name for found in tmp_path.iterdir()] == [name]


def test_stop_words_from_a_file(call, corpus, tmp_path):
    (tmp_path / "stop.txt").write_text("Steam\nBREAD crust\n")
    run = tmp_path / "run"
    options = ("--stop-words", tmp_path / "stop.txt")
    assert call("fit", corpus, "-o", run, "-q", *options, *FIT).status == 0
    words = set((run / "model" / "vocabulary.txt").read_text().split())
    assert words & {"steam", "bread", "crust"} == set()
    assert "engine" in words


def start(*arguments, **options):
    """A command in a process of its own, which hears Ctrl-C whatever this one does with it."""
    return subprocess.Popen(
        [sys.executable, "-m", "topicfactors", *map(str, arguments)],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        env={**os.environ, "COLUMNS": "200"},
        **options,
    )


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
class TestInterruption:
    @pytest.mark.parametrize(
        ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"]
    )
    def test_in_training_it_saves_what_was_learnt(self, call, corpus, tmp_path, number, status):
        options = ("--patience", "0", "--threads", "1", "--epochs", "1000000")
        run = tmp_path / "run"
        with start("fit", corpus, "-o", run, *FIT, *options) as process:
            for line in process.stderr:
                if line.startswith("epoch 1/"):
                    process.send_signal(number)
                    break
            out, err = process.communicate(timeout=120)
        assert process.returncode == status, err
        assert f"interrupted; what was learnt until then is in {run}" in err
        assert "Traceback" not in err
        assert "factor" in out
        assert {path.name for path in tmp_path.iterdir()} == {"run", "run.checkpoints"}
        assert {path.name for path in run.iterdir()} >= FILES
        metrics = strict((run / "metrics.json").read_text())
        assert metrics["stopped"] == "interrupted"
        assert 1 <= metrics["best_epoch"] <= metrics["epochs"]
        assert call("topics", run).status == 0

    @pytest.mark.parametrize(
        ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"]
    )
    def test_before_training_it_leaves_nothing(self, tmp_path, number, status):
        with start("fit", "-", "-o", tmp_path / "run", stdin=subprocess.PIPE) as process:
            for _ in range(100):  # more than the pipe holds: when all is taken, it is reading
                process.stdin.write("steam engine pendulum clock\n" * 100)
                process.stdin.flush()
            process.send_signal(number)
            said = process.stderr.read()
            assert process.wait(timeout=60) == status
        assert said == "topicfactors: interrupted; nothing was written\n"
        assert list(tmp_path.iterdir()) == []


def test_stop_words_can_be_added_to_the_language_s(call, tmp_path):
    (tmp_path / "mine.txt").write_text("Piston\nvalve\n")
    texts = "the steam piston and the valve\nthe clock and the dial\n"
    (tmp_path / "t.txt").write_text(texts * 10)
    for choice, left in (
        ("+mine.txt", "clock dial steam"),
        ("mine.txt", "and clock dial steam the"),
    ):
        run = tmp_path / choice.partition(".")[0]
        words = choice.replace("mine", str(tmp_path / "mine"))
        options = ("--stop-words", words, "-k", "2", "--epochs", "1", "--max-df", "1.0", "-q")
        assert call("fit", tmp_path / "t.txt", "-o", run, *options).status == 0
        found = (run / "model" / "vocabulary.txt").read_text().split()
        assert found == left.split()
