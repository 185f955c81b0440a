"""Factors as points of a plane, those that say the same near each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.special import xlogy

Array = NDArray[np.float64]
ROUNDS, SETTLED = 300, 1e-6  # of majorisation, and the relative progress of its last
GAP = 4.0  # pixels between a point and its label
SIDES = ("middle right", "middle left", "top center", "bottom center")
"""Where a label can stand, as plotly calls it; tried in this order."""


def jensen_shannon(words: NDArray[np.floating]) -> Array:
    """Jensen–Shannon distances ``(D, D)`` between distributions ``words (D, V)``, in √nats.

    The root of the mean divergence from the mean of the two (Endres and Schindelin, 2003): a
    metric, 0 where they are the same and √log 2 = 0.83 where they share no word. Rows need not sum
    to one.
    """
    shares = np.asarray(words, np.float64)
    shares = shares / np.maximum(shares.sum(1, keepdims=True), np.finfo(float).tiny)
    negative = xlogy(shares, shares).sum(1)
    found = np.zeros((len(shares), len(shares)))
    for row in range(len(shares) - 1):
        middle = (shares[row] + shares[row + 1 :]) / 2
        nats = (negative[row] + negative[row + 1 :]) / 2 - xlogy(middle, middle).sum(1)
        found[row, row + 1 :] = np.sqrt(np.maximum(nats, 0))
    return found + found.T


def plane(distances: Array) -> Array:
    """Points ``(D, 2)`` whose distances are as near to those given ``(D, D)`` as a plane has them.

    Metric multidimensional scaling: from the classical solution (Torgerson, 1952), least squares by
    majorisation (de Leeuw, 1977). Nothing is random; the first direction is that of the widest
    spread, and the signs are such that the farthest point of each is on the positive side.
    """
    points = _torgerson(distances)
    before = _stress(distances, points)
    for _ in range(ROUNDS):
        points = _majorised(distances, points)
        now = _stress(distances, points)
        if before - now <= SETTLED * before:
            break
        before = now
    return _turned(points)


def misfit(distances: Array, points: Array) -> float:
    """Kruskal's (1964) stress-1 of points ``(D, 2)``: 0 where the plane has the distances exactly.

    The root of the squared errors as a share of the squared distances.
    """
    total = float(np.square(distances).sum()) / 2
    return float(np.sqrt(_stress(distances, points) / total)) if total > 0 else 0.0


def _stress(distances: Array, points: Array) -> float:
    return float(np.square(distances - cdist(points, points)).sum()) / 2


def _torgerson(distances: Array) -> Array:
    size = len(distances)
    centring = np.eye(size) - 1 / size
    values, axes = np.linalg.eigh(-0.5 * centring @ np.square(distances) @ centring)
    best = np.argsort(-values, kind="stable")[:2]
    points = np.zeros((size, 2))
    points[:, : len(best)] = axes[:, best] * np.sqrt(np.maximum(values[best], 0))
    return points


def _majorised(distances: Array, points: Array) -> Array:
    """One Guttman transform."""
    now = cdist(points, points)
    ratio = np.divide(distances, now, out=np.zeros_like(now), where=now > 0)
    return np.asarray((ratio.sum(1)[:, None] * points - ratio @ points) / len(points))


def _turned(points: Array) -> Array:
    points = points - points.mean(0)
    _, axes = np.linalg.eigh(points.T @ points)
    points = points @ axes[:, ::-1]
    farthest = points[np.abs(points).argmax(0), [0, 1]]
    return np.asarray(points * np.where(farthest < 0, -1.0, 1.0))


def label_sides(points: Array, radii: Array, sizes: Array, frame: Array) -> list[str | None]:
    """Where each point's label can stand without covering a point or an earlier label.

    Parameters
    ----------
    points
        Centres ``(D, 2)`` in pixels, those whose labels matter most first.
    radii
        Of the points ``(D,)``, pixels.
    sizes
        Widths and heights of the labels ``(D, 2)``, pixels.
    frame
        Lower and upper corner ``(2, 2)`` of where labels may be.

    Returns
    -------
    list
        One of SIDES for each, or None where there is no room.
    """
    taken = [(*(p - r), *(p + r)) for p, r in zip(points, radii, strict=True)]
    found: list[str | None] = []
    for own in range(len(points)):
        others = [box for place, box in enumerate(taken) if place != own]
        room = (
            (side, box)
            for side, box in zip(SIDES, _boxes(points[own], radii[own], sizes[own]), strict=True)
            if _inside(box, frame) and not any(_overlap(box, other) for other in others)
        )
        side, box = next(room, (None, None))
        found.append(side)
        if box is not None:
            taken.append(box)
    return found


def _boxes(point: Array, radius: float, size: Array) -> Iterator[tuple[float, ...]]:
    (x, y), (width, height), away = point, size, radius + GAP
    yield x + away, y - height / 2, x + away + width, y + height / 2
    yield x - away - width, y - height / 2, x - away, y + height / 2
    yield x - width / 2, y + away, x + width / 2, y + away + height
    yield x - width / 2, y - away - height, x + width / 2, y - away


def _inside(box: Sequence[float], frame: Array) -> bool:
    low, high = frame
    return bool(low[0] <= box[0] and low[1] <= box[1] and box[2] <= high[0] and box[3] <= high[1])


def _overlap(one: Sequence[float], two: Sequence[float]) -> bool:
    across = one[0] < two[2] and two[0] < one[2]
    return across and one[1] < two[3] and two[1] < one[3]
