"""Mistakes about the figures of a model."""

from __future__ import annotations


def _drawn(name: str, call: str) -> str:
    return f"from topicfactors import MixtureModel, {name}; {name}({call})"


FITTED = "BinaryFactorModel(2).fit(counts)"
PICTURES_IN_PYTHON = [
    ("A picture of a path", _drawn("plot_map", '"run/model"'), "load it first"),
    (
        "A picture of a factor that is not there",
        _drawn("plot_factors", f"{FITTED}, factors=[9]"),
        "numbers from 0 to 1",
    ),
    (
        "Which components come together",
        _drawn("plot_coactivation", "MixtureModel(2).fit(counts), counts"),
        "exclude each other",
    ),
    (
        "A picture over a column without its table",
        _drawn("plot_over", f"{FITTED}, counts, 'year'"),
        "pass the table too",
    ),
    (
        "A picture of a bound with a slip",
        _drawn("plot_bound", f"{FITTED}, counts, bounds=['exakt']"),
        "did you mean 'exact'?",
    ),
]
