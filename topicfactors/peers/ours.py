"""The models of this package in a comparison."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from topicfactors.errors import ConfigurationError
from topicfactors.peers.base import TOP, Given, Learnt

KINDS = ("BinaryFactorModel", "MixtureModel")
SET = ("random_state", "n_jobs", "device")  # by the comparison


class Ours(NamedTuple):
    """A model of this package, by its public name, and its parameters that are no defaults."""

    kind: str
    params: dict[str, Any]

    @property
    def label(self) -> str:
        """What it is called in a table."""
        values = [v if isinstance(v, str) else f"{name}={v}" for name, v in self.params.items()]
        return ", ".join([self.kind, *values])

    @property
    def settings(self) -> str:
        """In words."""
        said = ", ".join(f"{name}={value!r}" for name, value in self.params.items())
        return f"{said}, the other defaults" if said else "the defaults"


OURS: dict[str, Ours] = {
    "factors": Ours("BinaryFactorModel", {}),
    "gumbel-softmax": Ours("BinaryFactorModel", {"inference": "gumbel-softmax"}),
    "mixture": Ours("MixtureModel", {}),
}
"""Those that a comparison has by itself."""


def described(name: str, model: Any) -> Ours:
    """A model that a user gives, so that it can be made again in another process.

    Raises
    ------
    ConfigurationError
        When it is none of this package's, or has a parameter that cannot be written down.
    """
    kind = type(model).__name__
    if kind not in KINDS or not type(model).__module__.startswith("topicfactors."):
        raise ConfigurationError(
            f"models: {name!r} must be a BinaryFactorModel or a MixtureModel, or one of the names "
            f"of peers, got a {kind}"
        )
    usual = type(model)().get_params(deep=False)
    params = {
        parameter: value
        for parameter, value in model.get_params(deep=False).items()
        if parameter not in SET and value is not usual[parameter] and value != usual[parameter]
    }
    for parameter, value in params.items():
        if not _is_plain(value):
            raise ConfigurationError(
                f"models: {name!r} is fitted in a process of its own, and its {parameter} cannot "
                f"be told to that; give numbers, texts or lists of them, such as "
                "inference='nvil:samples=2'"
            )
    return Ours(kind, {"n_components": model.n_components} | params)


def _is_plain(value: Any) -> bool:
    try:
        return bool(json.loads(json.dumps(value)) == value)
    except (TypeError, ValueError):
        return False


def fit(given: Given, ours: Ours) -> Learnt:
    """Fit one of them."""
    import topicfactors

    shared = {"n_components": given.topics, "random_state": given.seed, "device": given.device}
    model = getattr(topicfactors, ours.kind)(**shared | {"n_jobs": given.threads} | ours.params)
    model.fit(given.counts, feature_names=[str(c) for c in range(given.counts.shape[1])])
    topics = [[int(word) for word, _ in words] for words in model.top_words(TOP)]
    return Learnt(topics, model.transform, model.completion_perplexity)
