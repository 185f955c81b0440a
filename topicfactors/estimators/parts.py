"""Builds the objective that an estimator asks for."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from topicfactors.contracts import Sizes
from topicfactors.errors import ConfigurationError
from topicfactors.estimators.checks import is_automatic
from topicfactors.estimators.choices import Choice, resolve
from topicfactors.estimators.combinations import Parts, check, check_automatic, trainer_of
from topicfactors.estimators.design import Design
from topicfactors.estimators.smoothing import asked_layers, check_layers, chosen_smoothing
from topicfactors.gradients import GRADIENTS
from topicfactors.gradients.smoothings import SMOOTHINGS
from topicfactors.inference.encoders import ENCODERS
from topicfactors.inference.families import POSTERIORS
from topicfactors.model.decoders import DECODERS
from topicfactors.model.initial import INITIALS
from topicfactors.model.joint import Joint
from topicfactors.model.likelihood import Frequencies
from topicfactors.model.likelihoods import LIKELIHOODS
from topicfactors.model.priors import PRIORS
from topicfactors.model.responses import RESPONSES
from topicfactors.training.objectives import FactorObjective

REGISTRIES: dict[str, Any] = {
    "inference": GRADIENTS,
    "posterior": POSTERIORS,
    "likelihood": LIKELIHOODS,
    "decoder": DECODERS,
    "prior": PRIORS,
    "encoder": ENCODERS,
    "init": INITIALS,
    "response": RESPONSES,
    "smoothing": SMOOTHINGS,
}
AUTOMATIC_START = "clusters"  # benchmarks/starts.md


def choose(chosen: dict[str, Any], factors: int) -> Parts:
    """Resolve the parameters of an estimator.

    Raises
    ------
    ConfigurationError
        When a name is unknown or the parts do not fit together; the message has the cure.
    """
    values = {name: chosen[name] for name in REGISTRIES}
    layers = asked_layers(chosen.get("continuous_layers", 0))
    if values["inference"] == "auto":
        values["inference"] = _automatic_inference(values, layers is not None)
    if isinstance(values["posterior"], str) and values["posterior"] == "auto":
        gradient = resolve("inference", values["inference"], GRADIENTS).constructor
        values["posterior"] = getattr(gradient, "posterior", "mean-field")
    if values["init"] == "auto":
        values["init"] = AUTOMATIC_START
    smoothing = values.pop("smoothing")
    choices = {name: resolve(name, values[name], REGISTRIES[name]) for name in values}
    smoothed = chosen_smoothing(smoothing, choices["inference"])
    parts = Parts(**choices, smoothing=smoothed, layers=layers)
    check(parts, factors, chosen.get("overlap_penalty", 0.0))
    automatic = is_automatic(chosen.get("n_components"))
    check_layers(parts, automatic)
    if automatic:
        check_automatic(parts)
    return parts


def _automatic_inference(values: dict[str, Any], layered: bool) -> str:
    """What ``inference="auto"`` stands for; docs/choosing-an-inference.md has the measurements.

    What was asked for beside it decides; where nothing was, the decoder.
    """
    if layered or values["smoothing"] != "auto":
        return "dvae"
    if values["posterior"] != "auto":
        return trainer_of(resolve("posterior", values["posterior"], POSTERIORS))
    decoder = resolve("decoder", values["decoder"], DECODERS).constructor
    return "truncated" if getattr(decoder, "log_linear", False) else "gumbel-softmax"


def build(
    parts: Parts,
    words: int,
    factors: int,
    overlap_penalty: float,
    design: Design | None = None,
    *,
    responds: bool = False,
) -> FactorObjective:
    """The objective of these parts, on the CPU, its parameters drawn from torch's generator.

    It has a response where it ``responds``.

    Raises
    ------
    ConfigurationError
        When a part cannot be built so, or the prior reads no covariates where there are some.
    """
    sizes = Sizes(words, factors, covariates=0 if design is None else design.width)
    reads, moves = (0, 0) if design is None else (design.prior, design.content)
    encoder: Any = None
    if getattr(parts.posterior.constructor, "encoded", True):
        encoder = sound("encoder", parts.encoder, sizes)
        sizes = sizes._replace(features=encoder.width + 1)
    joint = Joint(
        sizes,
        _prior(parts.prior, sizes._replace(covariates=reads)),
        sound("decoder", parts.decoder, sizes),
        sound("likelihood", parts.likelihood),
        content=moves,
        response=sound("response", parts.response, sizes) if responds else None,
    )
    gradient = sound("inference", parts.inference, sizes)
    if parts.smoothing is not None:
        gradient.smooth_by(parts.smoothing.build())
    posterior = sound("posterior", parts.posterior, sizes, encoder)
    if posterior.searched:
        posterior.search = gradient.search
    layers = None if parts.layers is None else parts.layers.build(sizes)
    return FactorObjective(joint, posterior, gradient, overlap_penalty, layers)


def _prior(choice: Choice, sizes: Sizes) -> Any:
    prior = sound("prior", choice, sizes)
    if sizes.covariates and getattr(prior, "effects", None) is None:
        raise ConfigurationError(
            f"prior={choice.label!r} reads no covariates; use prior='bernoulli', or let them act "
            "on the words only, as in covariates=['year:content']"
        )
    return prior


def sound(what: str, choice: Choice, *given: Any) -> Any:
    """The part, if it is one and its parameters are numbers."""
    part = choice.build(*given)
    if not isinstance(part, torch.nn.Module):
        raise ConfigurationError(
            f"{what}={choice.label!r} must make a torch.nn.Module, got a {type(part).__name__}"
        )
    if not all(bool(torch.isfinite(parameter).all()) for parameter in part.parameters()):
        asked = ", ".join(f"{key}={value!r}" for key, value in choice.options.items())
        raise ConfigurationError(
            f"{what}={choice.label!r} cannot take {asked}: its parameters would not be finite"
        )
    return part


def frequencies(totals: Any, documents: Any, size: float) -> Frequencies:
    """What a corpus says of its words, from word totals ``(V,)`` and document frequencies."""
    words, presence = (torch.from_numpy(np.asarray(a, np.float64)) for a in (totals, documents))
    return Frequencies(words, presence, float(size))


def start(
    objective: FactorObjective, parts: Parts, counts: Any, seed: int, anchored: Any = ()
) -> None:
    """Put the background frequencies and the starting loadings into the decoder.

    The first factors begin with the loadings ``anchored (A, V)``, those of anchors.
    """
    decoder: Any = objective.joint.decoder
    totals = np.asarray(counts.sum(axis=0, dtype=np.float64)).ravel()
    presence = np.bincount(counts.indices, minlength=counts.shape[1])
    known = frequencies(totals, presence, counts.shape[0])
    with torch.no_grad():
        decoder.bias.copy_(objective.joint.likelihood.background(known))
    sizes = objective.joint.sizes
    wide = counts.astype(np.float64)  # the same start whatever the type of the counts
    free = sizes.factors - len(anchored)
    loadings = np.asarray(parts.init.build(wide, free, seed)) if free else wide[:0].toarray()
    if loadings.shape != (free, sizes.words) or not np.isfinite(loadings).all():
        raise ConfigurationError(
            f"init={parts.init.label!r} must give finite loadings of shape "
            f"{(free, sizes.words)}, got shape {loadings.shape}"
        )
    loadings = np.concatenate([anchored, loadings]) if len(anchored) else loadings
    decoder.start(torch.from_numpy(loadings).float())
