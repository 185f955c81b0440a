"""Are probabilities true: temperature, reliability and expected calibration error."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

Array = NDArray[np.float64]

BINS = 10
SHARPEST, FLATTEST = 0.01, 20.0  # temperatures between which one is looked for


class Reliability(NamedTuple):
    """How often the most probable class was right, by how probable it was said to be."""

    confidence: list[float]  # mean probability of each bin, lowest first
    accuracy: list[float]  # share that was right
    documents: list[int]
    expected_calibration_error: float  # mean of |accuracy − confidence|, weighted by documents


def reliability(probabilities: Array, truth: NDArray[np.int64], bins: int = BINS) -> Reliability:
    """The curve of probabilities ``(N, C)`` of classes ``truth (N,)``, in bins of equal width.

    Guo, Pleiss, Sun and Weinberger (2017), https://arxiv.org/abs/1706.04599. Empty bins are left
    out.

    >>> reliability(np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([0, 1])).accuracy
    [0.0, 1.0]
    """
    best, right = probabilities.max(1), probabilities.argmax(1) == truth
    places = np.minimum((best * bins).astype(int), bins - 1)
    used = [number for number in range(bins) if (places == number).any()]
    confidence = [float(best[places == number].mean()) for number in used]
    accuracy = [float(right[places == number].mean()) for number in used]
    documents = [int((places == number).sum()) for number in used]
    gaps = np.abs(np.array(accuracy) - np.array(confidence))
    error = float((gaps * np.array(documents)).sum() / len(truth))
    return Reliability(confidence, accuracy, documents, error)


def softened(truth: NDArray[np.int64], classes: int) -> Array:
    """Targets ``(N, C)`` of labels ``truth (N,)``, as if every class had been seen once more.

    So a temperature exists where all labels are predicted right (Platt, 1999).

    >>> softened(np.array([0, 0]), 2)
    array([[0.75, 0.25],
           [0.75, 0.25]])
    """
    return np.asarray((len(truth) * np.eye(classes)[truth] + 1) / (len(truth) + classes))


def temperature(logs: Array, truth: Array) -> float:
    """What log-probabilities ``(N, C)`` are to be divided by, for the least log-loss.

    ``truth (N, C)`` are the probabilities of the classes, or one-hot what they are.
    """

    def loss(log_temperature: float) -> float:
        scaled = logs / np.exp(log_temperature)
        scaled = scaled - logsumexp(scaled, axis=1, keepdims=True)
        return -float((truth * scaled).sum(1).mean())

    limits = (float(np.log(SHARPEST)), float(np.log(FLATTEST)))
    return float(np.exp(minimize_scalar(loss, bounds=limits, method="bounded").x))
