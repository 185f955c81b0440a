"""The engine ray does what one process does; where Ray is not installed, little is tested."""

import importlib.util
import json
import os
import signal
import sys

import pytest

from tests.cli.conftest import make_texts
from tests.engines.processes import descendants, ended, saved, start
from topicfactors.corpus.store import CountsStore
from topicfactors.engines.ray import in_order, ray_itself
from topicfactors.errors import ConfigurationError

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None,
    reason='needs Ray: pip install "topicfactors[distributed]"',
)
FIT = "-k 3 --epochs 8 --batch-size 32 --threads 1 --no-report"


def call(*arguments):
    """What was said on stdout and stderr by a command that ends well."""
    status, out, err = ended(start(*arguments))
    assert status == 0, err
    return out, err


def bound(run):
    """Nats a document of those held out."""
    metrics = json.loads((run / "metrics.json").read_text())
    return metrics["held_out"]["truncated"]["nats_per_document"]


def test_a_task_for_one_needs_no_cluster():
    assert list(in_order(divmod, [(7, 2), (9, 4)], 1)) == [(3, 1), (2, 1)]


def test_without_ray_there_is_a_cure(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigurationError, match=r"pip install \"topicfactors\[distributed\]\""):
        ray_itself()


@needs_ray
@pytest.mark.slow
def test_a_store_prepared_by_ray_is_the_same(tmp_path):
    lines = tmp_path / "texts.txt"
    lines.write_text("\n".join(make_texts(3000)))
    options = ("--min-df", "1", "--max-df", "1.0", "--shard-documents", "1000", "--threads", "2")
    call("prepare", lines, tmp_path / "here", *options)
    call("prepare", lines, tmp_path / "there", "--engine", "ray", *options)
    here, there = (CountsStore.open(tmp_path / name) for name in ("here", "there"))
    assert there.sizes == here.sizes == [1000] * 3
    assert there.feature_names.tolist() == here.feature_names.tolist()
    for number in range(3):
        assert (there.shard(number) != here.shard(number)).nnz == 0
        assert there.ids(number) == here.ids(number)


@needs_ray
@pytest.mark.slow
def test_two_workers_reach_the_bound_of_one_process(store, tmp_path):
    call("fit", store, "-o", tmp_path / "one", "-q", *FIT.split())
    ray = f"--engine ray --workers 2 --json {FIT}"
    out, err = call("fit", store, "-o", tmp_path / "two", *ray.split())
    assert bound(tmp_path / "two") == pytest.approx(bound(tmp_path / "one"), rel=5e-3)
    assert json.loads(out)["run"] == str(tmp_path / "two")
    assert "2,000 documents" in err
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@needs_ray
@pytest.mark.slow
def test_a_mistake_of_the_workers_is_one_line(store, tmp_path):
    options = f"--engine ray --workers 2 {FIT} -k 3000".split()
    status, _, err = ended(start("fit", store, "-o", tmp_path / "run", *options))
    assert status == 2, err
    assert "3000 factors are more than its 2000 documents" in err.splitlines()[-1]
    assert "Traceback" not in err


@needs_ray
@pytest.mark.slow
def test_after_a_kill_the_workers_begin_again_and_go_on(store, tmp_path):
    run = tmp_path / "run"
    options = f"--engine ray --workers 2 --checkpoint-every 0.5 {FIT}".split()
    process = start("fit", store, "-o", run, *options)
    saved(process, run)
    os.kill(descendants(process, "RayTrainWorker")[-1], signal.SIGKILL)
    status, out, err = ended(process)
    assert status == 0, err
    assert "a process was lost; all of them begin again" in err
    assert f"going on from {run}.checkpoints" in err
    assert out.startswith("factor")
    assert "Traceback" not in err
    assert not (tmp_path / "run.checkpoints").exists()


@needs_ray
@pytest.mark.slow
def test_when_told_to_leave_the_workers_save_first(store, tmp_path):
    run = tmp_path / "run"
    options = f"--engine ray --workers 2 --checkpoint-every 0.5 {FIT}".split()
    process = start("fit", store, "-o", run, *options)
    saved(process, run)
    process.send_signal(signal.SIGTERM)
    status, _, err = ended(process)
    assert status == 143, err
    assert "interrupted" in err
    assert "--resume goes on" in err
    assert "Traceback" not in err
    assert (tmp_path / "run.checkpoints").exists()
