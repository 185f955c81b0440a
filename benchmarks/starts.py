"""Where loadings start, and how words are ranked: all corpora, three seeds.

    python benchmarks/starts.py --data FOLDER [--seeds 0 1 2]

Writes starts.md and rankings.md beside this script.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import numpy as np

from corpora import everything, machine
from topicfactors import BinaryFactorModel
from topicfactors.insight.topics import RANKINGS
from topicfactors.model.initial import INITIALS


def spread(values: list[float], digits: int) -> str:
    mean = statistics.mean(values)
    error = f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{mean:.{digits}f}{error}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpora")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options = parser.parse_args()
    here = Path(__file__).parent
    starts = ["| corpus | D | start | start, s | fit, s | ELBO | IWAE-32 | NPMI | diversity |"]
    ranks = ["| corpus | D | ranking | NPMI | diversity | NPMI × diversity |"]
    starts.append("|---" * 9 + "|")
    ranks.append("|---" * 6 + "|")
    for corpus, factors in everything(options.data):
        words: dict[str, list[tuple[float, float]]] = {name: [] for name in RANKINGS}
        for start in INITIALS:
            rows: list[tuple[float, ...]] = []
            for seed in options.seeds:
                began = time.perf_counter()
                INITIALS[start](corpus.train, factors, seed)
                middle = time.perf_counter()
                model = BinaryFactorModel(
                    factors,
                    init=start,
                    inference="gumbel-softmax",
                    likelihood="multinomial",
                    random_state=seed,
                )
                model.fit(corpus.train, feature_names=corpus.words)
                ended = time.perf_counter()
                npmi, diversity = float(model.coherence(corpus.train).mean()), model.diversity()
                elbo = model.perplexity(corpus.test, bound="elbo")
                iwae = model.perplexity(corpus.test, bound="iwae")
                rows.append((middle - began, ended - middle, elbo, iwae, npmi, diversity))
                if start == "clusters":
                    for name in RANKINGS:
                        found = model.coherence(corpus.train, ranking=name)
                        words[name].append((float(np.mean(found)), model.diversity(ranking=name)))
            columns = zip(zip(*rows, strict=True), (1, 1, 1, 1, 3, 2), strict=True)
            cells = [spread(list(values), digits) for values, digits in columns]
            starts.append(f"| {corpus.name} | {factors} | {start} | {' | '.join(cells)} |")
            print(starts[-1], flush=True)
        for name, pairs in words.items():
            product = [a * b for a, b in pairs]
            columns = (([a for a, _ in pairs], 3), ([b for _, b in pairs], 2), (product, 3))
            cells = [spread(values, digits) for values, digits in columns]
            ranks.append(f"| {corpus.name} | {factors} | {name} | {' | '.join(cells)} |")
            print(ranks[-1], flush=True)
    seeds = ", ".join(map(str, options.seeds))
    head = (
        f"Written by `python benchmarks/starts.py --data FOLDER`; seeds {seeds}, "
        f"mean ± standard deviation.\nMachine: {machine()}.\n\n"
    )
    about = (
        "Inference gumbel-softmax; per-document perplexities on the test documents; NPMI and "
        "diversity of the ten top words by the default ranking.\n"
    )
    text = f"# Starts\n\n{head}{about}\n" + "\n".join(starts) + "\n"
    (here / "starts.md").write_text(text, encoding="utf-8")
    text = f"# Rankings\n\n{head}Models started from clusters.\n\n" + "\n".join(ranks) + "\n"
    (here / "rankings.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
