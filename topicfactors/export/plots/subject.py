"""What a figure reads of a fitted model, whichever it is, alone or at the end of a pipeline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from topicfactors.errors import ConfigurationError, InputError, unknown_name
from topicfactors.export.factors import PLURALS
from topicfactors.export.plots.theme import plain
from topicfactors.values import is_whole

SHOWN = 2  # words that stand for a factor without a name


class Subject(NamedTuple):
    """A fitted model and what makes counts for it."""

    model: Any
    before: Any  # the steps of a pipeline before it, or None
    noun: str  # "factor", "component" or "class"
    names: list[int | str]  # numbers, or the names that a user gave; D of them
    prevalence: NDArray[np.floating]  # (D,)
    status: list[str]

    @property
    def nouns(self) -> str:
        """Several of them."""
        return PLURALS[self.noun]

    def words(self, n_words: int, ranking: str | None = None) -> list[list[tuple[str, float]]]:
        """The words of each with their scores; the model's own ranking where none is named."""
        read = self.model.top_words_of_classes if self.noun == "class" else self.model.top_words
        found = read(n_words) if ranking is None else read(n_words, ranking=ranking)
        return list(found.values()) if self.noun == "class" else found

    def told(self, n_words: int) -> list[list[str]]:
        """The words of each alone."""
        return [[word for word, _ in words] for words in self.words(n_words)]

    def called(self, longest: int = 40) -> list[str]:
        """What each is called in a figure: the name a user gave it, or its number and words."""
        return [
            plain(name, longest)
            if isinstance(name, str)
            else plain(f"{name} {' '.join(words)}".strip(), longest)
            for name, words in zip(self.names, self.told(SHOWN), strict=True)
        ]

    def observed(self, X: Any, covariates: Any = None) -> Any:
        """Checked counts ``(N, V)`` of what the model or its pipeline is given.

        Every method of the model takes them for X, and their covariates are in them.
        """
        counts = X if self.before is None else self.before.transform(X)
        return self.model._observed(counts, covariates)

    def probabilities(self, counts: Any) -> NDArray[np.floating]:
        """P(on | document), ``(N, D)``, of observed counts."""
        read = self.model.predict_proba if self.noun == "class" else self.model.transform
        return np.asarray(read(counts))

    def covariates(self, table: Any) -> Any:
        """What the model wants of a table that may be there for another reason: all, or nothing."""
        return None if getattr(self.model, "design_", None) is None else table


def opened(model: Any) -> Subject:
    """What figures read of a model, or of the last step of a pipeline.

    Raises
    ------
    InputError
        When it is neither.
    sklearn.exceptions.NotFittedError
        When it was not fitted.
    """
    before = None
    if isinstance(model, Pipeline):
        before, model = (model[:-1] if len(model) > 1 else None), model[-1]
    if not hasattr(type(model), "top_words"):
        saved = "; load it first" if isinstance(model, str | PathLike) else ""
        raise InputError(
            "a figure is of a fitted BinaryFactorModel, MixtureModel or SemiSupervisedClassifier, "
            f"or of a pipeline that ends in one, got a {type(model).__name__}{saved}"
        )
    check_is_fitted(model, "objective_")
    if hasattr(type(model), "top_words_of_classes"):
        names = [str(label) for label in model.classes_]
        prevalence = np.zeros(len(names))
        np.add.at(prevalence, model.class_of_component_, model.prevalence_)
        return Subject(model, before, "class", [*names], prevalence, ["active"] * len(names))
    noun = "component" if hasattr(type(model), "predict_proba") else "factor"
    names, prevalence = model.factor_names_, model.prevalence_
    return Subject(model, before, noun, names, prevalence, list(model.status_))


def chosen(subject: Subject, factors: Iterable[int | str] | None, most: int) -> list[int]:
    """The factors that a figure shows, by number: those asked for, else the most prevalent.

    Raises
    ------
    ConfigurationError
        When one that is asked for is not there.
    """
    if factors is None:
        order = np.argsort(-subject.prevalence, kind="stable")
        return [int(number) for number in order[:most]]
    if isinstance(factors, str) or not isinstance(factors, Iterable):
        raise ConfigurationError(
            f"factors must be a list of numbers or names, as in factors=[0, 3], got {factors!r}"
        )
    found = list(dict.fromkeys(_number(subject, factor) for factor in factors))
    if not found:
        raise ConfigurationError("factors must name at least one, got an empty list")
    return found


def _number(subject: Subject, factor: object) -> int:
    size = len(subject.names)
    if is_whole(factor):
        if not 0 <= factor < size:
            raise ConfigurationError(
                f"factors must be numbers from 0 to {size - 1}, or names, got {factor!r}"
            )
        return int(factor)
    if factor not in subject.names:
        names = [name for name in subject.names if isinstance(name, str)]
        if not names:
            raise ConfigurationError(
                f"factors must be numbers from 0 to {size - 1}, since none has a name; got "
                f"{factor!r}"
            )
        raise unknown_name("factors", factor, names)
    return subject.names.index(factor)


def table_of(X: Any, covariates: Any) -> Any:
    """The covariates that are given, else those of a corpus, else None."""
    own = getattr(X, "covariates", None)
    return own if covariates is None and isinstance(own, Mapping) and own else covariates


def with_words(counts: Any) -> NDArray[np.bool_]:
    """Which documents ``(N,)`` have words: of others a posterior says only what the prior does.

    Raises
    ------
    InputError
        When none has.
    """
    some = np.asarray(counts.sum(axis=1)).ravel() > 0
    if not some.any():
        raise InputError("X has no document with words; expected at least one to draw")
    return some


def left_out(number: int, why: str) -> list[str]:
    """A sentence on documents that a figure leaves out; none where it leaves out none."""
    if number == 0:
        return []
    are = "1 document is" if number == 1 else f"{number:,} documents are"
    return [f"{are} left out: {why}."]


def selection(subject: Subject, shown: Sequence[int], which: str) -> list[str]:
    """A sentence on which factors are shown; none where all are."""
    size = len(subject.names)
    if len(shown) == size:
        return []
    return [f"{len(shown)} of {size} {subject.nouns}: {which}; others with factors=[…]."]
