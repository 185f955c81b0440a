"""Processes that are started, watched and killed by the tests of this folder."""

import os
import subprocess
import sys
import time
from pathlib import Path

MINUTES = 6
APART = {"TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}  # docs/scaling.md says why


def start(*arguments, launcher=()):
    """The command line in a process of its own."""
    command = [*launcher, sys.executable, "-m", "topicfactors", *map(str, arguments)]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**{name: os.environ[name] for name in os.environ if name != "RAY_ADDRESS"}, **APART},
    )


def ended(process):
    """Its status, and what it said on stdout and stderr."""
    try:
        out, err = process.communicate(timeout=60 * MINUTES)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return process.returncode, out, err


def saved(process, run):
    """Wait until two processes have saved a training."""
    until = time.monotonic() + 60 * MINUTES
    folder = run.parent / f"{run.name}.checkpoints"
    while len(list(folder.glob("*.json"))) < 2:
        assert process.poll() is None, ended(process)
        assert time.monotonic() < until
        time.sleep(0.1)


def descendants(process, named):
    """Processes that came from one, and have some text in their command line."""
    parents, found = {}, {process.pid}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int(
                (folder / "stat").read_text().rpartition(")")[2].split()[1]
            )
        except OSError:
            continue
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    lines = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in found - {process.pid}}
    return sorted(pid for pid, line in lines.items() if named.encode() in line)
