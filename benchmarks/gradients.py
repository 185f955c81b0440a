"""Gradient estimators side by side on 20news_clean, at 12 factors and at 50.

    python benchmarks/gradients.py --data FOLDER [--factors 12 50] [--only nvil rloo]

At 12 factors bias is against the exact gradient, at 50 against the mean of many draws of
local-expectation. The multinomial likelihood, under which both are cheap and exact. Writes
gradients.md beside this script, and keeps the sections of the factors that are not asked for.
"""

from __future__ import annotations

import argparse
import re
import time
from pathlib import Path

from corpora import machine, twenty_clean
from topicfactors import BinaryFactorModel, studies

FACTORS = (12, 50)
HELD_OUT = 1000  # test documents that are scored
PAGE = Path(__file__).with_suffix(".md")
HEAD = """# Gradient estimators side by side

Written by `python benchmarks/gradients.py --data FOLDER`; docs/gradients.md says how the tables are
read. 20news_clean, its own training documents and {held_out:,} of its test documents, multinomial,
log-linear decoder, mean-field posterior. Gradients are drawn at a model fitted with gumbel-softmax
for {epochs} passes; every estimator then trains from one start with its own learning rate. One seed
({seed}): small differences between trainings are noise.
Machine: {machine}.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with 20news_clean/")
    parser.add_argument("--factors", type=int, nargs="+", default=FACTORS)
    parser.add_argument("--only", nargs="+", help="estimators (default: all)")
    parser.add_argument("--epochs", type=int, default=10, help="of the model's fit")
    parser.add_argument("--documents", type=int, default=64)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--evaluations", type=float, default=12.0, help="a training document")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=PAGE)
    options = parser.parse_args()
    corpus = twenty_clean(options.data)
    held_out = corpus.test[:HELD_OUT]
    known = sections(options.output)
    for factors in options.factors:
        began = time.perf_counter()
        model = BinaryFactorModel(
            factors,
            inference="gumbel-softmax",
            likelihood="multinomial",
            max_iter=options.epochs,
            random_state=options.seed,
        ).fit(corpus.train)
        study = studies.gradients(
            model,
            corpus.train,
            options.only,
            X_held_out=held_out,
            documents=options.documents,
            draws=options.draws,
            seconds=options.seconds,
            evaluations=options.evaluations,
            random_state=options.seed,
        )
        took = f"The whole took {(time.perf_counter() - began) / 60:.1f} minutes."
        known[factors] = f"## {factors} factors\n\n{study.markdown()}\n{took}\n"
        print(known[factors], flush=True)
        head = HEAD.format(
            epochs=options.epochs, held_out=HELD_OUT, seed=options.seed, machine=machine()
        )
        parts = [head, *(known[number] for number in sorted(known))]
        options.output.write_text("\n".join(parts), encoding="utf-8")


def sections(page: Path) -> dict[int, str]:
    """The sections of an earlier run, by their number of factors."""
    if not page.exists():
        return {}
    parts = re.split(r"^(?=## \d+ factors$)", page.read_text(encoding="utf-8"), flags=re.M)[1:]
    return {int(part.split()[1]): part.rstrip("\n") + "\n" for part in parts}


if __name__ == "__main__":
    main()
