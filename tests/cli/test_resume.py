"""``fit --resume``: what was killed, cut off or interrupted ends as if it had not been."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import make_texts
from topicfactors import Checkpoints

FIT = ("-k", "3", "--epochs", "10", "--patience", "0", "--min-df", "1", "--max-df", "1.0")
ONE = ("--threads", "1", "--no-report")
SAME = ("model/weights.safetensors", "posteriors.csv", "factors.json", "top_words.csv")
HURT = """
import os, signal, sys, time
from topicfactors.cli.main import main
from topicfactors.training.checkpoint import Checkpoints

stepped = Checkpoints.stepped
numbers = [int(number) for number in sys.argv[1].split(",")]

def hurt(self, trainer):
    if (trainer.state.number, trainer.state.steps) == (6, 3):
        for number in numbers:
            os.kill(os.getpid(), number) if number else time.sleep(1.1)
    stepped(self, trainer)

Checkpoints.stepped = hurt
main(sys.argv[2:])
"""
posix = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


def texts_of(run, names=SAME):
    return {name: (run / name).read_bytes() for name in names}


def hurt(number, *arguments, numbers=()):
    """A fit in a process of its own, which gets signals at the third step of its sixth epoch."""
    told = ",".join(str(int(each)) for each in (number, *numbers))
    return subprocess.run(
        [sys.executable, "-c", HURT, told, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        env={**os.environ, "COLUMNS": "200"},
        check=False,
    )


@pytest.fixture(scope="module")
def notes(tmp_path_factory):
    path = tmp_path_factory.mktemp("resume") / "notes.csv"
    rows = "".join(f"{text},{'abc'[n % 3]}\n" for n, text in enumerate(make_texts(160)))
    path.write_text(f"text,label\n{rows}")
    return path


@pytest.fixture(scope="module")
def whole(notes):
    """A run that nobody interrupted."""
    from topicfactors.cli.main import main

    run = notes.parent / "whole"
    with pytest.raises(SystemExit) as ended:
        main(["fit", str(notes), "-o", str(run), "-q", *FIT, *ONE])
    assert ended.value.code == 0
    assert [path.name for path in notes.parent.glob("*checkpoints*")] == []
    return run


@posix
def test_killed_and_resumed_is_the_same_bit_for_bit(call, notes, whole, tmp_path):
    run, left = tmp_path / "run", tmp_path / "run.checkpoints"
    often = ("--checkpoint-every", "0.0001")
    died = hurt(signal.SIGKILL, "fit", notes, "-o", run, *FIT, *ONE, *often)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert not run.exists()
    assert len(list(left.glob("*.json"))) == 2
    outcome = call("fit", notes, "-o", run, *FIT, *ONE, "--resume")
    assert outcome.status == 0, outcome.err
    assert f"going on from {left}, epoch 6" in outcome.err
    assert texts_of(run) == texts_of(whole)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@posix
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"]
)
def test_a_signal_saves_writes_and_leaves(call, notes, whole, tmp_path, number, status):
    run, left = tmp_path / "run", tmp_path / "run.checkpoints"
    stopped = hurt(number, "fit", notes, "-o", run, *FIT, *ONE)
    assert stopped.returncode == status, stopped.stderr
    assert "Traceback" not in stopped.stderr
    said = f"what was learnt until then is in {run}; the same command with -o {run} --resume goes"
    assert said in stopped.stderr
    assert (run / "run.toml").exists()
    assert [path.stem for path in left.glob("*.json")] == [
        "training-001-epoch-000006-step-000000003"
    ]
    outcome = call("fit", notes, "-o", run, *FIT, *ONE, "--resume")
    assert outcome.status == 0, outcome.err
    assert texts_of(run) == texts_of(whole)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@posix
def test_a_second_signal_leaves_at_once(notes, tmp_path):
    twice = hurt(
        signal.SIGINT, "fit", notes, "-o", tmp_path / "run", *FIT, *ONE, numbers=[0, signal.SIGINT]
    )
    assert twice.returncode == 130, twice.stderr
    assert "Traceback" not in twice.stderr
    assert list(tmp_path.iterdir()) == []


@posix
def test_two_signals_at_a_time_are_one(notes, tmp_path):
    """As torchrun sends them."""
    run = tmp_path / "run"
    twice = hurt(signal.SIGTERM, "fit", notes, "-o", run, *FIT, *ONE, numbers=[signal.SIGTERM])
    assert twice.returncode == 143, twice.stderr
    assert "--resume goes on" in twice.stderr
    assert list((tmp_path / "run.checkpoints").glob("*.json"))


@posix
def test_a_file_that_may_not_grow_leaves_what_was_there(notes, whole, tmp_path):
    """``ulimit -f``: as a full disk, to be met in the middle of a file."""
    run = shutil.copytree(whole, tmp_path / "run")
    before = texts_of(run)
    command = [sys.executable, "-m", "topicfactors", "fit", notes, "-o", run, "--force", *FIT, *ONE]
    often = ("--checkpoint-every", "0.0001")
    full = subprocess.run(
        ["bash", "-c", 'ulimit -f 8; exec "$@"', "-", *map(str, (*command, *often))],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert full.returncode == 1, full.stderr
    notes_told = [line for line in full.stderr.splitlines() if "no checkpoint: " in line]
    assert len(notes_told) == 1
    assert "File too large; training goes on" in notes_told[0]
    last = full.stderr.splitlines()[-1]
    assert last == f"topicfactors: {run}/model: cannot be written: File too large"
    assert "Traceback" not in full.stderr
    assert texts_of(run) == before
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".")]


@pytest.fixture
def interrupted(monkeypatch):
    """Interrupt the next training in its second epoch."""

    def patch(training=1):
        stepped = Checkpoints.stepped

        def once(self, trainer):
            if (self.trainings, trainer.state.number) == (training, 2) and not self.resume:
                self.stop(KeyboardInterrupt())
            stepped(self, trainer)

        monkeypatch.setattr(Checkpoints, "stepped", once)

    return patch


@pytest.mark.parametrize(
    ("options", "training"),
    [
        (("--model", "mixture", "--inference", "exact", "-k", "3"), 1),
        (("--model", "semisupervised", "--inference", "exact"), 1),
        (("--runs", "2", "-k", "3"), 2),
    ],
    ids=["mixture", "classifier", "runs"],
)
def test_other_models_go_on_too(call, notes, tmp_path, interrupted, options, training):
    least = ("--epochs", "3", "--min-df", "1", "--max-df", "1.0", *ONE)
    assert call("fit", notes, "-o", tmp_path / "whole", *options, *least).status == 0
    interrupted(training)
    command = ("fit", notes, "-o", tmp_path / "run", *options, *least)
    assert call(*command).status == 130
    outcome = call(*command, "--resume")
    assert outcome.status == 0, outcome.err
    assert texts_of(tmp_path / "run") == texts_of(tmp_path / "whole")
    assert {path.name for path in tmp_path.iterdir()} == {"run", "whole"}


@pytest.mark.parametrize(
    ("place", "written"),
    [
        ("topicfactors.estimators.wording.word_order", True),
        ("topicfactors.estimators.records.status", False),
        ("topicfactors.cli.runs.representative", False),
    ],
    ids=["words", "prevalences", "run"],
)
def test_an_interruption_after_training_does_not_lose_it(
    call, notes, whole, tmp_path, monkeypatch, place, written
):
    def stop(*arguments):
        raise KeyboardInterrupt

    run, left = tmp_path / "run", tmp_path / "run.checkpoints"
    command = ("fit", notes, "-o", run, *FIT, *ONE)
    with monkeypatch.context() as patch:
        patch.setattr(place, stop)
        outcome = call(*command)
    assert outcome.status == 130
    (line,) = [line for line in outcome.err.splitlines() if "interrupted" in line]
    assert f"-o {run} --resume goes on" in line
    assert "nothing was written" not in line
    assert run.exists() == written
    assert left.is_dir()
    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "stepped", lambda self, trainer: pytest.fail("trained again"))
        assert call(*command, "--resume").status == 0
    assert texts_of(run) == texts_of(whole)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_an_interruption_amid_the_last_lines_says_where_the_run_is(
    call, notes, tmp_path, monkeypatch
):
    def stop(*arguments):
        raise KeyboardInterrupt

    run = tmp_path / "run"
    monkeypatch.setattr("topicfactors.cli.fitting.Fit._show", stop)
    outcome = call("fit", notes, "-o", run, "--epochs", "1", *FIT[:2], *FIT[6:], *ONE)
    assert outcome.status == 130
    assert outcome.err.splitlines()[-1] == f"topicfactors: interrupted; the run is in {run}"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.fixture
def left(notes, whole, tmp_path, call, interrupted, monkeypatch):
    """Checkpoints of an interrupted fit, and the command that made them."""
    with monkeypatch.context():
        interrupted()
        command = ("fit", notes, "-o", tmp_path / "run", *FIT, *ONE)
        assert call(*command).status == 130
    shutil.rmtree(tmp_path / "run")
    return command


def files(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def test_they_are_kept_where_nobody_mentions_them(call, left, tmp_path):
    before = files(tmp_path / "run.checkpoints")
    outcome = call(*left)
    assert outcome.status == 1
    assert "go on from them (--resume, or resume=True)" in outcome.err
    assert files(tmp_path / "run.checkpoints") == before
    assert call(*left, "--force", "--epochs", "1").status == 0
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--epochs", "12"), "epochs 10, now 12"),
        (("--min-df", "2"), "min_df '1', now '2'"),
        (("--seed", "1"), "seed 0, now 1"),
        (("--model", "mixture", "--inference", "exact"), "model 'factor', now 'mixture'"),
    ],
)
def test_other_options_are_refused(refused, left, tmp_path, options, said):
    before = files(tmp_path / "run.checkpoints")
    status, line = refused(*left, *options, "--resume")
    assert status == 2
    assert said in line
    assert files(tmp_path / "run.checkpoints") == before


def test_a_corpus_that_is_gone_or_another(refused, call, left, notes, tmp_path):
    before = files(tmp_path / "run.checkpoints")
    command = ["fit", tmp_path / "gone.csv", *left[2:], "--resume"]
    status, line = refused(*command)
    assert (status, "gone.csv: no such file" in line) == (2, True)
    (tmp_path / "other.csv").write_text(notes.read_text().replace("yeast", "dough"))
    command[1] = tmp_path / "other.csv"
    outcome = call(*command)
    assert outcome.status == 2
    assert "the documents" in outcome.err.splitlines()[-1]
    assert files(tmp_path / "run.checkpoints") == before


def test_nothing_to_resume_is_a_note(call, notes, whole, tmp_path):
    run = tmp_path / "run"
    outcome = call("fit", notes, "-o", run, *FIT, *ONE, "--resume")
    assert outcome.status == 0
    assert "note: " in outcome.err
    assert "no checkpoint to go on from; the fit begins at its beginning" in outcome.err
    assert texts_of(run) == texts_of(whole)


@pytest.mark.parametrize("empty", [False, True])
def test_a_run_that_is_whole_is_kept(refused, notes, whole, tmp_path, empty):
    run = shutil.copytree(whole, tmp_path / "run")
    if empty:  # as a full disk leaves it
        (tmp_path / "run.checkpoints").mkdir()
    status, line = refused("fit", notes, "-o", run, *FIT, *ONE, "--resume")
    assert (status, "exists and is kept" in line) == (1, True)
    assert texts_of(run) == texts_of(whole)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--resume",), "name it with -o RUN"),
        (("-o", "run", "--resume", "--checkpoint-every", "0"), "keeps none"),
        (("-o", "run", "--resume", "--model", "mixture"), "inference='em' has no use for it"),
        (("-o", "run", "--checkpoint-every", "9", "--model", "mixture"), "leave it out"),
    ],
)
def test_what_cannot_be_resumed_is_refused(refused, notes, tmp_path, monkeypatch, options, said):
    monkeypatch.chdir(tmp_path)
    status, line = refused("fit", notes, *options)
    assert (status, said in line) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_streams_goes_on_amid_a_pass(call, notes, tmp_path, monkeypatch):
    words = ("--min-df", "1", "--max-df", "1.0", "--shard-documents", "40", "--threads", "1")
    assert call("prepare", notes, tmp_path / "store", *words).status == 0
    options = ("-k", "3", "--epochs", "3", *ONE)
    command = ("fit", tmp_path / "store", "-o", tmp_path / "run", *options)
    assert call("fit", tmp_path / "store", "-o", tmp_path / "whole", *options).status == 0
    stepped = Checkpoints.stepped

    def once(self, trainer):
        if (trainer.state.number, trainer.state.steps) == (2, 3):
            self.stop(KeyboardInterrupt())
        stepped(self, trainer)

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "stepped", once)
        assert call(*command).status == 130
    (left,) = (tmp_path / "run.checkpoints").glob("*.json")
    assert left.stem == "training-001-epoch-000002-step-000000003"
    outcome = call(*command, "--resume")
    assert outcome.status == 0, outcome.err
    names = [name for name in SAME if name != "posteriors.csv"]  # left to transform
    assert texts_of(tmp_path / "run", names) == texts_of(tmp_path / "whole", names)


def test_none_are_kept_where_none_are_asked_for(call, notes, tmp_path, monkeypatch):
    monkeypatch.setattr(Checkpoints, "begun", lambda self, trainer: pytest.fail("kept"))
    options = ("--epochs", "1", "--checkpoint-every", "0")
    assert call("fit", notes, "-o", tmp_path / "run", *FIT, *ONE, *options).status == 0
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
