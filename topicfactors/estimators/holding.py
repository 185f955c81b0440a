"""The factors as a user names them, and as they are before some of them are switched."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from topicfactors.errors import InputError
from topicfactors.estimators.anchoring import AnchoringMixin
from topicfactors.estimators.posteriors import PosteriorMixin

STATES = 64  # most probable states of a document, over which its vocabulary is averaged

Floats = NDArray[np.float64]


class Held(NamedTuple):
    """The factors as they are before an intervention."""

    states: Floats  # (S, D), of which each may be a probability
    weights: Floats  # (S,), sum one
    kind: str  # "prevalence", "probabilities" or "document"


class HoldingMixin(AnchoringMixin, PosteriorMixin):
    """What interventions begin with."""

    prevalence_: NDArray[np.float64]

    def _held(self, given: Any, covariates: Any, refine: int | str) -> Held:
        """The factors before anything is switched."""
        if _is_document(given):
            X = [given] if isinstance(given, list | tuple) else given
            found = self.states(X, STATES, covariates=covariates, refine=refine)
            if len(found.bits) != 1:
                raise InputError(f"given must be one document, got {len(found.bits)}; take X[:1]")
            weights = found.probabilities[0].astype(np.float64)
            return Held(found.bits[0].astype(np.float64), weights / weights.sum(), "document")
        if given is None:
            return Held(np.asarray(self.prevalence_, np.float64)[None], np.ones(1), "prevalence")
        values = _as_probabilities(given, self._factors())
        return Held(values[None], np.ones(1), "probabilities")

    def _numbers(self, name: str, asked: Any) -> list[int]:
        """The numbers of factors that a user names, each once."""
        one = isinstance(asked, str) or not isinstance(asked, Iterable)
        listed = [asked] if one else asked
        return list(dict.fromkeys(self._number_of(each, f"{name}: ") for each in listed))


def _is_document(given: Any) -> bool:
    """Is it counts or a bag of words, and not probabilities of the factors?"""
    if isinstance(given, list | tuple):
        return all(isinstance(entry, tuple) for entry in given)
    return scipy.sparse.issparse(given) or getattr(given, "ndim", 1) == 2


def _as_probabilities(given: Any, factors: int) -> Floats:
    try:
        values = np.asarray(given, np.float64)
    except (TypeError, ValueError):
        values = np.empty(0)
    if values.shape != (factors,) or not ((values >= 0) & (values <= 1)).all():
        raise InputError(
            f"given must be {factors} probabilities of the factors, counts (1, V) of a document, a "
            f"list of (word id, count), or None for the prevalence, got {_described(given)}"
        )
    return values


def _described(given: Any) -> str:
    shape = getattr(given, "shape", None)
    return f"a {type(given).__name__}" + ("" if shape is None else f" of shape {shape}")
