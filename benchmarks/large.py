"""`prepare`, `fit` and `transform` of millions of short documents, with the memory they hold.

    python benchmarks/large.py [--documents 2000000] [--vocabulary 5000] [--tokens 12]
        [--factors 50] [--threads N] [--folder FOLDER]

Writes large.md beside this script. The documents are generated: Zipf's frequencies, half of a
document's tokens of one of 50 subjects. Each command is a process of its own, as a user would
start it; twice a second the memory of it and of all that it started is read (Linux only), shared
pages counted once. Pages of the store that are mapped count while they are in memory.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from speed import SUBJECTS

from corpora import machine

TENTHS = (0.1, 0.3, 0.5, 0.7, 0.9)  # of the time of a command
BLOCK = 20_000  # documents that are written at once
EVERY = 0.5  # seconds between two looks at the memory


class Run(NamedTuple):
    """What a command took."""

    seconds: float
    cpu: float  # seconds, of all its processes
    mib: list[float]  # at TENTHS
    most: float  # MiB
    alone: float  # MiB, of its largest process
    said: str


def spelt(number: int) -> str:
    """A word of six letters, which is in no list of stop words."""
    letters = (chr(ord("a") + number // 26**place % 26) for place in range(4))
    return "zq" + "".join(letters)


def write_corpus(path: Path, documents: int, vocabulary: int, tokens: int) -> None:
    """A document a line."""
    random = np.random.default_rng(0)
    shares = 1 / (np.arange(vocabulary) + 2.7)
    cumulative = np.cumsum(shares / shares.sum())
    words = np.array([spelt(number) for number in range(vocabulary)], dtype=object)
    with path.open("w", encoding="utf-8") as stream:
        for start in range(0, documents, BLOCK):
            size = min(BLOCK, documents - start)
            drawn = np.searchsorted(cumulative, random.random((size, tokens)))
            drawn = drawn.clip(max=vocabulary - 1)
            own = drawn[:, : tokens // 2]
            subjects = random.integers(SUBJECTS, size=(size, 1))
            own[:] = np.minimum(own - own % SUBJECTS + subjects, vocabulary - 1)
            stream.writelines(" ".join(row) + "\n" for row in words[drawn])


def _descendants(root: int) -> list[int]:
    """A process and all that descend from it."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
        except OSError:  # it has ended
            continue
        parent = int(stat.rpartition(")")[2].split()[1])
        parents.setdefault(parent, []).append(int(entry.name))
    found = [root]
    for number in found:
        found += parents.get(number, [])
    return found


def _mib(process: int) -> float:
    """Memory of a process, pages that it shares counted in part."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def run(command: list[str], threads: int) -> Run:
    """Start it, and look at its memory until it ends."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    looks: list[tuple[float, float, float]] = []
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "topicfactors", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )
    over = threading.Event()

    def look() -> None:
        while not over.wait(EVERY):
            each = [_mib(number) for number in _descendants(process.pid)]
            looks.append((time.perf_counter() - began, sum(each), max(each)))

    watching = threading.Thread(target=look)
    watching.start()
    said = process.communicate()[0]
    seconds = time.perf_counter() - began
    over.set()
    watching.join()
    if process.returncode:
        raise SystemExit(said)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    times, sums, single = (np.array(column) for column in zip(*looks, strict=True))
    places = np.minimum(np.searchsorted(times, np.array(TENTHS) * seconds), len(times) - 1)
    return Run(seconds, cpu, sums[places].tolist(), sums.max(), single.max(), said)


def size(path: Path) -> float:
    """MB of a file, or of a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


def row(command: str, documents: int, found: Run, written: Path) -> str:
    """A line of the table."""
    at = " | ".join(f"{mib:,.0f}" for mib in found.mib)
    return (
        f"| {command} | {found.seconds:,.0f} | {found.cpu:,.0f} | "
        f"{documents / found.seconds:,.0f} | {at} | {found.most:,.0f} | {found.alone:,.0f} | "
        f"{size(written):,.0f} |"
    )


def measure(folder: Path, asked: Any) -> tuple[list[str], str, float]:
    """The rows, what fit said of its epochs, and the size of the corpus."""
    corpus, store, fitted, told = (
        folder / name for name in ("lines.txt", "store", "run", "posteriors.csv")
    )
    if not corpus.exists():
        write_corpus(corpus, asked.documents, asked.vocabulary, asked.tokens)
    few = ["-q", "--threads", str(asked.threads)]
    commands = {
        "prepare": (["prepare", str(corpus), str(store), *few], store),
        "fit": (
            ["fit", str(store), "-o", str(fitted), "--factors", str(asked.factors), *few],
            fitted,
        ),
        "transform": (["transform", str(fitted), str(store), "-o", str(told), *few], told),
    }
    rows = []
    for name, (command, written) in commands.items():
        found = run([*command, "--force"], asked.threads)
        rows.append(row(f"`{name}`", asked.documents, found, written))
        print(rows[-1], found.said, flush=True)
    with told.open("rb") as stream:
        lines = sum(block.count(b"\n") for block in iter(lambda: stream.read(2**24), b""))
    if lines != asked.documents + 1:
        raise SystemExit(f"{told}: {lines:,} lines for {asked.documents:,} documents")
    metrics = (fitted / "metrics.json").read_text(encoding="utf-8")
    return rows, metrics, size(corpus)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=2_000_000)
    parser.add_argument("--vocabulary", type=int, default=5_000)
    parser.add_argument("--tokens", type=int, default=12)
    parser.add_argument("--factors", type=int, default=50)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--folder", type=Path, help="kept; by default a temporary one")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) if asked.folder is None else asked.folder
        folder.mkdir(parents=True, exist_ok=True)
        rows, metrics, corpus = measure(folder, asked)
    print(metrics)
    shares = " | ".join(f"{share:.0%}" for share in TENTHS)
    asked.out.write_text(
        f"""# Millions of short documents

Written by `python benchmarks/large.py --documents {asked.documents}`: {asked.documents:,} generated
documents of {asked.tokens} tokens ({corpus:,.0f} MB of text), of {asked.vocabulary:,} words,
D = {asked.factors}; the commands as they are, with {asked.threads} threads.
Machine: {machine()}.

Memory is that of a command's processes together, MiB, at shares of its time and at most; *largest*
is the one process that held most. Documents a second are those of the corpus: `fit` visits each
more than once.

| command | s | CPU s | documents/s | {shares} | most | largest | written, MB |
|---|---|---|---|{"---|" * len(TENTHS)}---|---|---|
"""
        + "\n".join(rows)
        + "\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
