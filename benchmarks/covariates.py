"""Do the intervals of effects hold what was planted? Writes benchmarks/covariates.md.

``python benchmarks/covariates.py`` simulates corpora whose four factors are on with log-odds that
rise with a number, differ by category, or do neither, fits each, and counts.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.sparse

from topicfactors import BinaryFactorModel

SEEDS, DOCUMENTS, FACTORS, BLOCK, BACKGROUND = 24, 500, 4, 8, 16
SLOPE, CONTRAST, LEAST = 1.5, 1.5, 0.9
LEVELS = np.array(["a", "b", "c"])


class Read(NamedTuple):
    planted: float
    found: float
    error: float
    held: bool


def corpus(seed: int, length: int):
    """Counts, covariates and the factors that are on."""
    generator = np.random.default_rng(seed)
    loadings = np.zeros((FACTORS, FACTORS * BLOCK + BACKGROUND))
    for factor in range(FACTORS):
        loadings[factor, factor * BLOCK : (factor + 1) * BLOCK] = 2.5
    year = generator.uniform(1800, 1900, DOCUMENTS)
    level = generator.integers(0, 3, DOCUMENTS)
    odds = np.full((DOCUMENTS, FACTORS), -0.8)
    odds[:, 0] += SLOPE * (year - year.mean()) / year.std()
    odds[:, 1] += np.array([CONTRAST, -CONTRAST, 0.0])[level]
    truth = (generator.random(odds.shape) < 1 / (1 + np.exp(-odds))).astype(int)
    words = np.exp(truth @ loadings)
    lengths = generator.poisson(length, DOCUMENTS) + 5
    rows = [generator.multinomial(n, w / w.sum()) for n, w in zip(lengths, words, strict=True)]
    counts = scipy.sparse.csr_matrix(np.array(rows, dtype=float))
    return counts, {"year": year, "section": LEVELS[level]}, truth


def reads(seed: int, length: int, inference: str) -> tuple[list[Read], int]:
    """Every effect on a factor that was found (correlation above 0.9), and how many were."""
    counts, known, truth = corpus(seed, length)
    model = BinaryFactorModel(
        FACTORS, inference=inference, likelihood="multinomial", random_state=0, n_jobs=1
    ).fit(counts, covariates=known)
    posterior = model.transform(counts, covariates=known)
    match = np.corrcoef(truth.T, posterior.T)[:FACTORS, FACTORS:]
    shares = np.array([(known["section"] == level).mean() for level in LEVELS])
    by_level = np.array([CONTRAST, -CONTRAST, 0.0])
    by_level = dict(zip(LEVELS, by_level - by_level @ shares, strict=True))
    found, place = [], {int(row.argmax()): d for d, row in enumerate(match) if row.max() > LEAST}
    for effect in model.effects():
        if effect.factor not in place:
            continue
        which, planted = place[effect.factor], 0.0
        if effect.column == "year" and which == 0:
            planted = SLOPE
        if effect.column == "section" and which == 1:
            planted = float(by_level[effect.level])
        held = effect.low <= planted <= effect.high
        found.append(Read(planted, effect.log_odds, effect.standard_error, held))
    return found, len(place)


def main() -> None:
    """Write the table."""
    lines = [
        "# Effects of covariates",
        "",
        f"Written by `python benchmarks/covariates.py`: {SEEDS} simulated corpora of {DOCUMENTS} "
        "documents a row, four factors, a number and a category of three levels; the planted "
        "slope is 1.5 a standard deviation, the contrasts ±1.5. *held* is the share of 95 % "
        "intervals with the planted value in them, over all effects on factors that were found.",
        "",
        "| inference | tokens | factors found | held, all | held, planted ≠ 0 | slope found | its "
        "spread | its standard error |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for inference in ("exact", "truncated"):
        for length in (60, 12):
            parts = [reads(seed, length, inference) for seed in range(SEEDS)]
            every = [read for found, _ in parts for read in found]
            planted = [read for read in every if read.planted]
            slopes = [read for read in every if read.planted == SLOPE]
            lines.append(
                f"| {inference} | {length} | {sum(n for _, n in parts) / (FACTORS * SEEDS):.0%} | "
                f"{np.mean([r.held for r in every]):.0%} | "
                f"{np.mean([r.held for r in planted]):.0%} | "
                f"{np.mean([r.found for r in slopes]):.2f} | "
                f"{np.std([r.found for r in slopes]):.2f} | "
                f"{np.mean([r.error for r in slopes]):.2f} |"
            )
            print(lines[-1], flush=True)
    Path(__file__).with_suffix(".md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
