"""20news_clean: what the encoder, the family of q and coordinate ascent each cost the bound.

    python benchmarks/posteriors.py --data FOLDER [--seeds 0] [--threads 2] [--output FILE.md]

Models of 50 factors under the multinomial likelihood, fitted to the training documents. Bounds are
per-document perplexities of the test documents with hard bits (benchmarks/twenty_newsgroups.py has
the definitions). The table is written beside this script.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import numpy as np

from corpora import machine, twenty_clean

FITS = {
    "mean-field": {"inference": "gumbel-softmax"},
    "autoregressive": {"inference": "gumbel-softmax", "posterior": "autoregressive"},
    "free": {"inference": "local-expectation", "posterior": "free"},
    "truncated": {"inference": "truncated"},
}
STEPS = {"mean-field": (5, 20), "autoregressive": (5, 20)}  # free is its own ascent
COLUMNS = {
    "fit": "fit, s",
    "elbo": "ELBO",
    "share": "gap closed",
    "gain": "gain, nats a document",
    "iwae": "IWAE-32",
    "wide": "IWAE-1000",
    "truncated": "truncated, 64 states",
    "completion": "completion",
    "refine": "refine, s",
}


def rows_of(name: str, corpus, seed: int, threads: int) -> dict[str, dict[str, float]]:
    """The scores of one fit, a row for each number of steps."""
    from topicfactors import BinaryFactorModel
    from topicfactors.insight.metrics import perplexity

    options = {"n_components": 50, "likelihood": "multinomial", "random_state": seed}
    model = BinaryFactorModel(**options, **FITS[name], n_jobs=threads)
    began = time.perf_counter()
    model.fit(corpus.train, feature_names=corpus.words)
    fit = time.perf_counter() - began
    first: dict[str, float] = {"fit": fit}
    for key, bound, samples in (("elbo", "elbo", 32), ("iwae", "iwae", 32), ("wide", "iwae", 1000)):
        found = model.evaluate(corpus.test, bound=bound, samples=samples)
        first[key] = found.perplexity.per_document
    first["truncated"] = model.perplexity(corpus.test, bound="truncated", samples=64)
    first["completion"] = model.evaluate(corpus.test, bound="completion").perplexity.corpus
    rows = {name: first}
    print(seed, name, {k: round(v, 1) for k, v in first.items()}, flush=True)
    lengths = np.asarray(corpus.test.sum(axis=1)).ravel()
    for steps in STEPS.get(name, ()):
        began = time.perf_counter()
        gained = model.refinement(corpus.test, refine=steps)
        row = {"refine": time.perf_counter() - began, "gain": gained.gain}
        row["elbo"] = perplexity(gained.after, lengths).per_document
        rows[f"{name}, refine {steps}"] = row
        print(seed, name, steps, {k: round(v, 2) for k, v in row.items()}, flush=True)
    return rows


def cell(values: list[float], key: str) -> str:
    if not values:
        return "—"
    mean, digits = statistics.mean(values), 2 if key in ("share", "gain") else 1
    spread = f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{mean:,.{digits}f}{spread}"


def table(runs: list[dict[str, dict[str, float]]]) -> str:
    for run in runs:
        plain = dict(run["mean-field"])
        for row in run.values():
            row["share"] = (plain["elbo"] - row["elbo"]) / (plain["elbo"] - plain["wide"])
    lines = [f"| posterior | {' | '.join(COLUMNS.values())} |", "|---" * (len(COLUMNS) + 1) + "|"]
    for name in runs[0]:
        cells = [cell([run[name][k] for run in runs if k in run[name]], k) for k in COLUMNS]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with 20news_clean/")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--threads", type=int, default=2, help="of fits and scores")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_suffix(".md"))
    options = parser.parse_args()
    corpus = twenty_clean(options.data)
    runs = []
    for seed in options.seeds:
        found: dict[str, dict[str, float]] = {}
        for name in FITS:
            found |= rows_of(name, corpus, seed, options.threads)
        runs.append(found)
    options.output.write_text(
        "# Posteriors\n\n"
        "Written by `python benchmarks/posteriors.py --data FOLDER`; seeds "
        f"{', '.join(map(str, options.seeds))}. 20news_clean, D = 50, multinomial.\n"
        f"Machine: {machine()}; {options.threads} threads.\n\n{table(runs)}\n\n{NOTES}",
        encoding="utf-8",
    )


NOTES = """Perplexities per document of the test documents, hard bits; mean-field and \
autoregressive are fitted by gumbel-softmax, free by local-expectation. *Gap closed* is the share \
of the way from the mean-field encoder's ELBO to the IWAE-1000 of the same model that the ELBO of \
the row has made. *refine n* is `transform(refine=n)`; `refinement(refine=n)` gives its bounds and \
the *gain*; *refine, s* is the time of \
that for all test documents. *Truncated, 64 states* is the bound that a search finds for the same \
model, whatever its q; the row of *truncated* has the ELBO and the IWAE of its encoder's guess, \
which its own inference does not use. *Completion* is the perplexity of the unseen half of every \
document.
"""

if __name__ == "__main__":
    main()
