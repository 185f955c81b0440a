"""One setting changed at a time, on 20news_clean with 50 factors: why the defaults stand.

    python benchmarks/settings.py --data FOLDER [--of gumbel-softmax | truncated] [--seed 0]

Writes settings.md or truncated_settings.md beside this script.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from corpora import completion_halves, machine, twenty_clean
from topicfactors import BinaryFactorModel
from topicfactors.gradients.gumbel_softmax import GumbelSoftmax


class SamePace(GumbelSoftmax):
    """An encoder that learns as slowly as the loadings."""

    pace = 1.0


SAMPLED = {
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
    "posterior at the model's pace": {"inference": SamePace},
    "the same, 40 passes": {"inference": SamePace, "max_iter": 40},
    "40 passes": {"max_iter": 40},
    "encoder of 64 units": {"encoder": "bag-of-words:width=64"},
    "encoder of 256 units": {"encoder": "bag-of-words:width=256"},
    "encoder with a hidden layer": {"encoder": "bag-of-words:layers=1"},
    "dropout 0.2": {"encoder": "bag-of-words:dropout=0.2"},
    "256 units, a hidden layer, dropout 0.2, one pace, 40 passes": {
        "encoder": "bag-of-words:width=256,layers=1,dropout=0.2",
        "inference": SamePace,
        "max_iter": 40,
    },
    "overlap penalty 10": {"overlap_penalty": 10.0},
    "MLP decoder": {"decoder": "mlp"},
}


SEARCHED = {
    "defaults": {},
    "6 states": {"inference": "truncated:states=6"},
    "24 states": {"inference": "truncated:states=24"},
    "1 round": {"inference": "truncated:rounds=1"},
    "4 rounds": {"inference": "truncated:rounds=4"},
    "1 state in the gradient": {"inference": "truncated:best=1"},
    "12 states in the gradient": {"inference": "truncated:best=12"},
    "12 passes": {"max_iter": 12},
    "learning rate 2e-2": {"learning_rate": 2e-2},
    "learning rate 8e-2": {"learning_rate": 8e-2},
    "batch 256": {"batch_size": 256},
    "shrinkage 0": {"shrinkage": 0},
    "shrinkage 1": {"shrinkage": 1},
    "KL warm-up 0.3": {"kl_warmup": 0.3},
    "nothing held out": {"validation_fraction": 0},
    "polya": {"likelihood": "polya"},
    "polya, learning rate 2e-2": {"likelihood": "polya", "learning_rate": 2e-2},
    "polya, shrinkage 0": {"likelihood": "polya", "shrinkage": 0},
    "polya, shrinkage 1": {"likelihood": "polya", "shrinkage": 1},
    "polya, 12 passes": {"likelihood": "polya", "max_iter": 12},
    "polya, s from 300": {"likelihood": "polya:concentration=300"},
}
OF = {"gumbel-softmax": ("settings.md", SAMPLED), "truncated": ("truncated_settings.md", SEARCHED)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with 20news_clean/")
    parser.add_argument("--of", choices=OF, default="truncated", help="the inference")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", default=[""], help="settings with one of these words")
    options = parser.parse_args()
    corpus = twenty_clean(options.data)
    halves = completion_halves(options.data)
    page, settings = OF[options.of]
    usual = {"inference": options.of, "likelihood": "multinomial", "random_state": options.seed}
    lines = [
        "| setting | truncated | ELBO | IWAE-32 | completion | NPMI | diversity | fit, s |",
        "|---" * 8 + "|",
    ]
    for name, changed in settings.items():
        if not any(word in name for word in options.only):
            continue
        began = time.perf_counter()
        model = BinaryFactorModel(50, **{**usual, **changed}).fit(corpus.train)
        seconds = time.perf_counter() - began
        bound = model.perplexity(corpus.test, bound="truncated", samples=64)
        elbo = model.perplexity(corpus.test, bound="elbo")
        iwae = model.perplexity(corpus.test, bound="iwae")
        completion = model.completion_perplexity(*halves)
        npmi = float(model.coherence(corpus.train).mean())
        lines.append(
            f"| {name} | {bound:.1f} | {elbo:.1f} | {iwae:.1f} | {completion:.1f} | {npmi:.3f} | "
            f"{model.diversity():.2f} | {seconds:.1f} |"
        )
        print(lines[-1], flush=True)
    Path(__file__).with_name(page).write_text(
        f"# Settings of {options.of}\n\nWritten by `python benchmarks/settings.py --data FOLDER "
        f"--of {options.of}`; 20news_clean, "
        f"D = 50, seed {options.seed} alone: differences under 3 points of perplexity or 0.01 of "
        f"NPMI are noise.\nMachine: {machine()}.\n\n" + "\n".join(lines) + "\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
