"""Processes of torchrun: one is killed, all are told to leave."""

import os
import signal
import sys

import pytest

from tests.engines.processes import descendants, ended, saved, start

pytestmark = pytest.mark.slow
FIT = "-k 3 --epochs 8 --batch-size 32 --threads 1 --no-report --checkpoint-every 0.5"
LAUNCHER = ("-m", "torch.distributed.run", "--standalone", "--no-python", "--nproc-per-node=2")


def launch(store, run, *options):
    launcher = [sys.executable, *LAUNCHER, *options]
    return start("fit", store, "-o", run, "--resume", *FIT.split(), launcher=launcher)


def test_after_a_kill_they_begin_again_and_go_on(store, tmp_path):
    run = tmp_path / "run"
    process = launch(store, run, "--max-restarts=1")
    saved(process, run)
    os.kill(descendants(process, "topicfactors")[-1], signal.SIGKILL)
    status, _, err = ended(process)
    assert status == 0, err
    assert f"going on from {run}.checkpoints" in err
    assert "Traceback" not in err
    assert (run / "factors.csv").exists()
    assert not (tmp_path / "run.checkpoints").exists()


def test_when_told_to_leave_they_save_first(store, tmp_path):
    run = tmp_path / "run"
    process = launch(store, run)
    saved(process, run)
    process.send_signal(signal.SIGTERM)
    status, _, err = ended(process)
    assert status != 0
    assert "--resume goes on" in err
    steps = [path.stem.rpartition("-process-")[0] for path in _saved(tmp_path)]
    assert steps[-1] == steps[-2]  # both after the same step
    again = launch(store, run)
    status, _, err = ended(again)
    assert status == 0, err
    assert "going on from" in err


def _saved(folder):
    return sorted((folder / "run.checkpoints").glob("*.json"))
