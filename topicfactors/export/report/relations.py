"""Which factors come together, and where they stand on a map."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from topicfactors.export.report.material import Material
from topicfactors.export.report.packing import rounded

Array = NDArray[np.float64]
LISTED = 300  # pairs in the list, half of them the strongest together and half the strongest apart


def relations(material: Material) -> dict[str, Any]:
    """Map, co-activation and couplings; without the last two where only one can be on."""
    told: dict[str, Any] = {"places": positions(np.asarray(material.factors.on, np.float64))}
    if material.noun != "factor" or len(material.rows) < 2:
        return told
    together, expected = coactivation(np.asarray(material.found, np.float64))
    surprise = (together - expected) / np.sqrt(expected + 1)
    told["pairs"] = [
        [i, j, rounded(surprise[i, j], 3), rounded(together[i, j]), rounded(expected[i, j])]
        for i, j in strongest(surprise)
    ]
    if material.couplings is not None:
        nats = np.asarray(material.couplings, np.float64)
        told["couplings"] = [
            [i, j, rounded(nats[i, j], 3)] for i, j in strongest(nats) if nats[i, j]
        ]
    return told


def coactivation(found: Array) -> tuple[Array, Array]:
    """In how many documents two factors are on together, and in how many by chance.

    Parameters
    ----------
    found
        P(on | document), ``(N, D)``; taken as independent within a document.

    Returns
    -------
    tuple
        The expected number of documents that have both, and what it would be if they came
        independently; ``(D, D)`` each.
    """
    each = found.sum(0)
    return found.T @ found, np.outer(each, each) / max(1, len(found))


def strongest(table: Array, most: int = LISTED) -> list[tuple[int, int]]:
    """Pairs with the largest and the smallest numbers of a symmetric table, the largest first."""
    first, second = np.triu_indices(len(table), 1)
    order = np.argsort(-table[first, second], kind="stable")
    if len(order) > most:
        order = np.concatenate([order[: most // 2], order[-(most - most // 2) :]])
    return list(zip(first[order].tolist(), second[order].tolist(), strict=True))


def positions(words: Array) -> list[list[float]]:
    """Places of factors in a plane, from −1 to 1: near where their words are alike.

    Classical scaling (Torgerson, 1952) of the Hellinger distances between the rows of
    ``words (D, V)``, spread out by ranks so that no corner is crowded.
    """
    factors = len(words)
    if factors < 3:
        return [[(2 * place - factors + 1) / 2, 0.0] for place in range(factors)]
    roots = np.sqrt(words / words.sum(1, keepdims=True))
    distances = np.maximum(2 - 2 * roots @ roots.T, 0)
    centre = np.eye(factors) - 1 / factors
    values, vectors = np.linalg.eigh(-0.5 * centre @ distances @ centre)
    plane = vectors[:, -2:][:, ::-1] * np.sqrt(np.maximum(values[-2:][::-1], 0))
    plane = plane * np.where(plane[np.abs(plane).argmax(0), [0, 1]] < 0, -1, 1)
    ranks = plane.argsort(0, kind="stable").argsort(0, kind="stable") / (factors - 1) * 2 - 1
    scale = np.abs(plane).max(0)
    mixed = 0.4 * plane / np.where(scale > 0, scale, 1) + 0.6 * ranks
    return [[round(float(x), 3), round(float(y), 3)] for x, y in mixed]
