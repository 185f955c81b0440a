"""Two processes learn what one learns from the same batches."""

import json
import subprocess
import sys

import pytest

from topicfactors.errors import ConfigurationError
from topicfactors.training.distributed import ALONE, current, launched


def shared(folder, processes, inference):
    """What a training in so many processes found."""
    out = folder / f"{processes}.json"
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--no-python"]
    command = [*launcher, f"--nproc-per-node={processes}", sys.executable, "-W", "ignore"]
    done = subprocess.run(
        [*command, "-m", "tests.training.sharing", str(out), inference],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(out.read_text())


@pytest.mark.parametrize("inference", ["truncated", "gumbel-softmax", "nvil"])
def test_two_processes_reach_the_bound_of_one(tmp_path, inference):
    one, two = (shared(tmp_path, processes, inference) for processes in (1, 2))
    assert two["held_out"] == pytest.approx(one["held_out"], rel=5e-3)
    assert two["bound"] == pytest.approx(one["bound"], rel=5e-3)
    assert two["spread"] < 1e-9  # the weights are the same in both


def test_a_process_alone_needs_nobody():
    assert launched({}) == current() == ALONE
    assert launched({"RANK": "0", "WORLD_SIZE": "1"}) == ALONE


@pytest.mark.parametrize(
    ("environment", "match"),
    [
        ({"RANK": "0", "WORLD_SIZE": "2"}, "MASTER_ADDR and MASTER_PORT are not told"),
        ({"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "a"}, "but MASTER_PORT are not told"),
        (
            {"RANK": "a", "WORLD_SIZE": "2", "MASTER_ADDR": "a", "MASTER_PORT": "1"},
            "RANK and WORLD_SIZE are not told, or are no numbers",
        ),
    ],
)
def test_a_process_that_is_told_half_is_refused(environment, match):
    with pytest.raises(ConfigurationError, match=match):
        launched(environment)
