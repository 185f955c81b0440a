"""Seconds, documents a second and memory, beside the floor and beside other packages' LDA.

    python benchmarks/speed.py --data FOLDER [--only epoch fit transform memory npmi]
        [--corpora generated 20news_clean] [--vocabularies 2000 10000 50000 200000]
        [--factors 50 200] [--models NAME ...] [--documents 10000] [--tokens 100]
        [--threads 2] [--device cpu] [--raw FILE.jsonl] [--again]

Writes speed.md beside this script. Every measurement has a process of its own and is appended to
the raw file as it ends; what is there already is not run again, unless --again says so, so that
it can be run in pieces. The floor of an epoch is the bare cost of three products and a softmax of
the same shapes. On a GPU, a million documents of a hundred words:

    python benchmarks/speed.py --data FOLDER --only epoch --corpora generated --device cuda
        --vocabularies 50000 --factors 200 --documents 1000000 --models gumbel-softmax
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse

from corpora import machine, twenty_clean

OURS: dict[str, dict[str, Any]] = {
    "gumbel-softmax": {"inference": "gumbel-softmax", "likelihood": "multinomial"},
    "gumbel-softmax, polya": {"inference": "gumbel-softmax"},
    "default": {},
}
PEERS = ("gensim LdaMulticore", "scikit-learn LDA")
PARTS = ("epoch", "fit", "transform", "memory", "npmi")
TWENTY = "20news_clean"
SUBJECTS = 50  # of a generated corpus
WARM = 2  # passes before those that are timed
COMPARED = ["factors", "gumbel-softmax", "gensim-lda", "sklearn-lda"]


def zipf(documents: int, vocabulary: int, tokens: int, seed: int = 0) -> Any:
    """Counts ``(N, V)``: Zipf's frequencies, half of each document's tokens of one subject."""
    random = np.random.default_rng(seed)
    shares = 1 / (np.arange(vocabulary) + 2.7)
    cumulative = np.cumsum(shares / shares.sum())
    blocks = []
    for start in range(0, documents, 20_000):
        size = min(20_000, documents - start)
        drawn = np.searchsorted(cumulative, random.random((size, tokens))).clip(max=vocabulary - 1)
        own = drawn[:, : tokens // 2]  # the word of the subject's own among fifty neighbours
        subjects = random.integers(SUBJECTS, size=(size, 1))
        own[:] = np.minimum(own - own % SUBJECTS + subjects, vocabulary - 1)
        rows = np.repeat(np.arange(size), tokens)
        ones = np.ones(drawn.size, np.float32)
        places = (rows, drawn.ravel())
        blocks.append(scipy.sparse.coo_matrix((ones, places), (size, vocabulary)).tocsr())
    return scipy.sparse.vstack(blocks, format="csr")


def counts_of(job: dict[str, Any]) -> tuple[Any, Any]:
    """Documents that are learnt from, and documents that are transformed."""
    if job["corpus"] == TWENTY:
        found = twenty_clean(Path(job["data"]))
        return found.train, found.test
    both = zipf(job["documents"] + job["documents"] // 5, job["vocabulary"], job["tokens"])
    return both[: job["documents"]], both[job["documents"] :]


def model_of(job: dict[str, Any], **options: Any) -> Any:
    from topicfactors import BinaryFactorModel

    shared = {"random_state": 0, "n_jobs": job["threads"], "device": job["device"]}
    return BinaryFactorModel(job["factors"], **shared | OURS[job["model"]] | options)


def waited(device: str) -> float:
    """The time, when the device has done what it was asked."""
    if device.startswith("cuda"):
        import torch

        torch.cuda.synchronize()
    return time.perf_counter()


def seconds(call: Callable[[], object], device: str = "cpu") -> float:
    began = waited(device)
    call()
    return waited(device) - began


def median(call: Callable[[], object], times: int, device: str = "cpu") -> float:
    return statistics.median(seconds(call, device) for _ in range(times))


def floor(documents: int, steps: int, words: int, factors: int, device: str) -> float:
    """Seconds of the products and exponentials of a pass, and of nothing else."""
    import torch

    h = torch.rand(round(documents / steps), factors, device=device)
    weights = torch.randn(words, factors, device=device) * 0.1

    def step() -> None:
        shares = torch.softmax(h @ weights.t(), 1)
        _ = shares @ weights, shares.t() @ h

    step()
    return median(step, 5, device) * steps


def epoch(job: dict[str, Any]) -> dict[str, float]:
    """Seconds of a pass, without its scores; beside the floor, taken by turns."""
    counts, _ = counts_of(job)
    if job["model"] in PEERS:
        model = peer(job)
        return {"seconds": seconds(lambda: model.learn(counts)), "documents": counts.shape[0]}
    import torch

    from topicfactors.corpus.counts import Counts
    from topicfactors.training.batches import Documents
    from topicfactors.training.trainer import Trainer

    model = model_of(job, max_iter=1, validation_fraction=0, init="random").fit(counts)
    device = next(model.objective_.parameters()).device
    torch.set_num_threads(job["threads"])
    documents = Documents(Counts.from_scipy(counts, device))
    step = Trainer(model.objective_, model.schedule_, 0).step
    memory = model.objective_.memory(documents.total)
    passes = documents.passes(model.schedule_.batch_size, 0, memory)
    model.objective_.train()

    def once() -> None:
        for batch in passes:
            step(batch, 0.5)

    for _ in range(WARM):
        once()
    taken, bare = [], []
    shapes = (documents.total, len(passes), counts.shape[1], job["factors"], device.type)
    for _ in range(job["times"]):
        taken.append(seconds(once, device.type))
        bare.append(floor(*shapes))
    found = {"seconds": statistics.median(taken), "floor": statistics.median(bare)}
    ratio = statistics.median(one / other for one, other in zip(taken, bare, strict=True))
    size = model.schedule_.batch_size
    return found | {"ratio": ratio, "documents": documents.total, "batch": size} | on_gpu(device)


def on_gpu(device: Any) -> dict[str, float]:
    if device.type != "cuda":
        return {}
    import torch

    return {"gpu_mib": torch.cuda.max_memory_allocated() / 2**20}


def fit(job: dict[str, Any]) -> dict[str, float]:
    """A whole fit, its start included; of generated corpora three passes."""
    counts, _ = counts_of(job)
    passes = {} if job["corpus"] == TWENTY else {"max_iter": 3}
    import_all()
    model = model_of(job, **passes)
    taken = seconds(lambda: model.fit(counts), job["device"])
    scores = [one.held_out for one in model.history_ if one.held_out is not None]
    found = {"seconds": taken, "documents": counts.shape[0], "passes": model.n_iter_}
    return found | ({"bound": max(scores)} if scores else {})


def transform(job: dict[str, Any]) -> dict[str, float]:
    """Documents a second of new documents, after a pass of training."""
    counts, others = counts_of(job)
    if job["model"] in PEERS:
        model = peer(job)
        model.learn(counts)
        each = seconds(lambda: model.transform(others))
    else:
        ours = model_of(job, max_iter=None if job["corpus"] == TWENTY else 2).fit(counts)
        each = median(lambda: ours.transform(others), 3, job["device"])
    return {"seconds": each, "documents": others.shape[0]}


def memory(job: dict[str, Any]) -> dict[str, float]:
    """A pass of `fit` in batches of 512, its start included."""
    counts, _ = counts_of(job)
    import_all()
    before = peak()
    model_of(job, max_iter=1, batch_size=512).fit(counts)
    return {"documents": counts.shape[0], "before_mib": before}


def import_all() -> None:
    """What is not part of a fit: the modules that it needs."""
    import sklearn.cluster  # noqa: F401

    import topicfactors.estimators.factor_model  # noqa: F401


class Gensim:
    """LdaMulticore, a pass."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.topics, self.workers = job["factors"], max(1, job["threads"] - 1)

    def learn(self, counts: Any) -> None:
        from gensim.matutils import Sparse2Corpus
        from gensim.models import LdaMulticore

        names = {column: str(column) for column in range(counts.shape[1])}
        self.model = LdaMulticore(
            Sparse2Corpus(counts.T.tocsc()),
            self.topics,
            id2word=names,
            workers=self.workers,
            eval_every=None,
            random_state=0,
        )

    def transform(self, counts: Any) -> Any:
        from gensim.matutils import Sparse2Corpus

        return self.model.inference(Sparse2Corpus(counts.T.tocsc()))


