"""Mistakes about scores, and about posteriors by enumeration."""

from __future__ import annotations

from typing import Any

from tests.mistakes.happening import Mistake
from tests.mistakes.places import write


def _evaluate(title: str, options: str, said: str, prepare: Any = None) -> Mistake:
    documents = "halves.mtx" if prepare else "notes"
    run = "counted" if prepare else "run"
    shown = f"topicfactors evaluate {run} {documents} {options}"
    return Mistake("Options", title, shown, said, prepare=prepare)


HALVES = "%%MatrixMarket matrix coordinate real general\n2 8 2\n1 1 1.5\n2 3 4\n"
SINGLE = "%%MatrixMarket matrix coordinate real general\n2 8 2\n1 1 1\n2 3 1\n"
OPTIONS_OF_SCORES = [
    _evaluate("Temperatures of another bound", "--temperatures 50", "are of --bound ais"),
    _evaluate(
        "Half of a token that is half", "--bound completion", "row 0", write("halves.mtx", HALVES)
    ),
    _evaluate(
        "Half of a single token", "--bound completion", "has two", write("halves.mtx", SINGLE)
    ),
]
SCORES_IN_PYTHON = [
    (
        "Draws of no number",
        "BinaryFactorModel(2).fit(counts).posterior_samples(counts, 0)",
        "n must be",
    ),
    ("A curve without points", "BinaryFactorModel(2).fit(counts).iwae_curve(counts, ())", "some"),
    (
        "Too many states to sum over",
        "many = np.eye(12, 5); BinaryFactorModel(11).fit(many).transform(many, refine='exact')",
        "at most 10 factors",
    ),
    (
        "Half of a document to be bracketed",
        "BinaryFactorModel(2).fit(counts).bracket(0.5)",
        "n_documents must be",
    ),
]
