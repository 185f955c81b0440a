"""How words are ranked: the defaults on all corpora, three seeds.

    python benchmarks/rankings.py --data FOLDER [--seeds 0 1 2]

Writes rankings.md beside this script.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path

from corpora import everything, machine
from topicfactors import BinaryFactorModel
from topicfactors.insight.topics import RANKINGS


def spread(values: list[float], digits: int) -> str:
    mean = statistics.mean(values)
    error = f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{mean:.{digits}f}{error}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpora")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options = parser.parse_args()
    columns = "corpus | D | ranking | NPMI | diversity | NPMI × diversity | NPMI, test documents"
    lines = [f"| {columns} |", "|---" * 7 + "|"]
    for corpus, factors in everything(options.data):
        scores: dict[str, list[tuple[float, ...]]] = {name: [] for name in RANKINGS}
        for seed in options.seeds:
            model = BinaryFactorModel(factors, random_state=seed)
            model.fit(corpus.train, feature_names=corpus.words)
            for name, found in scores.items():
                npmi = float(model.coherence(corpus.train, ranking=name).mean())
                elsewhere = float(model.coherence(corpus.test, ranking=name).mean())
                found.append((npmi, model.diversity(ranking=name), elsewhere))
        for name, triples in scores.items():
            npmi, diversity, elsewhere = (list(values) for values in zip(*triples, strict=True))
            both = [a * b for a, b, _ in triples]
            cells = (spread(npmi, 3), spread(diversity, 2), spread(both, 3), spread(elsewhere, 3))
            lines.append(f"| {corpus.name} | {factors} | {name} | {' | '.join(cells)} |")
            print(lines[-1], flush=True)
    seeds = ", ".join(map(str, options.seeds))
    head = (
        f"# Rankings\n\nWritten by `python benchmarks/rankings.py --data FOLDER`; seeds {seeds}, "
        f"mean ± standard deviation.\nMachine: {machine()}.\n\nThe default model, ten words a "
        "factor, NPMI by presence in the training documents. `coherent` has read which words come "
        "together in those same documents, so that its NPMI of the test documents, which it has "
        "not, says what of its lead holds elsewhere.\n\n"
    )
    Path(__file__).with_suffix(".md").write_text(head + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
