"""Public docstrings are complete: parameters, shapes, errors and sources are in them."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

import topicfactors
from topicfactors.corpus.count_readers import COUNT_READERS, read_counts
from topicfactors.corpus.readers import READERS
from topicfactors.corpus.samples import SAMPLES
from topicfactors.errors import ConfigurationError, unknown_name
from topicfactors.export.tables import EXPORTERS
from topicfactors.gradients import GRADIENTS
from topicfactors.gradients.smoothings import SMOOTHINGS
from topicfactors.inference.encoders import ENCODERS
from topicfactors.inference.families import POSTERIORS
from topicfactors.insight.topics import RANKINGS
from topicfactors.model.decoders import DECODERS
from topicfactors.model.initial import INITIALS
from topicfactors.model.likelihoods import LIKELIHOODS
from topicfactors.model.priors import PRIORS
from topicfactors.model.responses import RESPONSES

REGISTRIES: dict[str, dict[str, Any]] = {
    "RANKINGS": RANKINGS,
    "LIKELIHOODS": LIKELIHOODS,
    "GRADIENTS": GRADIENTS,
    "SMOOTHINGS": SMOOTHINGS,
    "READERS": READERS,
    "COUNT_READERS": COUNT_READERS,
    "EXPORTERS": EXPORTERS,
    "DECODERS": DECODERS,
    "PRIORS": PRIORS,
    "ENCODERS": ENCODERS,
    "POSTERIORS": POSTERIORS,
    "INITIALS": INITIALS,
    "RESPONSES": RESPONSES,
    "SAMPLES": {name: sample.read for name, sample in SAMPLES.items()},
}
FROM_LITERATURE = ("RANKINGS", "LIKELIHOODS", "GRADIENTS", "SMOOTHINGS")
OF_NOBODY = {"RANKINGS['exclusive']", "RANKINGS['probability']", "RANKINGS['weight']"}

AXIS = r"(?:[A-Z]|2\^D|nnz|n|width|\d)(?: or (?:[A-Z]|\d))?"
SHAPE = rf"\((?:…|{AXIS})(?:(?:, {AXIS})+|,)\)"
SOURCE = re.compile(r"[A-Z]\w+[^.]{0,60}?(?:19|20)\d\d|docs/mathematics\.md")
HEADING = re.compile(r"^(\w+)\n-{3,}\n", re.M)
ARRAY = re.compile(r"\b(?:ArrayLike|NDArray|Array|Tensor|CountsMatrix)\b")
ARRAYS = {"X", "Z", "X_seen", "X_unseen"}  # arguments that are annotated Any
RETURN_ARRAYS = {"transform", "score_samples"}  # likewise
RAISED = {
    "ConfigurationError": "ConfigurationError",
    "InputError": "InputError",
    "StorageError": "StorageError",
    "unknown_name": "ConfigurationError",
}
STARS = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class Subject(NamedTuple):
    """Something public, and what its docstring has to say."""

    name: str
    value: Any
    door: bool = False  # what users call: parameters, shapes of arguments and errors are told
    fewest: int = 2  # own parameters from which on each is named
    cited: bool = False  # from the literature


def sections(doc: str) -> dict[str, str]:
    """The parts of a numpydoc docstring; the prose before the first heading is ``""``."""
    found = HEADING.split(doc)
    return {"": found[0], **dict(zip(found[1::2], found[2::2], strict=True))}


def entries(section: str) -> dict[str, str]:
    """What a Parameters or Raises section says of each name."""
    said: dict[str, str] = {}
    for block in re.split(r"^(?=\S)", section, flags=re.M):
        head, _, text = block.partition("\n")
        said |= dict.fromkeys(re.split(r",\s*", head.split(" : ")[0].strip()), text)
    return said


def own_parameters(value: Any) -> list[inspect.Parameter]:
    found = inspect.signature(value).parameters.values()
    return [p for p in found if p.name != "self" and p.kind not in STARS]


def is_array(parameter: inspect.Parameter) -> bool:
    return parameter.name in ARRAYS or bool(ARRAY.search(str(parameter.annotation)))


def unnamed(subject: Subject, doc: str) -> Iterator[str]:
    """Parameters that are nowhere in the docstring."""
    own = [p.name for p in own_parameters(subject.value) if p.name not in ("X", "y")]
    if len(own) < subject.fewest:
        return
    named = entries(sections(doc).get("Parameters", ""))
    for name in own:
        if name not in named and not re.search(rf"`{name}\b[^`]*`", doc):
            yield f"parameter {name} is not described"


def shapeless(subject: Subject, doc: str) -> Iterator[str]:
    """Arrays that come or go without a shape."""
    parts = sections(doc)
    named = entries(parts.pop("Parameters", ""))
    parts.pop("Examples", None)
    rest = "\n".join(parts.values())
    for parameter in filter(is_array, own_parameters(subject.value)) if subject.door else ():
        in_prose = re.compile(rf"\b{parameter.name}\b[^.]*?{SHAPE}")
        if not re.search(SHAPE, named.get(parameter.name, "")) and not in_prose.search(rest):
            yield f"array {parameter.name} has no shape"
        rest = in_prose.sub("", rest, count=1)  # or it would stand for that of the result
    returned = str(inspect.signature(subject.value).return_annotation)
    gives = ARRAY.search(returned) or subject.value.__name__ in RETURN_ARRAYS
    if gives and not re.search(rf"{SHAPE}|\b[Ss]calar\b", rest):
        yield "the array that it gives has no shape"


def raised(function: Callable[..., Any]) -> set[str]:
    """Errors of ours that the body itself raises."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    calls = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise)]
    names = [call.func.id for call in calls if isinstance(call, ast.Call) and _named(call)]
    return {RAISED[name] for name in names if name in RAISED}


