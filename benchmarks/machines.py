"""scikit-learn's BernoulliRBM as a model of images: its log-likelihood, with log Z enumerated or
annealed."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logsumexp
from sklearn.neural_network import BernoulliRBM

Floats = NDArray[np.float64]
ENUMERATED = 20  # most hidden units whose states are summed
RATES = (0.01, 0.03, 0.1)
PASSES = (30, 100, 300)
MANY, FEW_PASSES = 10_000, (5, 20)  # images from which on fewer passes are tried
BLOCK = 2**12  # states at once


class Partition(NamedTuple):
    """log Z of a machine, and how it was found."""

    log_z: float
    how: str
    spread: float = 0.0  # standard error of an annealed one


def log_likelihood(machine: BernoulliRBM, images: Any, log_z: float) -> Floats:
    """log p(x) of images ``(N, V)``, ``(N,)`` nats."""
    x = np.asarray(images, dtype=np.float64)
    visible, hidden, weights = _parameters(machine)
    return x @ visible + np.logaddexp(0, x @ weights.T + hidden).sum(1) - log_z


def partition(machine: BernoulliRBM, images: Any, seed: int = 0) -> Partition:
    """log Z: summed over the hidden states up to 20 units, else annealed from the pixel means."""
    if machine.n_components <= ENUMERATED:
        return Partition(_enumerated(machine), "enumerated")
    return annealed(machine, images, seed)


def _parameters(machine: BernoulliRBM) -> tuple[Floats, Floats, Floats]:
    parts = (machine.intercept_visible_, machine.intercept_hidden_, machine.components_)
    visible, hidden, weights = (np.asarray(part, dtype=np.float64) for part in parts)
    return visible, hidden, weights


def _enumerated(machine: BernoulliRBM) -> float:
    visible, hidden, weights = _parameters(machine)
    units, parts = len(hidden), []
    for start in range(0, 2**units, BLOCK):
        rows = np.arange(start, min(start + BLOCK, 2**units))
        h = (rows[:, None] >> np.arange(units) & 1).astype(np.float64)
        parts.append(logsumexp(h @ hidden + np.logaddexp(0, visible + h @ weights).sum(1)))
    return float(logsumexp(parts))


def annealed(
    machine: BernoulliRBM, images: Any, seed: int = 0, chains: int = 500, steps: int = 5000
) -> Partition:
    """Annealed importance sampling (Salakhutdinov and Murray, 2008); too low on average, so that
    the likelihood is flattered."""
    generator = np.random.default_rng(seed)
    visible, hidden, weights = _parameters(machine)
    shares = np.clip(np.asarray(images, dtype=np.float64).mean(0), 0.01, 0.99)
    base = np.log(shares) - np.log1p(-shares)
    units = len(hidden)

    def energy(x: Floats, t: float) -> Floats:
        bias = (1 - t) * base + t * visible
        return x @ bias + np.logaddexp(0, t * (x @ weights.T + hidden)).sum(1)

    x = (generator.random((chains, len(base))) < shares).astype(np.float64)
    logs, before = np.zeros(chains), 0.0
    for t in np.linspace(0, 1, steps + 1)[1:]:
        logs += energy(x, t) - energy(x, before)
        h = generator.random((chains, units)) < expit(t * (x @ weights.T + hidden))
        chance = expit((1 - t) * base + t * visible + t * (h @ weights))
        x, before = (generator.random(x.shape) < chance).astype(np.float64), t
    start = np.logaddexp(0, base).sum() + units * np.log(2)
    found = logsumexp(logs) - np.log(chains)
    relative = np.exp(logs - found)
    return Partition(start + found, "annealed", float(relative.std() / np.sqrt(chains)))


def best_machine(
    train: Any, validation: Any, units: int, seed: int
) -> tuple[BernoulliRBM, dict[str, float]]:
    """The machine that is best on the validation part, and what it was given."""
    tried = []
    for rate in RATES:
        for passes in PASSES if len(train) < MANY else FEW_PASSES:
            machine = BernoulliRBM(
                units, learning_rate=rate, n_iter=passes, batch_size=20, random_state=seed
            ).fit(train)
            log_z = partition(machine, train, seed).log_z
            score = float(log_likelihood(machine, validation, log_z).mean())
            tried.append((score, {"learning_rate": rate, "n_iter": passes}, machine))
    _, settings, machine = max(tried, key=lambda each: each[0])
    return machine, settings
