"""The guided fuzzer's targets take a good file; with atheris, it runs for a moment."""

import importlib.util
import subprocess
import sys

import pytest

from tests.fuzz import sources
from tests.fuzz.drivers.guided import TESTS, target_of


@pytest.mark.parametrize("name", ["a.csv", "a.tar", "docword.a.txt", "a.npz"])
def test_a_target_reads_a_good_file(name):
    target_of(name)((sources.texts() | sources.counts())[name])


@pytest.mark.parametrize("name", TESTS)
def test_every_test_that_is_named_takes_bytes(name):
    assert callable(target_of(name))


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed")
def test_the_guided_fuzzer_finds_nothing_at_once(tmp_path):
    words = ["-m", "tests.fuzz.drivers.guided", "a.csv", "-runs=200"]
    subprocess.run([sys.executable, *words], check=True, cwd=tmp_path, capture_output=True)
