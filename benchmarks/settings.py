"""One setting changed at a time, on 20news_clean with 50 factors: why the defaults stand.

    python benchmarks/settings.py --data FOLDER [--seed 0] [--only WORD ...]

Writes settings.md beside this script.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from corpora import completion_halves, machine, twenty_clean
from topicfactors import BinaryFactorModel

SETTINGS = {
    "defaults": {},
    "learning rate 2.5e-3": {"learning_rate": 2.5e-3},
    "learning rate 1e-2": {"learning_rate": 1e-2},
    "batch 128": {"batch_size": 128},
    "batch 512": {"batch_size": 512},
    "KL warm-up 0.1": {"kl_warmup": 0.1},
    "temperature to 0.2": {"inference": "gumbel-softmax:end=0.2"},
    "temperature to 0.7": {"inference": "gumbel-softmax:end=0.7"},
    "hard": {"inference": "gumbel-softmax:hard=true"},
    "prior fixed at 0.1": {"prior": "bernoulli:learnt=false"},
    "encoder of 128 units": {"encoder": "bag-of-words:width=128"},
    "encoder of 2 layers": {"encoder": "bag-of-words:layers=2"},
    "no dropout": {"encoder": "bag-of-words:dropout=0.0"},
    "overlap penalty 10": {"overlap_penalty": 10.0},
    "MLP decoder": {"decoder": "mlp"},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with 20news_clean/")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", default=[""], help="settings with one of these words")
    options = parser.parse_args()
    corpus = twenty_clean(options.data)
    halves = completion_halves(options.data)
    lines = [
        "| setting | ELBO | IWAE-32 | completion | NPMI | diversity | fit, s |",
        "|---" * 7 + "|",
    ]
    for name, changed in SETTINGS.items():
        if not any(word in name for word in options.only):
            continue
        began = time.perf_counter()
        model = BinaryFactorModel(50, random_state=options.seed, **changed).fit(corpus.train)
        seconds = time.perf_counter() - began
        elbo = model.perplexity(corpus.test)
        iwae = model.perplexity(corpus.test, bound="iwae")
        completion = model.completion_perplexity(*halves)
        npmi = float(model.coherence(corpus.train).mean())
        lines.append(
            f"| {name} | {elbo:.1f} | {iwae:.1f} | {completion:.1f} | {npmi:.3f} | "
            f"{model.diversity():.2f} | {seconds:.1f} |"
        )
        print(lines[-1], flush=True)
    Path(__file__).with_suffix(".md").write_text(
        "# Settings\n\nWritten by `python benchmarks/settings.py --data FOLDER`; 20news_clean, "
        f"D = 50, seed {options.seed} alone: differences under 3 points of perplexity or 0.01 of "
        f"NPMI are noise.\nMachine: {machine()}.\n\n" + "\n".join(lines) + "\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
