"""Where loadings start: all corpora, three seeds.

    python benchmarks/starts.py --data FOLDER [--seeds 0 1 2]

Writes starts.md beside this script.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from rankings import spread

from corpora import everything, machine
from topicfactors import BinaryFactorModel
from topicfactors.model.initial import INITIALS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpora")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options = parser.parse_args()
    here = Path(__file__).parent
    starts = ["| corpus | D | start | start, s | fit, s | ELBO | IWAE-32 | NPMI | diversity |"]
    starts.append("|---" * 9 + "|")
    for corpus, factors in everything(options.data):
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
            columns = zip(zip(*rows, strict=True), (1, 1, 1, 1, 3, 2), strict=True)
            cells = [spread(list(values), digits) for values, digits in columns]
            starts.append(f"| {corpus.name} | {factors} | {start} | {' | '.join(cells)} |")
            print(starts[-1], flush=True)
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


if __name__ == "__main__":
    main()
