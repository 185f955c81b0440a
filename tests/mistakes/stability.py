"""Mistakes about several fits: runs, stability and sweeps."""

from __future__ import annotations

from tests.mistakes.happening import Mistake
from tests.mistakes.places import write

SECTION = "Several fits"


def _sweep(title: str, options: str, said: str, status: int = 2, file: str = "") -> Mistake:
    prepare = write(file, "years") if file else None
    return Mistake(SECTION, title, f"topicfactors sweep {options}", said, status, prepare)


STABILITY = [
    _sweep("No number to try", "notes", "Missing option"),
    _sweep("A number that is none", "notes -k ten", "must be numbers of 1 or more"),
    _sweep("A sweep of classes", "notes -k 2 --model semisupervised", "use factor or mixture"),
    _sweep("More factors than documents", "notes -q -k 2 900", "900 factors are more than"),
    _sweep(
        "Nearly nothing held out", "notes -q -k 2 --min-df 1 --held-out 0.01", "would be held out"
    ),
    _sweep("A sweep over a run", "notes -k 2 -o run", "holds something else", 1),
    _sweep("A sweep over other things", "notes -k 2 -o a --force", "no sweep.json", 1, "a/b.tex"),
    Mistake(
        SECTION,
        "Runs of a mixture",
        "topicfactors fit notes --model mixture --runs 3",
        "--runs is of --model factor",
    ),
]
STABILITY_IN_PYTHON = [
    Mistake(
        "In Python",
        "Part of the documents for several runs",
        "BinaryFactorModel(2, n_runs=3).partial_fit(counts)",
        "makes one run, got n_runs=3",
    ),
    Mistake(
        "In Python",
        "One run to compare",
        "from topicfactors import studies; "
        "studies.stability(BinaryFactorModel(2), counts, n_runs=1)",
        "n_runs must be a whole number of 2 or more",
    ),
    Mistake(
        "In Python",
        "A sweep over too few documents",
        "from topicfactors import studies; studies.sweep(BinaryFactorModel(), counts, [2, 5])",
        "documents are too few",
    ),
]