def _named(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name)


def silent(subject: Subject, doc: str) -> Iterator[str]:
    """Errors that the Raises section does not have."""
    told = entries(sections(doc).get("Raises", ""))
    for name in sorted(raised(subject.value) - set(told)):
        yield f"{name} is raised and not in Raises"


def sourceless(subject: Subject, doc: str) -> Iterator[str]:
    """What is from the literature without saying from where; an estimator's file may say it."""
    told = doc
    if isinstance(subject.value, type) and subject.value in GRADIENTS.values():
        told += sys.modules[subject.value.__module__].__doc__ or ""
    if not SOURCE.search(told):
        yield "no source: neither author and year nor docs/mathematics.md"


def complaints(subject: Subject) -> list[str]:
    """Everything that is missing, a line each."""
    doc = inspect.cleandoc(subject.value.__doc__ or "")
    if not doc:
        return ["no docstring"]
    found = list(sourceless(subject, doc)) if subject.cited else []
    if isinstance(subject.value, type):
        own = "__init__" in vars(subject.value)
        return found + (list(unnamed(subject, doc)) if own else [])
    found += shapeless(subject, doc)
    return found + ([*unnamed(subject, doc), *silent(subject, doc)] if subject.door else [])


def methods(kind: type, name: str, door: bool) -> Iterator[Subject]:
    """Public methods and properties, those of our mixins included, scikit-learn's not."""
    for key in dir(kind):
        member = inspect.getattr_static(kind, key)
        function = member.fget if isinstance(member, property) else member
        ours = str(getattr(function, "__module__", "")).startswith("topicfactors.")
        if not key.startswith("_") and inspect.isfunction(function) and ours:
            yield Subject(f"{name}.{key}", function, door)


def public() -> Iterator[Subject]:
    yield Subject("read_counts", read_counts, True, fewest=1)
    for name in topicfactors.__all__:
        value = getattr(topicfactors, name)
        if callable(value):
            yield Subject(name, value, True, fewest=1)
        if isinstance(value, type):
            yield from methods(value, name, True)
    for registry, parts in REGISTRIES.items():
        for key, value in parts.items():
            name = f"{registry}[{key!r}]"
            cited = registry in FROM_LITERATURE and name not in OF_NOBODY
            yield Subject(name, value, fewest=1, cited=cited)
            if isinstance(value, type):
                yield from methods(value, name, False)


PUBLIC = list(public())


@pytest.mark.parametrize("subject", PUBLIC, ids=lambda subject: subject.name)
def test_a_public_docstring_is_complete(subject):
    assert complaints(subject) == []


def test_every_public_thing_is_looked_at():
    names = {subject.name for subject in PUBLIC}
    assert {"read_corpus", "load", "Corpus", "DocumentVectorizer.fit_transform"} <= names
    assert {"BinaryFactorModel.explain", "BinaryFactorModel.factors"} <= names  # of mixins
    assert "BinaryFactorModel.get_params" not in names  # scikit-learn's
    for registry, parts in REGISTRIES.items():
        assert {f"{registry}[{key!r}]" for key in parts} <= names


def test_what_needs_no_source_has_none():
    assert {subject.name for subject in PUBLIC} >= OF_NOBODY
    for subject in PUBLIC:
        if subject.name in OF_NOBODY:
            assert list(sourceless(subject, subject.value.__doc__))


# ---- made-up functions, each with one thing missing ----


def bare(X):
    pass


def one_of_two(X, words: int, ranking: str) -> float:
    """Score of the ``words`` of counts ``X (N, V)``."""
    return 0.0


def argument(X, n: int) -> list[int]:
    """Count the documents of ``X``."""
    return []


def result(X, n: int) -> NDArray[np.floating]:
    """Shares of counts ``X (N, V)``."""
    return np.zeros(0)


def wrong_section(X, n: int) -> None:
    """Count.

    Parameters
    ----------
    X
        Counts ``(N, V)``.
    n
        How many.

    Raises
    ------
    InputError
        When there are none.
    """
    raise ConfigurationError("n must be 1 or more")


def no_section(X, name: str) -> None:
    """Look ``name`` up in counts ``X (N, V)``."""
    raise unknown_name("name", name, [])


class Constructed:
    """Says nothing of its option.

    Parameters
    ----------
    sizes
        Number of factors D.
    """

    def __init__(self, sizes, *, width=3):
        self.sizes, self.width = sizes, width


def popular(factors) -> NDArray[np.floating]:
    """Scores ``(D, V)`` that everybody knows."""
    return np.zeros((0, 0))


@pytest.mark.parametrize(
    ("subject", "missing"),
    [
        (Subject("", bare), "no docstring"),
        (Subject("", one_of_two, True), "parameter ranking is not described"),
        (Subject("", argument, True), "array X has no shape"),
        (Subject("", result, True), "the array that it gives has no shape"),
        (Subject("", wrong_section, True), "ConfigurationError is raised and not in Raises"),
        (Subject("", no_section, True), "ConfigurationError is raised and not in Raises"),
        (Subject("", Constructed, fewest=1), "parameter width is not described"),
        (Subject("", popular, cited=True), "no source"),
    ],
    ids=lambda value: getattr(getattr(value, "value", None), "__name__", ""),
)
def test_what_is_missing_is_found(subject, missing):
    (found,) = complaints(subject)
    assert found.startswith(missing)
