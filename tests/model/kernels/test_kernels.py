"""The fused kernels: in Triton's interpreter where Triton is, on a GPU where there is one."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from topicfactors.errors import ConfigurationError
from topicfactors.model import kernels

ROOT = Path(__file__).parents[3]
HAVE_TRITON = importlib.util.find_spec("triton") is not None
needs_triton = pytest.mark.skipif(not HAVE_TRITON, reason="Triton is not installed here")


def run(name, **environment):
    """All tests of a file in a process of its own; what it printed where one failed."""
    kept = {key: value for key, value in os.environ.items() if key != "TRITON_INTERPRET"}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist"]
    result = subprocess.run(
        [*command, "-W", "default", "-x", str(Path(__file__).with_name(name))],
        cwd=ROOT,
        env=kept | environment,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-2000:]
    assert " passed" in result.stdout


@needs_triton
def test_in_the_interpreter():
    run("cases.py", TRITON_INTERPRET="1")


@pytest.mark.slow
@needs_triton
def test_for_gpus_that_are_not_here(tmp_path):
    run("compiled.py", TRITON_CACHE_DIR=str(tmp_path))


@pytest.mark.cuda
@needs_triton
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_on_a_gpu():
    run("cases.py")


def test_a_cpu_takes_the_plain_path(monkeypatch):
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    assert kernels.fused(torch.ones(2, 3), torch.ones(4, 3), torch.ones(4)) is None


def test_without_triton_the_plain_path_is_taken(monkeypatch):
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    monkeypatch.setattr(kernels, "_installed", lambda: False)
    assert kernels.fused(torch.ones(2, 3), torch.ones(4, 3), torch.ones(4)) is None


def test_the_logits_do_not_import_triton():
    code = "import sys, topicfactors.model.logits; assert 'triton' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_products_are_named():
    assert kernels.products() == "tf32"
    with pytest.raises(ConfigurationError, match="did you mean 'bf16'"), kernels.using("bf17"):
        pass
    with kernels.using("bf16"), kernels.using(None):
        assert kernels.products() is None
    assert kernels.products() == "tf32"
