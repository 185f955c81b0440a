"""Binary images: the gradients of the field and the discrete VAE, beside a Boltzmann machine.

    python benchmarks/binary_images.py [--data FOLDER] [--factors 16] [--seeds 0 1 2] [--rows dvae]
    python benchmarks/binary_images.py --tune     (validation part alone; prints, writes nothing)

Of scikit-learn's digits, and of the static binarised MNIST, OMNIGLOT and Caltech-101 silhouettes
where FOLDER has their files (binarized_mnist_*.amat, chardata.mat,
caltech101_silhouettes_28_split1.mat). Writes binary_images.md beside this script.
"""

from __future__ import annotations

import argparse
import itertools
import time
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from images import Images, as_counts, there
from machines import best_machine, log_likelihood, partition
from rankings import spread

from corpora import machine
from topicfactors import BinaryFactorModel
from topicfactors.errors import ConfigurationError

SAMPLES = 1000  # draws of the importance-weighted bound
EXACT = 16  # most factors under which log p(x) is summed as well
HIERARCHICAL = {"posterior": "autoregressive:groups=8", "prior": "boltzmann"}
# parameters of each row; those of its own training (max_iter, learning_rate) win over the options
ROWS: dict[str, dict[str, Any]] = {
    "nvil": {"inference": "nvil"},
    "gumbel-softmax": {"inference": "gumbel-softmax:samples=4"},
    "vimco": {"inference": "vimco"},
    "dvae (factorial)": {"inference": "dvae", "learning_rate": 5e-3},
    "dvae (hierarchical + Boltzmann)": {"inference": "dvae", **HIERARCHICAL},
    "dvae (hierarchical + Boltzmann + a continuous layer)": {
        "inference": "dvae",
        "continuous_layers": 1,
        **HIERARCHICAL,
    },
}
SHARED: dict[str, Any] = {
    "likelihood": "bernoulli",
    "encoder": "bag-of-words:width=128",
    "validation_fraction": 0.0,
    "n_jobs": 1,
}
GRID = {"learning_rate": (2e-3, 5e-3, 1e-2), "max_iter": (100, 300)}


class Scores(NamedTuple):
    """Mean log-probabilities of the test images, nats, and the seconds of the fit."""

    hard: float  # importance-weighted, hard z
    smoothed: float  # the smoothed model's own; NaN where nothing is smoothed
    elbo: float
    exact: float  # NaN where there are too many factors, or couplings that are not summed
    seconds: float


