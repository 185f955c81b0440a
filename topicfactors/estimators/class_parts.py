"""Builds the models whose latent variable is a class: mixtures and classifiers."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import torch

from topicfactors.contracts import Sizes
from topicfactors.errors import ConfigurationError
from topicfactors.estimators.choices import Choice, resolve
from topicfactors.estimators.parts import sound
from topicfactors.gradients.categorical import CategoricalGumbelSoftmax
from topicfactors.inference.encoders import ENCODERS
from topicfactors.model.decoders import DECODERS
from topicfactors.model.initial import ASSIGNMENTS
from topicfactors.model.joint import Joint
from topicfactors.model.likelihoods import LIKELIHOODS
from topicfactors.model.priors import BernoulliPrior
from topicfactors.training.components import ComponentObjective, RelaxedObjective
from topicfactors.training.tempering import TEMPERINGS

BOUNDED = ("gumbel-softmax",)  # inferences of a bound, where the sum is exact


class ClosedForm:
    """Closed-form EM: for a table of word probabilities and independent draws."""

    epochs: ClassVar[int] = 100


class SummedOut:
    """The gradient of log Σ_y p(y) p(x | y), in mini-batches; for every likelihood and decoder."""

    epochs: ClassVar[int] = 40


CLASS_INFERENCES: dict[str, Any] = {
    "em": ClosedForm,
    "exact": SummedOut,
    "gumbel-softmax": CategoricalGumbelSoftmax,
}

REGISTRIES: dict[str, Any] = {
    "inference": CLASS_INFERENCES,
    "likelihood": LIKELIHOODS,
    "decoder": DECODERS,
    "encoder": ENCODERS,
    "init": ASSIGNMENTS,
    "tempering": TEMPERINGS,
}


class ClassParts(NamedTuple):
    """Every part of a model of classes as chosen; "auto" is resolved."""

    inference: Choice
    likelihood: Choice
    decoder: Choice
    encoder: Choice
    init: Choice
    tempering: Choice

    @property
    def closed(self) -> bool:
        """Is it fitted by EM?"""
        return self.inference.constructor is ClosedForm

    @property
    def passes(self) -> int:
        """Over the documents, where the user leaves it to the package."""
        return int(getattr(self.inference.constructor, "epochs", 40))


def choose(chosen: dict[str, Any]) -> ClassParts:
    """Resolve the parameters of an estimator.

    Raises
    ------
    ConfigurationError
        When a name is unknown or the parts do not fit together; the message has the cure.
    """
    values = {name: chosen[name] for name in REGISTRIES if name != "inference"}
    if isinstance(values["tempering"], str) and values["tempering"] == "auto":
        likelihood = resolve("likelihood", values["likelihood"], LIKELIHOODS)
        values["tempering"] = usual_tempering(likelihood.name)
    choices = {name: resolve(name, values[name], REGISTRIES[name]) for name in values}
    if choices["likelihood"].name == "bernoulli" and choices["tempering"].name != "none":
        raise ConfigurationError(
            "likelihood='bernoulli' knows only whether a word is there, so that no tempering of "
            f"counts reaches it; got tempering={choices['tempering'].label!r}, use 'none'"
        )
    tabled = _is_table(choices["decoder"]) and choices["likelihood"].name == "multinomial"
    inference = chosen["inference"]
    if isinstance(inference, str) and inference == "auto":
        inference = "em" if tabled else "exact"
    choices["inference"] = resolve("inference", inference, CLASS_INFERENCES)
    parts = ClassParts(**choices)
    if parts.closed and not tabled:
        raise ConfigurationError(
            "inference='em' has closed steps for likelihood='multinomial' and decoder='log-linear' "
            f"alone, got {parts.likelihood.label!r} and {parts.decoder.label!r}; use "
            "inference='exact'"
        )
    for choice in (parts.inference, parts.tempering):
        choice.build()  # refused here where its options are
    return parts


def usual_tempering(likelihood: str | None) -> str:
    """What ``tempering="auto"`` stands for; benchmarks/mixtures.md has the measurements."""
    return "none" if likelihood == "bernoulli" else "length"


def _is_table(decoder: Choice) -> bool:
    return decoder.name == "log-linear" and not decoder.options.get("nonnegative")


def build(
    parts: ClassParts,
    words: int,
    components: int,
    members: torch.Tensor | None = None,
    **weights: float,
) -> ComponentObjective:
    """The objective of these parts, on the CPU, its parameters drawn from torch's generator."""
    sizes = Sizes(words, 0)
    joint = Joint(
        sizes,
        BernoulliPrior(sizes),
        sound("decoder", parts.decoder, Sizes(words, components)),
        sound("likelihood", parts.likelihood),
        classes=components,
    )
    if parts.inference.constructor in (ClosedForm, SummedOut):
        return ComponentObjective(joint, members, **weights)
    encoder = sound("encoder", parts.encoder, sizes)
    return RelaxedObjective(joint, encoder, parts.inference.build())
