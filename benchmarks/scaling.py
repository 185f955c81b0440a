"""Documents a second in one process and in several, on this machine.

    python benchmarks/scaling.py [--processes 1 2] [--documents 8000] [--vocabulary 10000]
        [--factors 50] [--tokens 100] [--epochs 2] [--models NAME ...] [--threads 1]

Writes scaling.md beside this script. Strong scaling: the same documents and the same batches of all
processes together. Weak: as many documents, and as large batches, for each process. torchrun starts
the processes; each is a whole fit of a generated store, of whose passes the steps are timed (from
the end of the first to the end of the last; scores between passes are left out). On GPUs run it on
a machine that has several: the processes take one each.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from speed import zipf

from corpora import machine

SHARDS = 16
MODELS: dict[str, dict[str, Any]] = {
    "gumbel-softmax": {"inference": "gumbel-softmax", "likelihood": "multinomial"},
    "default": {},
}
BATCH = 512  # documents of a step, of all processes (strong) or of each (weak)


class Clock:
    """Hears of every step, and keeps when it ended."""

    def __init__(self) -> None:
        self.passes: list[list[float]] = [[]]

    def begun(self, trainer: Any) -> None:
        """Called before the first step."""

    def stepped(self, trainer: Any) -> None:
        """Called after every step."""
        if trainer.step.device.type == "cuda":
            import torch

            torch.cuda.synchronize()
        self.passes[-1].append(time.perf_counter())

    def __call__(self, epoch: Any) -> None:
        """Called after every pass."""
        self.passes.append([])

    def ended(self, trainer: Any) -> None:
        """Called after the last."""

    def seconds_a_step(self) -> float:
        """The median over the passes."""
        timed = [one for one in self.passes if len(one) > 1]
        return statistics.median((one[-1] - one[0]) / (len(one) - 1) for one in timed)


def work(job: dict[str, Any]) -> None:
    """One process of a fit."""
    import warnings

    import torch

    from topicfactors import BinaryFactorModel
    from topicfactors.corpus.store import CountsStore
    from topicfactors.estimators.base import resolve_device
    from topicfactors.training.distributed import joined

    warnings.simplefilter("ignore")
    clock = Clock()
    with joined(resolve_device(job["device"])) as world:
        model = BinaryFactorModel(
            job["factors"],
            **MODELS[job["model"]],
            batch_size=job["batch"],
            max_iter=job["epochs"],
            n_iter_no_change=0,
            random_state=0,
            n_jobs=job["threads"],
            device=job["device"],
            callbacks=[clock],
        )
        model.fit(CountsStore.open(job["store"]))
        if world.first:
            held_out = model.history_[-1].held_out
            peak = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0
            found = {"seconds": clock.seconds_a_step(), "bound": held_out, "gpu": peak}
            Path(job["out"]).write_text(json.dumps(found))


def measured(job: dict[str, Any], processes: int) -> dict[str, Any]:
    """What torchrun's processes found."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command = [*launcher, f"--nproc-per-node={processes}", __file__, "--job", json.dumps(job)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(job["threads"])}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    found: dict[str, Any] = json.loads(Path(job["out"]).read_text())
    return found | {"rate": job["batch"] / found["seconds"]}


def stored(folder: Path, documents: int, asked: argparse.Namespace) -> Path:
    """A generated store; each size is made once."""
    from topicfactors.corpus.store import prepare

    place = folder / f"store-{documents}"
    if not place.exists():
        counts = zipf(documents, asked.vocabulary, asked.tokens)
        prepare(counts, place, shard_documents=-(-documents // SHARDS))
    return place


def table(asked: argparse.Namespace) -> list[str]:
    """The rows of the table."""
    rows = []
    with tempfile.TemporaryDirectory() as made:
        for model in asked.models:
            for kind in ("strong", "weak"):
                alone = None
                for processes in asked.processes:
                    times = processes if kind == "weak" else 1
                    documents, batch = asked.documents * times, BATCH * times
                    job = {
                        "store": str(stored(Path(made), documents, asked)),
                        "out": f"{made}/out.json",
                        "model": model,
                        "batch": batch,
                        **{name: getattr(asked, name) for name in ("factors", "epochs", "threads")},
                        "device": asked.device,
                    }
                    found = measured(job, processes)
                    alone = alone or found["rate"] / processes
                    rows.append(
                        f"| {model} | {kind} | {processes} | {documents:,} | {batch:,} | "
                        f"{1000 * found['seconds']:.1f} | {found['rate']:,.0f} | "
                        f"{found['rate'] / alone:.2f} | "
                        f"{found['rate'] / alone / processes:.0%} | {found['bound']:.2f} |"
                    )
                    print(rows[-1], flush=True)
    return rows


def main() -> None:
    """Measure, and write the page; or be one of the processes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--documents", type=int, default=8_000)
    parser.add_argument("--vocabulary", type=int, default=10_000)
    parser.add_argument("--factors", type=int, default=50)
    parser.add_argument("--tokens", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    parser.add_argument("--job", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.job:
        work(json.loads(asked.job))
        return
    began, rows = time.perf_counter(), table(asked)
    asked.out.write_text(
        f"""# Several processes

Written by `python benchmarks/scaling.py`, in {time.perf_counter() - began:.0f} s.
{machine()}; {asked.threads} thread(s) a process.
{asked.documents:,} generated documents of {asked.tokens} tokens, V = {asked.vocabulary:,},
D = {asked.factors}, {asked.epochs} passes. Strong: the same documents and batches; weak: as many
for each process. A speed-up is of documents a second, against one process.

| model | scaling | processes | documents | batch | ms a step | documents/s | speed-up | """
        """efficiency | held-out bound |
|---|---|---|---|---|---|---|---|---|---|
""" + "\n".join(rows) + "\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
