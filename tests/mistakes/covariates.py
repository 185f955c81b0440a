"""Mistakes with covariates."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.cli.conftest import make_texts
from tests.mistakes.happening import Mistake
from tests.mistakes.places import FIT

QUICK = f"-o new -q {FIT}"


def years(*cells: object, documents: int = 12) -> Callable[[Path], None]:
    """A preparation: a table whose column ``year`` begins with these cells."""

    def prepare(place: Path) -> None:
        column = [*cells, *range(1800 + len(cells), 1800 + documents)]
        rows = zip(column, make_texts(documents), strict=True)
        lines = "".join(f"{year},{text}\n" for year, text in rows)
        (place / "years.csv").write_text(f"year,text\n{lines}")

    return prepare


def python(title: str, code: str, said: str) -> Mistake:
    """A mistake in Python."""
    return Mistake("In Python", title, code, said)


def fit(title: str, options: str, said: str, *cells: object) -> Mistake:
    """A mistake at the fit of a table with years."""
    command = f"topicfactors fit years.csv {options} {QUICK}"
    return Mistake("Covariates", title, command, said, prepare=years(*cells))


COVARIATES = [
    fit("A column with a slip", "--covariate yeer", "did you mean 'year'?"),
    fit("A year that is missing", "--covariate year", "row 1: 'year' is empty", 1800, ""),
    fit("A year that is no number", "--covariate year", "'year' is 'c. 1800'", "c. 1800"),
    fit("A spline through one point", "--covariate year:spline=1", "2 or more knots"),
    fit("A column asked for twice", "--covariate year --covariate year:content", "'year:both'"),
    Mistake(
        "Covariates",
        "A folder of texts, which has no columns",
        f"topicfactors fit notes --covariate year {QUICK}",
        "no column 'year' (they have none)",
    ),
    Mistake(
        "Covariates",
        "Covariates of counts",
        "topicfactors fit counts.mtx --covariate year -o new -k 2",
        "leave out --covariate",
    ),
    fit("A shrinkage of nothing", "--covariate-shrinkage 2", "name one with --covariate"),
    Mistake(
        "Covariates",
        "A value for a run without covariates",
        'topicfactors explain run "steam engine" --at year=1850',
        "no covariate of this run; it has none",
    ),
]
IN_PYTHON = [
    python(
        "A table of other documents",
        "BinaryFactorModel(2).fit(counts, covariates={'year': [1850]})",
        "1 row, and X has",
    ),
    python(
        "A column without a table",
        "BinaryFactorModel(2, covariates=['year']).fit(counts)",
        "names columns, but none were given",
    ),
    python(
        "A value that is the same everywhere",
        "BinaryFactorModel(2).fit(counts, covariates={'year': [1850] * len(counts)})",
        "in every document",
    ),
    python(
        "New documents without their covariates",
        "BinaryFactorModel(2, max_iter=1).fit(counts, covariates={'year': range(len(counts))})"
        ".transform(counts)",
        "needs those of these documents",
    ),
    python(
        "A category that fit has not seen",
        "BinaryFactorModel(2, max_iter=1).fit(counts, covariates={'place': ['mill', 'hall'] * "
        "(len(counts) // 2)}).prevalence({'place': 'mil'})",
        "did you mean 'mill'?",
    ),
    python(
        "Covariates for a model without",
        "pipeline[-1].transform(pipeline[:-1].transform(['steam']), covariates={'year': [1850]})",
        "fitted without",
    ),
]
