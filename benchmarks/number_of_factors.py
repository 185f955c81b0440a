"""Where the curve of document completion flattens on 20news_clean, and where "auto" ends.

    python benchmarks/number_of_factors.py --data FOLDER [--only 10 20 auto]

Writes number_of_factors.md beside this script.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from corpora import completion_halves, machine, twenty_clean
from topicfactors import BinaryFactorModel
from topicfactors.training.worth import worth

NUMBERS = ["10", "20", "30", "50", "75", "100", "150", "auto"]


def row_of_worth(number, model, corpus) -> str:
    """Means over the factors, in nats a document: gain, cost, gain on documents not seen."""
    seen, unseen = (
        worth(model.objective_, model._documents(model._validate(counts)), 0)
        for counts in (corpus.train, corpus.test)
    )
    gain = float(seen.gain.mean()) / corpus.train.shape[0]
    cost = float(seen.cost.mean()) / corpus.train.shape[0]
    new = float(unseen.gain.mean()) / corpus.test.shape[0]
    return f"| {number} | {gain:.3f} | {cost:.3f} | {gain - cost:.3f} | {new:.3f} |\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with 20news_clean/")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", default=NUMBERS)
    options = parser.parse_args()
    corpus, halves = twenty_clean(options.data), completion_halves(options.data)
    lines = ["| D | found | completion | NPMI | diversity | fit, s |", "|---" * 6 + "|"]
    search = weighed = ""
    for number in options.only:
        began = time.perf_counter()
        asked = int(number) if number.isdecimal() else number
        model = BinaryFactorModel(asked, random_state=options.seed, n_jobs=1).fit(corpus.train)
        seconds = time.perf_counter() - began
        lines.append(
            f"| {number} | {model.n_components_} | {model.completion_perplexity(*halves):.1f} | "
            f"{float(model.coherence(corpus.train).mean()):.3f} | {model.diversity():.2f} | "
            f"{seconds:.0f} |"
        )
        print(lines[-1], flush=True)
        weighed += row_of_worth(number, model, corpus)
        for tried in getattr(model, "tried_", []):
            search += f"| {tried.begun} | {tried.needed} | {tried.evidence:.2f} |\n"
    page = Path(__file__).with_name("number_of_factors.md")
    page.write_text(
        "# The number of factors\n\nWritten by `python benchmarks/number_of_factors.py --data "
        f"FOLDER`; 20news_clean, default settings, seed {options.seed} alone.\nMachine: "
        f"{machine()}.\n\n"
        + "\n".join(lines)
        + '\n\nWhat "auto" tried, with the evidence in nats a document:\n\n'
        "| begun with | needed | evidence |\n|---|---|---|\n"
        + search
        + "\nIs the cost of loadings right? Means over the factors, nats a document; left is gain "
        "less cost, and should be the gain on unseen documents.\n\n"
        "| D | gain, fitted | cost | left | gain, unseen |\n|---|---|---|---|---|\n" + weighed,
        encoding="utf-8",
    )
    print(page.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
