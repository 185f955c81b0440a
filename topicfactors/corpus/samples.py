"""Sample corpora by name: written for this project, or made on the spot from what is installed.

Their pages (source, licence, size, how they are made) are in the project's ``corpora/`` folder,
which is inside the wheel too.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import sys
import sysconfig
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from topicfactors.corpus.documents import Document, clean_text
from topicfactors.errors import InputError

SHORTEST = 25  # words of a docstring worth calling a document
SKIPPED = {"test", "tests", "testing", "_vendor", "externals", "site-packages", "idlelib"}
Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
Documented = ast.Module | Definition


def corpora_folder() -> Path:
    """Where the pages and settings of the sample corpora lie, in a checkout or a wheel."""
    inside = Path(str(files("topicfactors"))) / "corpora"
    return inside if inside.is_dir() else Path(__file__).resolve().parents[2] / "corpora"


def _package_folder(name: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None or not spec.origin.endswith("__init__.py"):
        return None
    return Path(spec.origin).parent


def _sources(root: Path) -> Iterator[Path]:
    for path in sorted(root.rglob("*.py")):
        folders = path.relative_to(root).parts[:-1]
        private = any(name.startswith("_") and name != "_core" for name in folders)
        if not private and not SKIPPED & set(folders):
            yield path


def _prose(docstring: str) -> str:
    """A docstring without its examples in code."""
    lines = docstring.splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith((">>>", "...")))


def _docstrings(path: Path) -> Iterator[tuple[str, str]]:
    """Qualified names and docstrings of a module and all that is public in it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of other people's escape sequences
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError, OSError):
            return
    waiting: list[tuple[str, Any]] = [("", tree)]
    while waiting:
        name, node = waiting.pop()
        if isinstance(node, Documented):
            text = ast.get_docstring(node)
            if text:
                yield name, _prose(text)
        for child in reversed(getattr(node, "body", [])):
            if isinstance(child, Definition) and not child.name.startswith("_"):
                waiting.append((f"{name}.{child.name}", child))


def pydocs() -> Iterator[Document]:
    """The docstrings of the Python packages listed in corpora/pydocs/packages.txt."""
    listing = (corpora_folder() / "pydocs" / "packages.txt").read_text(encoding="utf-8")
    names = [line for line in listing.splitlines() if line and not line.startswith("#")]
    seen: set[str] = set()
    named: Counter[str] = Counter()  # a property and its setter have one name
    for package in names:
        root = (
            Path(sysconfig.get_paths()["stdlib"])
            if package == "stdlib"
            else _package_folder(package)
        )
        if root is None:
            continue
        for path in _sources(root):
            inside = path.relative_to(root).with_suffix("")
            module = ".".join(part for part in inside.parts if part != "__init__")
            top = inside.parts[0] if package == "stdlib" else package
            for name, text in _docstrings(path):
                if len(text.split()) >= SHORTEST and text not in seen:
                    seen.add(text)
                    prefix = module if package == "stdlib" else f"{package}.{module}".rstrip(".")
                    full = prefix + name
                    named[full] += 1
                    again = f"#{named[full]}" if named[full] > 1 else ""
                    yield Document(text, full + again, top)


def lee() -> Iterator[Document]:
    """The Lee news corpus that gensim ships for its tests, one article a line."""
    root = _package_folder("gensim")
    path = root / "test" / "test_data" / "lee_background.cor" if root else None
    if path is None or not path.is_file():
        raise InputError(
            f"lee: gensim is not installed in {sys.prefix}, or without its test data; "
            "pip install gensim"
        )
    for row, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        yield Document(line, f"lee-{row}")


def revolution() -> Iterator[Document]:
    """Notes on the scientific revolution and the steam age, written for this project."""
    path = corpora_folder() / "revolution" / "notes.jsonl"
    for line in path.read_text(encoding="utf-8").splitlines():
        note = json.loads(line)
        told = {"decade": note["decade"], "field": note["field"]}
        yield Document(note["text"], note["id"], note["field"], told)


def twenty_newsgroups() -> Iterator[Document]:
    """The 20 Newsgroups by date, through scikit-learn's loader, which keeps a copy on disk."""
    from sklearn.datasets import fetch_20newsgroups

    try:
        found = fetch_20newsgroups(subset="all", shuffle=False)
    except OSError as error:  # there is no network, or no room
        reason = " ".join(str(error).split())
        raise InputError(
            f"20newsgroups: scikit-learn could not fetch it ({reason}); name a folder or archive "
            "of it that you have: topicfactors corpora 20newsgroups posts.jsonl --source PATH"
        ) from error
    for path, text in zip(found.filenames, found.data, strict=True):
        part, group, number = Path(path).parts[-3:]
        yield newsgroup_post(Document(text, f"{part}/{group}/{number}"))


def newsgroup_post(document: Document) -> Document:
    """A post whose id is its path: the newsgroup is its label, the part of the split is noted."""
    folder, _, group = document.id.rpartition("/")[0].rpartition("/")
    part = {"part": "train" if "train" in folder else "test" if "test" in folder else None}
    text, problem = clean_text(document.text)
    problem = document.problem or problem
    return document._replace(text=text, label=group or None, covariates=part, problem=problem)


class Sample(NamedTuple):
    """A corpus that can be named instead of a path."""

    read: Callable[[], Iterator[Document]]
    about: str


SAMPLES: dict[str, Sample] = {
    "20newsgroups": Sample(
        twenty_newsgroups, "18,846 posts of 20 newsgroups; scikit-learn downloads them once"
    ),
    "lee": Sample(lee, "300 news articles; gensim's test data"),
    "pydocs": Sample(pydocs, "about 10,000 docstrings of installed packages; labels: package"),
    "revolution": Sample(
        revolution,
        "180 notes on the scientific revolution and the steam age; labels: field; decade",
    ),
}


def read_sample(name: str) -> Iterator[Document]:
    """Documents of a sample corpus.

    Raises
    ------
    InputError
        When what it is made from is not installed, or cannot be fetched.
    """
    return SAMPLES[name].read()
