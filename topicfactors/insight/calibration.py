"""Are probabilities true: temperature, reliability and expected calibration error."""

from __future__ import annotations

import math
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


LEAST = 1e-4  # how near to 0 and 1 a probability may be in a log-loss
BINNINGS = ("width", "count")


class Calibration(NamedTuple):
    """How often factors were on, by how probable that was said to be; ``print`` shows it.

    The first four are of bins of pairs of a document and a factor, the least probable first.
    """

    predicted: list[float]  # mean probability that was said
    observed: list[float]  # share that was on
    standard_error: list[float]  # of ``observed``, over documents; NaN of a single one
    pairs: list[int]
    expected_calibration_error: float  # mean of |observed − predicted|, weighted by pairs
    brier: float  # mean of (probability − truth)²
    log_loss: float  # nats a pair
    base_brier: float  # the same of a forecast that knows the share of each factor alone
    base_log_loss: float
    how: str = ""  # "simulated" or "held-out"
    documents: int = 0
    length_tempering: float | None = None  # with which it was said

    def __str__(self) -> str:
        tempering = "" if self.length_tempering is None else f", c = {self.length_tempering:g}"
        lines = [
            f"{self.how}, {self.documents:,} documents{tempering}".lstrip(", "),
            "  said   was on            pairs",
        ]
        bins = zip(self.predicted, self.observed, self.standard_error, self.pairs, strict=True)
        lines += [
            f"  {p:.3f}  {o:.3f} ± {'?' if np.isnan(e) else f'{e:.3f}':5}  {n:>9,}"
            for p, o, e, n in bins
        ]
        return "\n".join(
            [
                *lines,
                f"expected calibration error {self.expected_calibration_error:.4f}",
                f"Brier {self.brier:.4f}, log-loss {self.log_loss:.4f} nats; of the shares alone "
                f"{self.base_brier:.4f}, {self.base_log_loss:.4f}",
            ]
        )


def calibrated(
    probabilities: Array, truth: Array, bins: int = BINS, by: str = "width"
) -> Calibration:
    """The reliability curve and the scores of on/off probabilities ``(N, D)``.

    Parameters
    ----------
    probabilities
        P(on) as it was said.
    truth
        0 or 1 ``(N, D)``, or the probability of it, of which the expected score is taken.
    bins, by
        Number of bins, of equal ``"width"`` or with an equal ``"count"`` of pairs; empty ones are
        left out.

    Examples
    --------
    >>> said, was = np.array([[0.1, 0.9], [0.1, 0.9]]), np.array([[0, 1], [0, 0]])
    >>> found = calibrated(said, was)
    >>> found.observed, round(found.expected_calibration_error, 4), round(found.brier, 4)
    ([0.0, 0.5], 0.25, 0.21)
    """
    said, was = probabilities.astype(np.float64), truth.astype(np.float64)
    places = _places(said.ravel(), bins, by)
    documents = np.repeat(np.arange(len(said)), said.shape[1])
    groups = [np.flatnonzero(places == number) for number in range(bins)]
    groups = [group for group in groups if len(group)]
    predicted = [float(said.ravel()[group].mean()) for group in groups]
    observed = [float(was.ravel()[group].mean()) for group in groups]
    errors = [_error(was.ravel()[group], documents[group]) for group in groups]
    pairs = [len(group) for group in groups]
    gaps = np.abs(np.array(observed) - np.array(predicted))
    shares = np.broadcast_to(was.mean(0), was.shape)
    return Calibration(
        predicted,
        observed,
        errors,
        pairs,
        float(gaps @ np.array(pairs)) / said.size,
        float(_brier(said, was).mean()),
        float(log_losses(said, was).mean()),
        float(_brier(shares, was).mean()),
        float(log_losses(shares, was).mean()),
    )


def log_losses(probabilities: Array, truth: Array) -> Array:
    """−log of the probability of what was true, ``(N,)`` nats a pair, mean over the factors.

    Probabilities count as 0.0001 from 0 and 1 at least.

    >>> log_losses(np.array([[0.5, 0.0]]), np.array([[1.0, 0.0]])).round(4).tolist()
    [0.3466]
    """
    said = np.clip(probabilities.astype(np.float64), LEAST, 1 - LEAST)
    each = truth * np.log(said) + (1 - truth) * np.log1p(-said)
    return np.asarray(-each.mean(1))


def _brier(said: Array, was: Array) -> Array:
    """Expected squared error, where ``was`` is the probability of what is true."""
    return np.asarray((said - was) ** 2 + was * (1 - was))


def _places(said: Array, bins: int, by: str) -> NDArray[np.int64]:
    """The bin of each probability ``(P,)``."""
    if by == "width":
        return np.minimum((said * bins).astype(np.int64), bins - 1)
    places = np.empty(len(said), np.int64)
    places[np.argsort(said, kind="stable")] = np.arange(len(said)) * bins // max(1, len(said))
    return places


def _error(was: Array, documents: NDArray[np.int64]) -> float:
    """Standard error of the mean of a bin, whose pairs of one document go together; NaN of one."""
    _, place = np.unique(documents, return_inverse=True)
    each = np.bincount(place, was - was.mean())
    if len(each) < 2:
        return math.nan  # the same object every time, so that equal curves are equal
    return float(np.sqrt(np.square(each).sum() * len(each) / (len(each) - 1))) / len(was)
