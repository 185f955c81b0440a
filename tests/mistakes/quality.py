"""Mistakes about comparisons of models."""

from __future__ import annotations

from tests.mistakes.happening import Mistake
from tests.mistakes.places import write

COMPARE = "topicfactors compare notes"
SECTION = "Comparisons"


def _compare(title: str, options: str, said: str, status: int = 2, file: str = "") -> Mistake:
    prepare = write(file, "years") if file else None
    return Mistake(SECTION, title, f"{COMPARE} {options}", said, status, prepare)


COMPARISONS = [
    _compare("A model with a slip", "--models factors,gensim-ldaa", "did you mean 'gensim-lda'?"),
    _compare("No model", "--models ,", "at least one name"),
    _compare("A model twice", "--models factors,factors", "is there twice"),
    _compare("A seed that is none", "--seeds 0,one", "--seeds"),
    _compare("A seed twice", "--seeds 0,0", "different whole numbers"),
    _compare("Everything held out", "--held-out 1", "above 0 to below 1"),
    _compare("More topics than documents", "-k 44 -q", "more than the 41 documents"),
    _compare("A table of no known kind", "-o a.xls", "must end in one of"),
    _compare("A table that exists", "-o a.csv", "a.csv exists and is kept", 1, "a.csv"),
    Mistake(
        SECTION,
        "Words of texts for counts",
        "topicfactors compare counts.mtx --phrases",
        "leave out --phrases",
    ),
]
COMPARISONS_IN_PYTHON = [
    Mistake(
        "In Python",
        "A model of another package",
        "from topicfactors import studies; studies.compare(counts, 2, [pipeline[0]])",
        "or one of the names of peers",
    ),
    Mistake(
        "In Python",
        "Parts of one's own in a comparison",
        "from topicfactors import studies; "
        "studies.compare(counts, 2, [BinaryFactorModel(2, callbacks=[print])])",
        "its callbacks cannot be told to that",
    ),
    Mistake(
        "In Python",
        "Tf-idf in a comparison",
        "from topicfactors import studies; studies.compare(counts / 2, 2)",
        "give counts rather than tf-idf",
    ),
    Mistake(
        "In Python",
        "Tokens of other documents",
        "from topicfactors import studies; studies.compare(counts, 2, tokens=[['steam']] * 8)",
        "row 0 has others",
    ),
]
