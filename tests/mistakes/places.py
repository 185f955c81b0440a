"""The folder in which mistakes are made, and what must have happened before some of them."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
import scipy.sparse

from tests.cli.conftest import THEMES, make_texts

FIT = "-k 3 --epochs 1 --min-df 1 --max-df 1.0 --threads 1"


def lay_out(place: Path) -> None:
    """A folder of texts, a table, counts, a run, and a run that was fitted to counts."""
    from topicfactors.cli.main import main

    for number, text in enumerate(make_texts()):
        path = place / "notes" / list(THEMES)[number % 3] / f"{number:02}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    rows = "".join(f"{n},{text}\n" for n, text in enumerate(make_texts(9)))
    (place / "table.csv").write_text(f"id,text\n{rows}")
    generator = np.random.default_rng(0)
    counts = scipy.sparse.csr_matrix(generator.poisson(1.0, (20, 8)))
    scipy.io.mmwrite(place / "counts.mtx", counts)
    for arguments in ("fit notes -o run", "fit counts.mtx -o counted"):
        words = FIT if arguments.startswith("fit notes") else "-k 2 --epochs 1 --threads 1"
        try:
            main(["--debug", *f"{arguments} -q {words}".split()])
        except SystemExit as ended:
            assert ended.code == 0  # noqa: PT017


def write(name: str, content: str | bytes) -> Callable[[Path], None]:
    """A preparation: one file."""

    def prepare(place: Path) -> None:
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    return prepare


def folder(name: str) -> Callable[[Path], None]:
    """A preparation: an empty folder."""
    return lambda place: (place / name).mkdir()


def edited(**changes: Any) -> Callable[[Path], None]:
    """A preparation: a model's config with other values."""

    def prepare(place: Path) -> None:
        path = place / "run" / "model" / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return prepare


def cut(name: str, kept: float) -> Callable[[Path], None]:
    """A preparation: a file that broke off after a share of its bytes, or after so many."""

    def prepare(place: Path) -> None:
        path = place / name
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * kept if kept < 1 else kept)])

    return prepare


def without(name: str) -> Callable[[Path], None]:
    """A preparation: something is missing."""
    return lambda place: (place / name).unlink()


def broken_gzip(place: Path) -> None:
    """A compressed table that was not downloaded to its end."""
    data = gzip.compress((place / "table.csv").read_bytes())
    (place / "table.csv.gz").write_bytes(data[: len(data) // 2])


def foreign(place: Path) -> None:
    """A folder of another program in the place of a model."""
    shutil.rmtree(place / "run" / "model")
    write("run/model/config.json", '{"model_type": "bert"}')(place)


def full_disk(monkeypatch: Any) -> None:
    """No space is left when the output takes its place."""
    import errno

    def replace(*paths: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("topicfactors.files.os.replace", replace)


def read_only(monkeypatch: Any) -> None:
    """A folder that one may read and not write; root may write anywhere, so it is only said so."""
    monkeypatch.setattr("topicfactors.files.os.access", lambda *asked: False)


def interrupted(monkeypatch: Any) -> None:
    """Ctrl-C while the corpus is read."""

    def stream(*arguments: object) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("topicfactors.corpus.readers.stream_documents", stream)


def no_gpu(monkeypatch: Any) -> None:
    """A machine without one."""
    import torch

    zeros = torch.zeros

    def on_the_cpu(*sizes: Any, **options: Any) -> Any:
        if str(options.get("device", "cpu")).startswith("cuda"):
            raise RuntimeError("no such device")
        return zeros(*sizes, **options)

    monkeypatch.setattr(torch, "zeros", on_the_cpu)
