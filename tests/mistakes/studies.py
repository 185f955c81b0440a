"""Mistakes about studies of gradients."""

from __future__ import annotations

from tests.mistakes.happening import Mistake
from tests.mistakes.places import write

STUDY = "topicfactors gradients notes"
SECTION = "Studies"


def _study(title: str, options: str, said: str, status: int = 2, file: str = "") -> Mistake:
    prepare = write(file, "years") if file else None
    return Mistake(SECTION, title, f"{STUDY} {options}", said, status, prepare)


STUDIES = [
    _study("An estimator with a slip", "--estimators nvil,dvea", "did you mean 'dvae'?"),
    _study("An option that an estimator has not", "--estimators nvil:sample=2", "its options are"),
    _study("No estimator", "--estimators ,", "at least one name"),
    _study("None that can serve", "-k 30 --estimators exact", "serves at most 10 factors"),
    _study("A model without logits", "--inference truncated", "leave inference='auto'"),
    _study("One draw", "--draws 1", "--draws"),
    _study("A study that exists", "-o run", "run exists and is kept", 1),
    _study("A folder of other things", "-o a --force", "no gradients.json", 1, "a/thesis.tex"),
    Mistake(
        SECTION,
        "Words of texts for counts",
        "topicfactors gradients counts.mtx --min-df 3",
        "leave out --min-df",
    ),
]
STUDIES_IN_PYTHON = [
    Mistake(
        "In Python",
        "Gradients at a model without logits",
        "from topicfactors import studies; studies.gradients(pipeline[-1], counts)",
        "no logits",
    ),
]
