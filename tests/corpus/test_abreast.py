"""Processes work while this one reads; what comes of it keeps its order."""

import operator
import subprocess
import sys
import time
from pathlib import Path

import pytest

from topicfactors.corpus import abreast
from topicfactors.corpus.abreast import in_order


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("tasks", [0, 1, 7, 50])
def test_the_order_is_that_of_the_tasks(processes, tasks, monkeypatch):
    monkeypatch.setattr(abreast, "AHEAD", 3)
    found = in_order(operator.mul, ((number, 2) for number in range(tasks)), processes)
    assert list(found) == [2 * number for number in range(tasks)]


@pytest.mark.parametrize("processes", [1, 2])
def test_what_goes_wrong_in_reading_comes_in_its_turn(processes, monkeypatch):
    monkeypatch.setattr(abreast, "AHEAD", 2)

    def tasks():
        for number in range(9):
            yield number, 0
        raise ValueError("row 9")

    found = []
    with pytest.raises(ValueError, match="row 9"):
        found.extend(in_order(operator.add, tasks(), processes))
    assert found == list(range(9))


def test_two_windows_are_held(monkeypatch):
    monkeypatch.setattr(abreast, "AHEAD", 2)
    read = []

    def tasks():
        for number in range(40):
            read.append(number)
            yield number, 0

    for number in in_order(operator.add, tasks(), 2):
        assert len(read) <= number + 3 * 2 * 2


def test_a_mistake_in_the_work_is_passed_on():
    with pytest.raises(ZeroDivisionError):
        list(in_order(operator.truediv, [(1, 1), (1, 0)], 2))


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_workers_go_when_their_parent_is_killed(tmp_path):
    code = (
        "import os\n"
        "from topicfactors.corpus.abreast import in_order\n"
        "from tests.corpus.workers import pid_of\n"
        f"for _ in in_order(pid_of, (({str(tmp_path)!r}, n) for n in range(10**9)), 2): pass"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as parent:
        while not list(tmp_path.iterdir()):
            time.sleep(0.05)
        parent.kill()
    workers = [path.name for path in tmp_path.iterdir()]
    deadline = time.monotonic() + 60
    while any(Path("/proc", worker).exists() for worker in workers):
        assert time.monotonic() < deadline
        time.sleep(0.1)
