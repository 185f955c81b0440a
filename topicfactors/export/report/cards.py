"""A card for each factor: its words, how probable they are when it is on and off, its documents."""

from __future__ import annotations

from typing import Any

import numpy as np

from topicfactors.export.report.material import Material
from topicfactors.export.report.packing import rounded
from topicfactors.insight.topics import evidence

SHOWN = 3  # words in the short name of a factor that nobody has named


def cards(material: Material) -> list[dict[str, Any]]:
    """One card a factor, in the order of the model."""
    places = {word: column for column, word in enumerate(material.words)}
    told = evidence(material.factors)
    return [_card(material, number, places, told) for number in range(len(material.rows))]


def _card(material: Material, number: int, places: dict[str, int], told: Any) -> dict[str, Any]:
    row, factors = material.rows[number], material.factors

    def spoken(word: str) -> list[Any]:
        column = places[word]
        numbers = (
            told[number, column],
            factors.on[number, column],
            material.off[number, column],
        )
        return [word, *(rounded(float(value), 3) for value in numbers)]

    return {
        "name": str(row.factor),
        "short": " · ".join(row.words[:SHOWN]),
        "named": isinstance(row.factor, str),
        "prevalence": rounded(row.prevalence),
        "prior": rounded(row.prior),
        "status": row.status,
        "coherence": None if row.coherence is None else rounded(row.coherence, 3),
        "response": None if row.response is None else rounded(row.response, 3),
        "came_back": None if row.came_back is None else rounded(row.came_back, 3),
        "on": int(np.count_nonzero(material.found[:, number] > 0.5)),
        "words": [spoken(word) for word in row.words],
        "against": [spoken(word) for word in row.suppressed],
    }