class Sklearn:
    """Online LDA, a pass in batches of 512."""

    def __init__(self, job: dict[str, Any]) -> None:
        from sklearn.decomposition import LatentDirichletAllocation

        self.model = LatentDirichletAllocation(
            job["factors"],
            learning_method="online",
            max_iter=1,
            batch_size=512,
            random_state=0,
            n_jobs=job["threads"],
        )

    def learn(self, counts: Any) -> None:
        self.model.fit(counts)

    def transform(self, counts: Any) -> Any:
        return self.model.transform(counts)


def peer(job: dict[str, Any]) -> Any:
    return (Gensim if job["model"] == PEERS[0] else Sklearn)(job)


def peak() -> float:
    """The most that this process has held, MiB."""
    from topicfactors.peers.contest import peak_memory

    return peak_memory()


def worked(job: dict[str, Any]) -> dict[str, Any]:
    """What is measured of a job, in a process of its own."""
    warnings.simplefilter("ignore")
    kinds = {"epoch": epoch, "fit": fit, "transform": transform, "memory": memory}
    found = kinds[job["part"]](job)
    return found | {"peak_mib": peak()}


def jobs(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """All that are asked for, but the comparison of NPMI."""
    common = {name: getattr(options, name) for name in ("threads", "device", "times")}
    common |= {"data": str(options.data), "documents": options.documents, "tokens": options.tokens}
    shapes = []
    if TWENTY in options.corpora:
        shapes.append((TWENTY, 0, [50]))
    if "generated" in options.corpora:
        shapes += [("generated", words, options.factors) for words in options.vocabularies]
    for part in options.only:
        for corpus, vocabulary, factors in shapes:
            for count in factors:
                for model in options.models:
                    if part == "npmi" or (model in PEERS and part in ("fit", "memory")):
                        continue
                    shape = {"corpus": corpus, "vocabulary": vocabulary, "factors": count}
                    yield {"part": part, "model": model} | shape | common


def run(job: dict[str, Any]) -> dict[str, Any]:
    """A job in a process of its own; the reason where it came to nothing."""
    command = [sys.executable, __file__, "--job", json.dumps(job)]
    threads = str(job["threads"])
    environment = os.environ | {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        return {
            "remark": (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1]
        }
    return dict(json.loads(done.stdout.splitlines()[-1]))


def compared(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Seconds and NPMI of whole fits side by side, 20 passes of gensim's and scikit-learn's LDA."""
    from topicfactors.studies import compare

    corpus = twenty_clean(options.data)
    study = compare(
        corpus.train,
        50,
        COMPARED,
        feature_names=corpus.words,
        X_held_out=corpus.test,
        c_v=False,
        threads=options.threads,
        device=options.device,
    )
    names = ("model", "fit_seconds", "npmi", "diversity", "documents_per_second", "memory_mib")
    names += ("remark",)
    return [{name: getattr(trial, name) for name in names} for trial in study.trials]


TOLD = ("model", "remark")  # not as numbers
KEY = ("part", "model", "corpus", "vocabulary", "factors", "documents", "tokens", "threads")


class Raw:
    """What was measured, a line of JSON each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        self.rows = [json.loads(line) for line in lines]

    def known(self, job: dict[str, Any]) -> bool:
        return any(self._key(row["job"]) == self._key(job) for row in self.rows)

    def keep(self, job: dict[str, Any], found: Any) -> None:
        self.rows = [row for row in self.rows if self._key(row["job"]) != self._key(job)]
        self.rows.append({"job": job, "found": found})
        text = "".join(json.dumps(row) + "\n" for row in self.rows)
        self.path.write_text(text, encoding="utf-8")

    def of(self, part: str) -> list[tuple[dict[str, Any], Any]]:
        return [(row["job"], row["found"]) for row in self.rows if row["job"]["part"] == part]

    @staticmethod
    def _key(job: dict[str, Any]) -> tuple[Any, ...]:
        return (*(job.get(name) for name in KEY), job.get("device"))


def number(value: float | None) -> str:
    if value is None:
        return "—"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def subject(job: dict[str, Any]) -> list[str]:
    """Corpus, documents, V, D and model of a row."""
    if job["corpus"] == TWENTY:
        return [TWENTY, "1,995", str(job["factors"]), job["model"]]
    name = f"{job['documents']:,} × {job['tokens']} tokens"
    return [name, f"{job['vocabulary']:,}", str(job["factors"]), job["model"]]


def rate(found: dict[str, Any]) -> float:
    return found["documents"] * found.get("passes", 1) / found["seconds"]


def table(rows: list[tuple[dict[str, Any], Any]], columns: dict[str, str]) -> str:
    heads = ["corpus", "V", "D", "model", *columns]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for job, found in rows:
        remark = found.get("remark")
        if not remark and "seconds" in found:
            found = found | {"rate": rate(found)}
        told = [number(found.get(name)) for name in columns.values()]
        lines.append(f"| {' | '.join([*subject(job), *([remark] if remark else told)])} |")
    return "\n".join(lines)


def page(raw: Raw) -> str:
    """All tables that there are rows of."""
    parts = []
    for part, (title, about, columns) in SECTIONS.items():
        if rows := sorted(raw.of(part), key=order):
            parts.append(f"## {title}\n\n{about}\n\n{table(rows, columns)}\n")
    for job, trials in raw.of("npmi"):
        lines = ["| model | fit, s | NPMI | diversity | transform, documents/s | peak, MiB |"]
        lines.append("|---" * 6 + "|")
        for trial in trials:
            figures = [number(value) for name, value in trial.items() if name not in TOLD]
            figures = [trial["remark"]] if trial.get("remark") else figures
            lines.append(f"| {trial['model']} | {' | '.join(figures)} |")
        about = NPMI.format(threads=job["threads"])
        parts.append(f"## Words\n\n{about}\n\n" + "\n".join(lines) + "\n")
    threads = ", ".join(sorted({str(job["job"]["threads"]) for job in raw.rows}))
    return HEAD.format(machine=machine(), threads=threads) + "\n".join(parts)


def order(row: tuple[dict[str, Any], Any]) -> tuple[Any, ...]:
    job = row[0]
    models = [*OURS, *PEERS]
    return job["corpus"] != TWENTY, job["vocabulary"], job["factors"], models.index(job["model"])


HEAD = """# Speed

Written by `python benchmarks/speed.py --data FOLDER`; each row a process of its own.
Machine: {machine}; {threads} thread(s) a fit.
Generated corpora have Zipf's frequencies; half of a document's tokens are of one of 50 subjects.

"""
EPOCH = """Seconds of one pass over the training documents without its scores, the median of some;
for gensim and scikit-learn those of a fit of one pass. The floor is what three products and a
softmax of the shapes of the batches cost, measured between the passes; the ratio is the median of
pass by floor. `gumbel-softmax` has the multinomial likelihood, `polya` the urn, and the default is
`truncated` under `polya`, whose search makes more products than the floor counts."""
FIT = """A whole fit, start and list of words included, modules loaded before; generated corpora are
stopped after three passes."""
TRANSFORM = """Documents a second that were not learnt from; gensim and scikit-learn after one
pass."""
MEMORY = """The most that the process held in a `fit` of one pass in batches of 512, Python, torch
and the corpus included, which alone are *before*."""
NPMI = """20news_clean, D = 50, {threads} thread(s), as `topicfactors compare` runs them: gensim's
and scikit-learn's LDA 20 passes, ours to their own end. Ten words a topic."""


SECTIONS = {
    "epoch": (
        "A pass",
        EPOCH,
        {
            "batch": "batch",
            "pass, s": "seconds",
            "floor, s": "floor",
            "ratio": "ratio",
            "documents/s": "rate",
            "peak, MiB": "peak_mib",
            "GPU, MiB": "gpu_mib",
        },
    ),
    "fit": (
        "A fit",
        FIT,
        {
            "passes": "passes",
            "fit, s": "seconds",
            "documents × passes/s": "rate",
            "held-out bound, nats": "bound",
            "peak, MiB": "peak_mib",
        },
    ),
    "transform": ("New documents", TRANSFORM, {"documents/s": "rate", "peak, MiB": "peak_mib"}),
    "memory": ("Memory", MEMORY, {"before, MiB": "before_mib", "peak, MiB": "peak_mib"}),
}


def main() -> None:
    here = Path(__file__)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of the corpora")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    both = ["generated", TWENTY]
    parser.add_argument("--corpora", nargs="+", choices=both, default=both)
    sizes = [2_000, 10_000, 50_000, 200_000]
    parser.add_argument("--vocabularies", type=int, nargs="+", default=sizes)
    parser.add_argument("--factors", type=int, nargs="+", default=[50, 200])
    everyone = [*OURS, *PEERS]
    parser.add_argument("--models", nargs="+", choices=everyone, default=everyone)
    parser.add_argument("--documents", type=int, default=10_000, help="of a generated corpus")
    parser.add_argument("--tokens", type=int, default=100, help="of a generated document")
    parser.add_argument("--times", type=int, default=3, help="passes that are timed")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--raw", type=Path, default=Path("speed.jsonl"))
    parser.add_argument("--again", action="store_true", help="measure what is in the raw file too")
    parser.add_argument("--output", type=Path, default=here.with_suffix(".md"))
    parser.add_argument("--job", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        print(json.dumps(worked(json.loads(options.job))))
        return
    if options.data is None:
        parser.error("--data must be given")
    raw = Raw(options.raw)
    for job in jobs(options):
        if options.again or not raw.known(job):
            raw.keep(job, found := run(job))
            print(*subject(job), job["part"], found, flush=True)
            options.output.write_text(page(raw), encoding="utf-8")
    whole = {"part": "npmi", "threads": options.threads, "device": options.device}
    if "npmi" in options.only and (options.again or not raw.known(whole)):
        raw.keep(whole, compared(options))
    options.output.write_text(page(raw), encoding="utf-8")


if __name__ == "__main__":
    main()
