"""Mistakes about names, labels and edits of factors."""

from __future__ import annotations

from tests.mistakes.happening import Mistake
from tests.mistakes.places import without, write

SECTION = "Editing and labels"
LOCAL = "--endpoint http://localhost/v1"


def _edit(title: str, options: str, said: str, status: int = 2, file: str = "") -> Mistake:
    prepare = write(file, '["steam"]') if file else None
    return Mistake(SECTION, title, f"topicfactors edit run {options}", said, status, prepare)


def _label(title: str, options: str, said: str) -> Mistake:
    return Mistake(SECTION, title, f"topicfactors label run {options}", said)


def _python(title: str, code: str, said: str) -> Mistake:
    return Mistake("In Python", title, code, said)


EDITING = [
    _edit("No folder for the new run", "--drop 0", "with -o"),
    _edit("Nothing to do", "-o new", "nothing to do"),
    _edit("A factor that is not there", "-o new --drop 9", "no factor 9"),
    _edit("A name that is not there", "-o new --merge 0,steam", "no factor 'steam'"),
    _edit("One factor alone", "-o new --merge 1", "two or more"),
    _edit("A factor in two groups", "-o new --merge 0,1 --merge 1,2", "mentioned twice"),
    _edit("All factors", "-o new --drop 0,1,2", "keep one at least"),
    _edit("A name without a factor", "-o new --name steam", "3=steam"),
    _edit("A name that tables use", "-o new --name 0=id", "which tables use"),
    _edit("Two of one name", "-o new --name 0=a --name 1=a", "two factors would be called"),
    _edit("A dropped factor that is named", "-o new --drop 0 --name 0=a", "cannot be named"),
    _edit("A list of names", "-o new --names a.json", "got a list", file="a.json"),
    _edit("The run itself", "-o run --drop 0 --force", "would replace"),
    _edit("A run that exists", "-o counted --drop 0", "exists and is kept", 1),
    Mistake(
        SECTION,
        "A corpus that is gone",
        "topicfactors edit counted -o new --drop 0",
        "name the documents behind the run",
        prepare=without("counts.mtx"),
    ),
    _label("A model without an endpoint", "--model small", "is of --endpoint"),
    _label("An endpoint without a model", LOCAL, "with --model"),
    _label(
        "An endpoint that is not encrypted",
        "--endpoint http://example.org/v1 --model small",
        "must be https",
    ),
    _label("A key that is not set", f"{LOCAL} --model small --api-key-env NO_KEY", "no variable"),
    _label("Prompts that are kept", f"{LOCAL} --model small -o new", "add --send"),
]
EDITING_IN_PYTHON = [
    _python("A name of two lines", 'pipeline[-1].set_names({0: "a\\nb"})', "text on one line"),
    _python("Too few names", 'pipeline[-1].set_names(["steam"])', "one for each of the 3"),
    _python("Merging a number", "pipeline[-1].merge(3, counts)", "list of groups"),
    _python("Dropping all", "pipeline[-1].drop([0, 1, 2], pipeline[:-1].transform(['a']))", "keep"),
]
