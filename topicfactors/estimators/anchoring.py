"""Anchors: factors that a user names, the words that pull them, and words that they must not have.

``{"steam": ["engine", "boiler", "-locomotive"]}`` asks for a factor called steam that *engine* and
*boiler* belong to and *locomotive* does not. Its loadings start from the documents that have its
words, and a prior holds those of the words (:mod:`topicfactors.training.anchors`). Names go with
their factors through sorting; an anchored factor is never turned around.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from topicfactors.errors import ConfigurationError, FitWarning, InputError, nearest
from topicfactors.estimators.combinations import Parts
from topicfactors.estimators.naming import NamingMixin, check_name
from topicfactors.model.initial import seeded_by
from topicfactors.training.anchors import Anchor, Pull
from topicfactors.values import is_number, is_whole

AGAINST = "-"  # before a word that must not be in the factor
NOTHING = -15.0  # of which softplus makes a loading of 3e-7
STRONGEST = 10.0  # nats: the odds of a word times 22,000


class Wanted(NamedTuple):
    """What a user says of one factor."""

    words: list[str]
    barred: list[str]


def read_anchors(anchors: Any) -> dict[str, Wanted]:
    """Anchors as they are given, taken apart.

    Raises
    ------
    ConfigurationError
        When they are not names with lists of words.

    Examples
    --------
    >>> read_anchors({"steam": ["engine", "-locomotive"]})
    {'steam': Wanted(words=['engine'], barred=['locomotive'])}
    """
    if anchors is None:
        return {}
    if not isinstance(anchors, Mapping):
        raise ConfigurationError(
            "anchors must be a dict of names and lists of words, as in {'steam': ['engine', "
            f"'-locomotive']}}, got a {type(anchors).__name__}"
        )
    for name in anchors:
        check_name("the name of an anchored factor", name)
    return {name: _wanted(name, words) for name, words in anchors.items()}


def check_anchors(given: Mapping[str, Any], chosen: Parts) -> dict[str, Wanted]:
    """The anchors among the parameters of a model, where its parts can have them.

    Raises
    ------
    ConfigurationError
        With the cure.
    """
    wanted, factors = read_anchors(given["anchors"]), given["n_components"]
    _check_strength(given["anchor_strength"])
    if wanted and not getattr(chosen.decoder.constructor, "log_linear", True):
        raise ConfigurationError(
            f"anchors are about the loadings of factors, which the {chosen.decoder.label} decoder "
            "does not have; use decoder='log-linear'"
        )
    if is_whole(factors) and len(wanted) > factors:
        raise ConfigurationError(
            f"{len(wanted)} anchored factors are more than n_components={factors}; ask for more"
        )
    return wanted


def _check_strength(strength: object) -> None:
    if not is_number(strength) or not 0 < strength <= STRONGEST or not math.isfinite(strength):
        raise ConfigurationError(
            f"anchor_strength must be a number above 0 and at most {STRONGEST:g}, got {strength!r}"
        )


def _wanted(name: str, words: Any) -> Wanted:
    if isinstance(words, str | Mapping) or not isinstance(words, Iterable):
        raise ConfigurationError(
            f"anchors of {name!r} must be a list of words such as ['engine', 'boiler'], got "
            f"{words!r}"
        )
    listed = list(words)
    for word in listed:
        if not isinstance(word, str) or not word.removeprefix(AGAINST):
            raise ConfigurationError(f"anchors of {name!r} must be words, got {word!r}")
    barred = [word[1:] for word in listed if word.startswith(AGAINST)]
    wanted = [word for word in listed if not word.startswith(AGAINST)]
    both = [word for word in wanted if word in barred]
    if both:
        raise ConfigurationError(
            f"anchors of {name!r} have {both[0]!r} both with and without '{AGAINST}'; leave one out"
        )
    if not wanted:
        raise ConfigurationError(
            f"anchors of {name!r} must have a word without '{AGAINST}', got {listed!r}"
        )
    return Wanted(list(dict.fromkeys(wanted)), list(dict.fromkeys(barred)))


class AnchoringMixin(NamingMixin):
    """Names of factors, their words in the vocabulary, and the prior on them."""

    anchors: Any
    anchor_strength: float
    anchored_: dict[str, int]
    missing_anchors_: dict[str, list[str]]

    def _check_anchors(self, chosen: Parts, going_on: bool) -> None:
        """What ``fit`` refuses before it begins."""
        wanted = check_anchors(self.get_params(deep=False), chosen)
        if going_on and set(wanted) != set(self._anchored()):
            raise ConfigurationError(
                f"training goes on with the anchors {list(self._anchored())}, got {list(wanted)}; "
                "clone the model to start anew"
            )

    def _locate(self) -> list[Anchor]:
        """The anchors as columns, those without a place first; notes the words that are missing."""
        wanted = read_anchors(self.anchors)
        columns = {str(word): column for column, word in enumerate(self._words())}
        found, missing = [], {}
        for number, (name, asked) in enumerate(wanted.items()):
            lost = [word for word in (*asked.words, *asked.barred) if word not in columns]
            words = [columns[word] for word in asked.words if word in columns]
            if not words:
                raise InputError(
                    f"anchors: no word of {name!r} is in the vocabulary ({', '.join(asked.words)})"
                    f"{nearest(asked.words[0], columns)}; words that are too rare for min_df or "
                    "are stop words are not in it"
                )
            if lost:
                missing[name] = lost
            barred = [columns[word] for word in asked.barred if word in columns]
            found.append(Anchor(self._anchored().get(name, number), words, barred))
        self.missing_anchors_ = missing
        return found

    def _tell_missing(self) -> None:
        """One line on the anchors' words that no document has."""
        if self.missing_anchors_:
            listed = "; ".join(f"{n}: {', '.join(w)}" for n, w in self.missing_anchors_.items())
            warnings.warn(
                f"anchors: words that are not in the vocabulary are left out ({listed}); see "
                "missing_anchors_",
                FitWarning,
                stacklevel=6,
            )

    def _start_anchors(self, counts: Any) -> NDArray[np.float64]:
        """Loadings that the anchored factors begin with, ``(A, V)``."""
        self._forget_names()
        self.anchored_ = {name: number for number, name in enumerate(self.anchors or ())}
        anchors = self._locate()
        self._tell_missing()
        loadings = np.zeros((len(anchors), counts.shape[1]))
        for row, anchor in zip(loadings, anchors, strict=True):
            row[:] = seeded_by(counts, anchor.words)
            row[anchor.words] = np.maximum(row[anchor.words], self.anchor_strength)
            row[anchor.barred] = np.minimum(row[anchor.barred], 0.0)
        return loadings

    def _hold_anchors(self, counts: Any) -> None:
        """Put the prior on the anchors' loadings, for this training."""
        if self.anchors:
            totals = np.asarray(counts.sum(axis=0), dtype=np.float64).ravel() / counts.shape[0]
            pull = Pull(self._locate(), float(self.anchor_strength), torch.from_numpy(totals))
            self.objective_.pull = pull.to(self._device())

    def _bar_words(self) -> None:
        """After training: what is left of barred words goes."""
        pull, decoder = self.objective_.pull, self._joint().decoder
        if pull is not None:
            pull.enforce(decoder.raw.data, NOTHING if decoder.nonnegative else 0.0)
