"""Builds the models whose latent variable is a class: mixtures and classifiers."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import torch

from topicfactors.contracts import Sizes
from topicfactors.errors import ConfigurationError
from topicfactors.estimators.choices import Choice, resolve
from topicfactors.estimators.design import Design
from topicfactors.estimators.parts import sound
from topicfactors.gradients import GRADIENTS
from topicfactors.gradients.categorical import CategoricalGumbelSoftmax
from topicfactors.inference.encoders import ENCODERS
from topicfactors.inference.posteriors import EnumeratedPosterior, MeanFieldPosterior, Posterior
from topicfactors.model.decoders import DECODERS
from topicfactors.model.initial import ASSIGNMENTS
from topicfactors.model.joint import Joint
from topicfactors.model.likelihoods import LIKELIHOODS
from topicfactors.model.priors import BernoulliPrior
from topicfactors.model.responses import RESPONSES
from topicfactors.training.components import ComponentObjective, RelaxedObjective
from topicfactors.training.shared_factors import SharedFactorsObjective
from topicfactors.training.tempering import TEMPERINGS

FEW = 15  # iterations of EM with few labels; more lose accuracy
FEW_PASSES = 5  # of the gradient, likewise: bernoulli drifts from its labels in 15
SUMMED = 8  # most factors of a classifier that are summed out exactly


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
    "response": RESPONSES,
}


class ClassParts(NamedTuple):
    """Every part of a model of classes as chosen; "auto" is resolved."""

    inference: Choice
    likelihood: Choice
    decoder: Choice
    encoder: Choice
    init: Choice
    tempering: Choice
    response: Choice
    few: bool = False  # do more passes leave the labels behind?

    @property
    def closed(self) -> bool:
        """Is it fitted by EM?"""
        return self.inference.constructor is ClosedForm

    @property
    def passes(self) -> int:
        """Over the documents, where the user leaves it to the package."""
        if self.few:
            return FEW if self.closed else FEW_PASSES
        return int(getattr(self.inference.constructor, "epochs", 40))


def choose(chosen: dict[str, Any], *, covariates: bool = False) -> ClassParts:
    """Resolve the parameters of an estimator, whose documents may have ``covariates``.

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
        inference = "em" if tabled and not covariates else "exact"
    choices["inference"] = resolve("inference", inference, CLASS_INFERENCES)
    named = (choices[name] for name in REGISTRIES)
    found, likelihood, decoder, encoder, init, tempering, response = named
    parts = ClassParts(found, likelihood, decoder, encoder, init, tempering, response)
    if parts.closed and not tabled:
        raise ConfigurationError(
            "inference='em' has closed steps for likelihood='multinomial' and decoder='log-linear' "
            f"alone, got {parts.likelihood.label!r} and {parts.decoder.label!r}; use "
            "inference='exact'"
        )
    if parts.closed and covariates:
        raise ConfigurationError(
            "inference='em' has no closed step for the effects of covariates; use "
            "inference='exact', or leave it to 'auto'"
        )
    for choice in (parts.inference, parts.tempering):
        choice.build()  # refused here where its options are
    return parts


def choose_classifier(chosen: dict[str, Any]) -> ClassParts:
    """Resolve the parameters of a classifier; see :func:`choose`.

    Raises
    ------
    ConfigurationError
        When a name is unknown or the parts do not fit together; the message has the cure.
    """
    factors = chosen["n_factors"]
    values = chosen | {"init": "clusters", "response": "gaussian"}
    if isinstance(chosen["tempering"], str) and chosen["tempering"] == "auto":
        likelihood = resolve("likelihood", chosen["likelihood"], LIKELIHOODS)
        values["tempering"] = "auto" if likelihood.name == "bernoulli" else "unit"
    if factors == 0:
        if chosen["inference"] not in ("auto", "em", "exact"):
            raise ConfigurationError(
                f"inference={chosen['inference']!r} is for factors, and n_factors=0 has none; use "
                "'auto', 'em' or 'exact'"
            )
        return choose(values)._replace(few=True)
    inference = chosen["inference"]
    if isinstance(inference, str) and inference == "auto":
        inference = "exact" if factors <= SUMMED else "gumbel-softmax"
    resolved = resolve("inference", inference, GRADIENTS)
    gradient: Any = resolved.constructor
    if getattr(gradient, "posterior", "mean-field") == "truncated":
        raise ConfigurationError(
            "inference='truncated' keeps sets of states for documents, not for every class of each;"
            " use 'exact', 'gumbel-softmax' or another"
        )
    limit = getattr(gradient, "limit", None)
    if limit is not None and factors > min(limit, SUMMED):
        raise ConfigurationError(
            f"inference={resolved.label!r} sums over 2^D states for every class and serves at most "
            f"{min(limit, SUMMED)} factors here, got n_factors={factors}; use "
            "inference='gumbel-softmax'"
        )
    return choose(values | {"inference": "exact"})._replace(inference=resolved)


def usual_tempering(likelihood: str | None) -> str:
    """What ``tempering="auto"`` stands for; benchmarks/mixtures.md has the measurements."""
    return "none" if likelihood == "bernoulli" else "length"


def _is_table(decoder: Choice) -> bool:
    return decoder.name == "log-linear" and not decoder.options.get("nonnegative")


def build(
    parts: ClassParts,
    words: int,
    components: int,
    design: Design | None = None,
    *,
    responds: bool = False,
) -> ComponentObjective:
    """The objective of a mixture, on the CPU, its parameters drawn from torch's generator.

    It has a response where it ``responds``; that of EM has its own closed form.
    """
    joint = _joint(parts, Sizes(words, 0), components, design, responds and not parts.closed)
    if parts.inference.constructor in (ClosedForm, SummedOut):
        return ComponentObjective(joint)
    encoder = sound("encoder", parts.encoder, joint.sizes)
    return RelaxedObjective(joint, encoder, parts.inference.build())


def build_classifier(
    parts: ClassParts,
    words: int,
    components: int,
    factors: int,
    members: torch.Tensor,
    unlabelled: float,
) -> ComponentObjective:
    """The objective of a classifier, on the CPU; ``members (C, K)`` are of each class."""
    if factors == 0:
        joint = _joint(parts, Sizes(words, 0), components)
        return ComponentObjective(joint, members, unlabelled=unlabelled)
    sizes, constructor = Sizes(words, factors), parts.inference.constructor
    posterior: Posterior = EnumeratedPosterior(sizes)
    if getattr(constructor, "posterior", "mean-field") != "enumerated":
        encoder = sound("encoder", parts.encoder, sizes)
        sizes = sizes._replace(features=encoder.width + 1)
        posterior = MeanFieldPosterior(sizes, encoder)
    gradient = sound("inference", parts.inference, sizes)
    joint = _joint(parts, sizes, components)
    return SharedFactorsObjective(joint, posterior, gradient, members, unlabelled=unlabelled)


def _joint(
    parts: ClassParts,
    sizes: Sizes,
    components: int,
    design: Design | None = None,
    responds: bool = False,
) -> Joint:
    reads = Sizes(sizes.words, sizes.factors + components)
    mixes, moves = (0, 0) if design is None else (design.prior, design.content)
    return Joint(
        sizes,
        BernoulliPrior(sizes),
        sound("decoder", parts.decoder, reads),
        sound("likelihood", parts.likelihood),
        classes=int(components),
        content=moves,
        mixed=mixes,
        response=sound("response", parts.response, reads) if responds else None,
    )