def main() -> None:
    options = _options()
    warnings.simplefilter("ignore")
    text = [_head(options)]
    for images in there(options.data):
        if options.sets and images.name not in options.sets:
            continue
        if options.tune:
            _tune(images, options)
        else:
            text += _measured(images, options)
    if not options.tune:
        path = Path(__file__).with_suffix(".md")
        path.write_text("\n".join(text) + "\n", encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of the standard files")
    parser.add_argument("--sets", nargs="+", help="names of the sets (default: all there are)")
    parser.add_argument("--rows", nargs="+", help="parts of the names of the rows (default: all)")
    parser.add_argument("--factors", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=400)
    parser.add_argument("--learning-rate", type=float, default=1e-2)
    parser.add_argument("--decoder", default="log-linear")
    parser.add_argument("--dvae", default="samples=4,end=10", help="its options")
    parser.add_argument("--smoothing", default="auto", help="of the rows of dvae")
    parser.add_argument("--layers", default="0", help="continuous ones, of the rows of dvae")
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--tune", action="store_true", help="a grid, on the validation part alone")
    return parser.parse_args()


def _head(options: argparse.Namespace) -> str:
    seeds = ", ".join(map(str, options.seeds))
    return (
        f"# Binary images\n\nWritten by `python benchmarks/binary_images.py`; seeds {seeds}, mean "
        f"± standard deviation.\nMachine: {machine()}.\n\n"
        f"D = {options.factors} factors (hidden units), decoder {options.decoder}, "
        f"{options.epochs} passes at a learning rate of {options.learning_rate:g}, smoothing "
        f"{options.smoothing}, {options.layers} continuous layers (dvae{_told(options)}), where "
        f"the row does not say otherwise:\n{_own_settings(options)}.\n"
        "Likelihood bernoulli: an image is a document of the pixels that\nare on. Mean "
        "log-probability of a test image in "
        f"nats, higher is better: *hard z* is the importance-weighted bound of {options.samples} "
        "draws of hard\nbits, by which rows are compared; *smoothed* is the same of the smoothed "
        "model itself, over ζ, which published\nfigures are of; *exact* sums over all states. The "
        "machine is scikit-learn's BernoulliRBM, its learning rate and\npasses chosen on the "
        "validation part. Settings were chosen on the validation part."
    )


def _own_settings(options: argparse.Namespace) -> str:
    rows = ((name, row) for name, row in _rows(options).items() if len(row) > 1)
    each = (
        f"{name} has {', '.join(f'{key}={value}' for key, value in row.items())}"
        for name, row in (*rows, ("gumbel-softmax", ROWS["gumbel-softmax"]))
    )
    return ";\n".join(each)


def _told(options: argparse.Namespace) -> str:
    return f", {options.dvae}" if options.dvae else ""


def _measured(images: Images, options: argparse.Namespace) -> list[str]:
    shape = f"{len(images.train)} / {len(images.validation)} / {len(images.test)}"
    lines = [f"\n## {images.name}\n"]
    lines.append(f"{images.note}; {shape} images of training, validation and test.")
    if images.published is not None:
        lines.append(f"Published for the discrete VAE (Rolfe, 2017): {images.published} nats.")
    lines += ["", "| model | hard z | smoothed | ELBO | exact | fit, s |", "|---" * 6 + "|"]
    for name, chosen in _rows(options).items():
        lines.append(f"| {name} | {_row(images, chosen, options)} |")
        print(f"{images.name} {lines[-1]}", flush=True)
    lines.append(_machine_row(images, options))
    print(f"{images.name} {lines[-1]}", flush=True)
    return lines


def _rows(options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    wanted = options.rows or [""]
    return {name: row for name, row in ROWS.items() if any(part in name for part in wanted)}


def _row(images: Images, chosen: dict[str, Any], options: argparse.Namespace) -> str:
    given = {"max_iter": options.epochs, "learning_rate": options.learning_rate} | chosen
    try:
        found = [_scores(images.train, images.test, given, options, seed) for seed in options.seeds]
    except ConfigurationError as error:
        return f"{str(error).partition(';')[0]} | — | — | — | —"
    columns = zip(zip(*found, strict=True), (2, 2, 2, 2, 0), strict=True)
    return " | ".join(_cell(list(values), digits) for values, digits in columns)


def _cell(values: list[float], digits: int) -> str:
    return "—" if np.isnan(values).any() else spread(values, digits)


def _scores(
    train: Any, test: Any, given: dict[str, Any], options: argparse.Namespace, seed: int
) -> Scores:
    smooths = given["inference"] == "dvae"
    own = {"smoothing": options.smoothing, "continuous_layers": options.layers} if smooths else {}
    if smooths and options.dvae:
        given = given | {"inference": f"dvae:{options.dvae}"}
    model = BinaryFactorModel(
        options.factors, decoder=options.decoder, random_state=seed, **SHARED | own | given
    )
    began = time.perf_counter()
    model.fit(as_counts(train))
    seconds, seen = time.perf_counter() - began, as_counts(test)

    def score(bound: str, wanted: bool = True) -> float:
        draws = None if bound == "exact" else options.samples
        if not wanted:
            return float("nan")
        return float(model.score_samples(seen, bound=bound, samples=draws).mean())

    layered = smooths and str((own | given)["continuous_layers"]) != "0"
    summed = options.factors <= EXACT and not layered
    return Scores(
        score("iwae"),
        score("smoothed-iwae", smooths),
        score("elbo"),
        score("exact", summed),
        seconds,
    )


def _machine_row(images: Images, options: argparse.Namespace) -> str:
    found, how, began = [], "", time.perf_counter()
    for seed in options.seeds:
        best, settings = best_machine(images.train, images.validation, options.factors, seed)
        total = partition(best, images.train, seed)
        found.append(float(log_likelihood(best, images.test, total.log_z).mean()))
        spelt = ", ".join(f"{key} {value:g}" for key, value in settings.items())
        how = f"log Z {total.how}" + (f" ± {total.spread:.2f}" if total.spread else "")
    seconds = (time.perf_counter() - began) / len(options.seeds)
    exact = spread(found, 2) if how.endswith("enumerated") else "—"
    return (
        f"| BernoulliRBM, {how} ({spelt}) | {spread(found, 2)} | — | — | {exact} | {seconds:.0f} |"
    )


def _tune(images: Images, options: argparse.Namespace) -> None:
    """Every row at every setting of the grid, by the validation images."""
    for name, chosen in _rows(options).items():
        for values in itertools.product(*GRID.values()):
            setting = dict(zip(GRID, values, strict=True))
            seed = options.seeds[0]
            try:
                found = _scores(images.train, images.validation, chosen | setting, options, seed)
            except ConfigurationError as error:
                print(f"{images.name} {name}: {error}", flush=True)
                break
            print(
                f"{images.name} {name} {setting}: hard {found.hard:.2f} exact {found.exact:.2f} "
                f"smoothed {found.smoothed:.2f} ({found.seconds:.0f} s)",
                flush=True,
            )


if __name__ == "__main__":
    main()
