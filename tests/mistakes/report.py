"""Mistakes about the report."""

from __future__ import annotations

from tests.mistakes.happening import Mistake
from tests.mistakes.places import without, write

SECTION = "Reports"


def _report(title: str, options: str, said: str, status: int = 2, **prepared: object) -> Mistake:
    return Mistake(SECTION, title, f"topicfactors report {options}", said, status, **prepared)  # type: ignore[arg-type]


REPORTS = [
    _report("A page that exists", "run -o page.html", "is kept", 1, prepare=write("page.html", "")),
    _report("A column that is not there", "run table.csv --over yaer", "no column 'yaer'"),
    _report("Columns of counts", "counted counts.mtx --over year", "leave out --over"),
    _report(
        "A run that does not say what it was fitted to",
        "run",
        "name the documents",
        prepare=without("run/run.toml"),
    ),
    _report("A page where no file can be", "run -o notes", "is kept", 1),
]
REPORTS_IN_PYTHON = [
    Mistake(
        "In Python",
        "A report of other labels",
        "from topicfactors import write_report; "
        "write_report(pipeline, ['steam', 'engine'], 'a.html', labels=['x'])",
        "labels: must be one for each of 2 documents, got 1",
    ),
]
