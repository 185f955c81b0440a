"""Likelihoods and inferences over five corpora: which of them stand as defaults.

    python benchmarks/defaults.py --data FOLDER [--seeds 0 1 2] [--threads 1] [--raw FILE.jsonl]

Writes defaults.md beside this script. Every fit is appended to the raw file as it ends; what is
there already is not run again.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

import torch

from corpora import completion_halves, everything, halves, machine
from topicfactors import BinaryFactorModel

MODELS = {
    "polya, truncated": {},
    "multinomial, truncated": {"likelihood": "multinomial"},
    "polya, gumbel-softmax": {"inference": "gumbel-softmax"},
    "multinomial, gumbel-softmax": {"likelihood": "multinomial", "inference": "gumbel-softmax"},
    "polya, gumbel-softmax, MLP": {"inference": "gumbel-softmax", "decoder": "mlp"},
    "poisson, truncated": {"likelihood": "poisson"},
    "bernoulli, truncated": {"likelihood": "bernoulli"},
    "polya, truncated, D = 10": {"n_components": 10},
    "multinomial, truncated, D = 10": {"likelihood": "multinomial", "n_components": 10},
    "multinomial, exact, D = 10": {
        "likelihood": "multinomial",
        "inference": "exact",
        "n_components": 10,
    },
}
COLUMNS = {
    "bound": "bound",
    "elbo": "ELBO",
    "iwae": "IWAE-32",
    "completion": "completion",
    "npmi": "NPMI",
    "diversity": "diversity",
    "fit": "fit, s",
    "transform": "transform, documents/s",
    "encoder": "encoder alone, documents/s",
}


def run(corpus, split, factors: int, options: dict, seed: int) -> dict[str, float]:
    settings = {"n_components": factors, "inference": "truncated", "likelihood": "polya"}
    model = BinaryFactorModel(**{**settings, "random_state": seed, **options})
    began = time.perf_counter()
    model.fit(corpus.train, feature_names=corpus.words)
    found = {"fit": time.perf_counter() - began}
    found["transform"] = rate(model, corpus.test, "auto")
    if model.inference_ != "exact":
        found["encoder"] = rate(model, corpus.test, 0)
        found["elbo"] = model.perplexity(corpus.test, bound="elbo")
        found["iwae"] = model.perplexity(corpus.test, bound="iwae")
    bound = "exact" if model.inference_ == "exact" else "truncated"
    scores = model.evaluate(corpus.test, bound=bound, samples=64)
    found["bound"] = scores.perplexity.per_document
    found["unigram"] = scores.unigram.per_document
    found["completion"] = model.completion_perplexity(*split, samples=64)
    found["npmi"] = float(model.coherence(corpus.train).mean())
    found["diversity"] = model.diversity()
    return found


def rate(model, counts, refine) -> float:
    began = time.perf_counter()
    model.transform(counts, refine=refine)
    return counts.shape[0] / (time.perf_counter() - began)


def cell(values: list[float], seeds: int) -> str:
    """Mean and spread; how many seeds, where it is not all of them."""
    if not values:
        return "—"
    mean = statistics.mean(values)
    digits = 3 if abs(mean) < 2 else 1 if mean < 5000 else 0
    spread = f" ± {statistics.stdev(values):,.{digits}f}" if len(values) > 1 else ""
    some = "" if len(values) == seeds else f" ({len(values)} seed{'s' * (len(values) > 1)})"
    return f"{mean:,.{digits}f}{spread}{some}"


def written(rows: list[dict]) -> str:
    lines = []
    for corpus in dict.fromkeys(row["corpus"] for row in rows):
        here = [row for row in rows if row["corpus"] == corpus]
        seeds = len({row["seed"] for row in here})
        unigram = {row["model"].split(",")[0]: row["unigram"] for row in here}
        lines += [
            f"## {corpus}",
            "",
            "Unigrams: "
            + ", ".join(f"{name} {value:.1f}" for name, value in sorted(unigram.items()))
            + ".",
            "",
        ]
        lines += [f"| model | {' | '.join(COLUMNS.values())} |", "|---" * (len(COLUMNS) + 1) + "|"]
        for name in MODELS:
            runs = [row for row in here if row["model"] == name]
            if runs:
                cells = [cell([run[key] for run in runs if key in run], seeds) for key in COLUMNS]
                lines.append(f"| {name} | {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpora")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--corpora", nargs="+", help="names, for some of them")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--raw", type=Path, default=Path("defaults.jsonl"))
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    rows = []
    if options.raw.exists():
        rows = [json.loads(line) for line in options.raw.read_text().splitlines()]
    known = {(row["corpus"], row["model"], row["seed"]) for row in rows}
    corpora = [
        (c, completion_halves(options.data) if n == 0 else halves(c.test), factors)
        for n, (c, factors) in enumerate(everything(options.data))
        if options.corpora is None or c.name in options.corpora
    ]
    for seed in options.seeds:
        for corpus, split, factors in corpora:
            for name in options.models:
                if (corpus.name, name, seed) in known:
                    continue
                row = {"corpus": corpus.name, "model": name, "seed": seed}
                row |= run(corpus, split, factors, MODELS[name], seed)
                rows.append(row)
                with options.raw.open("a") as stream:
                    stream.write(json.dumps(row) + "\n")
                print({k: round(v, 3) if isinstance(v, float) else v for k, v in row.items()})
    seeds = ", ".join(map(str, sorted({row["seed"] for row in rows})))
    Path(__file__).with_suffix(".md").write_text(
        HEAD.format(seeds=seeds, machine=machine()) + written(rows),
        encoding="utf-8",
    )


HEAD = """# Likelihoods and inferences

Written by `python benchmarks/defaults.py --data FOLDER`; seeds {seeds}, mean ± standard deviation.
Machine: {machine}.

D = 50 on the two 20 Newsgroups, 20 on the others, where not said. *bound* is the per-document
perplexity of the test documents under the truncated bound of 64 states (log p(x) itself for
exact), whichever inference fitted the model; *ELBO* and *IWAE-32* those of the encoder with hard
bits. Where posteriors are broad, as those of sampled inferences on short texts are, 64 states hold
little of them and the IWAE is the tighter bound. *completion* is exp(−Σ log p/Σ tokens) of the
unseen half of each test document. Bounds of polya and multinomial compare (both are distributions
over the same sequences of words); those of poisson and bernoulli compare with their own unigram
only. Completion, NPMI and diversity compare throughout. On M10 and DBLP a document has five or six
words. `transform` is that of `refine="auto"`.

"""

if __name__ == "__main__":
    main()
