"""The tables of what covariates do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from topicfactors.export.tables import Table

EFFECTS = ("factor", "column", "level", "log_odds", "standard_error", "low", "high")


def effects_table(effects: Sequence[tuple[Any, ...]]) -> Table:
    """One row a factor, column and level: its effect in log-odds, with its interval."""
    return Table(EFFECTS, [[tuple(effect) for effect in effects]])


def covariate_words_table(moved: Iterable[tuple[Any, ...]]) -> Table:
    """One row a column, level and word, with the change of its log-weight in nats."""
    rows = [
        (column, level, word, nats)
        for column, level, words, suppressed in moved
        for word, nats in (*words, *suppressed[::-1])
    ]
    return Table(("column", "level", "word", "log_weight"), [rows])
