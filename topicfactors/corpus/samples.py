"""Sample corpora by name, made on the spot from what is installed.

Their pages (source, licence, how they are made) are in the project's ``corpora/`` folder, which
is inside the wheel too.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
import sysconfig
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from topicfactors.corpus.documents import Document
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


SAMPLES: dict[str, Callable[[], Iterator[Document]]] = {"lee": lee, "pydocs": pydocs}


def read_sample(name: str) -> Iterator[Document]:
    """Documents of a sample corpus.

    Raises
    ------
    InputError
        When what it is made from is not installed.
    """
    return SAMPLES[name]()
