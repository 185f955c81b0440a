"""Builds the objective that an estimator asks for, and refuses parts that do not fit together."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch

from topicfactors.contracts import Sizes
from topicfactors.errors import ConfigurationError
from topicfactors.estimators.checks import is_automatic
from topicfactors.estimators.choices import Choice, resolve
from topicfactors.estimators.design import Design
from topicfactors.gradients import GRADIENTS
from topicfactors.inference.encoders import ENCODERS
from topicfactors.inference.posteriors import (
    Enumerated,
    EnumeratedPosterior,
    MeanField,
    MeanFieldPosterior,
    Posterior,
)
from topicfactors.inference.truncated import Truncated, TruncatedPosterior
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
    "likelihood": LIKELIHOODS,
    "decoder": DECODERS,
    "prior": PRIORS,
    "encoder": ENCODERS,
    "init": INITIALS,
    "response": RESPONSES,
}
DISTRIBUTIONS = {"mean-field": MeanField, "enumerated": Enumerated, "truncated": Truncated}
AUTOMATIC_START = "clusters"  # benchmarks/starts.md


class Parts(NamedTuple):
    """Every part of a model as chosen; "auto" is resolved."""

    inference: Choice
    likelihood: Choice
    decoder: Choice
    prior: Choice
    encoder: Choice
    init: Choice
    response: Choice


def choose(chosen: dict[str, Any], factors: int) -> Parts:
    """Resolve the parameters of an estimator.

    Raises
    ------
    ConfigurationError
        When a name is unknown or the parts do not fit together; the message has the cure.
    """
    values = {name: chosen[name] for name in REGISTRIES}
    if values["inference"] == "auto":
        decoder = resolve("decoder", values["decoder"], DECODERS).constructor
        values["inference"] = automatic_inference(bool(getattr(decoder, "log_linear", False)))
    if values["init"] == "auto":
        values["init"] = AUTOMATIC_START
    choices = {name: resolve(name, values[name], REGISTRIES[name]) for name in values}
    parts = Parts(**choices)
    _check(parts, factors, chosen.get("overlap_penalty", 0.0))
    if is_automatic(chosen.get("n_components")):
        _check_automatic(parts)
    return parts


def automatic_inference(log_linear: bool) -> str:
    """What ``inference="auto"`` stands for; docs/choosing-an-inference.md has the measurements."""
    return "truncated" if log_linear else "gumbel-softmax"


def _check(parts: Parts, factors: int, overlap_penalty: float) -> None:
    gradient, inference = parts.inference.constructor, parts.inference.name
    limit = getattr(gradient, "limit", None)
    if limit is not None:
        limit = min(limit, getattr(parts.likelihood.constructor, "enumerable", limit))
        if factors > limit:
            raise ConfigurationError(
                f"inference={inference!r} sums over 2^D states and serves at most {limit} factors "
                f"under likelihood={parts.likelihood.label!r}, got n_components={factors}; "
                "use inference='truncated' or fewer factors"
            )
    posterior = getattr(gradient, "posterior", "mean-field")
    q: Any = DISTRIBUTIONS[posterior]
    for need, given in (("relaxed", "reparameterisable"), ("factorised", "factorised")):
        if getattr(gradient, need, False) and not getattr(q, given):
            raise ConfigurationError(
                f"inference={parts.inference.label!r} needs a posterior that is {given}, and the "
                f"{posterior} posterior is not; use inference='exact' or a mean-field posterior"
            )
    if overlap_penalty and not getattr(parts.decoder.constructor, "log_linear", True):
        raise ConfigurationError(
            f"overlap_penalty compares the loadings of factors, which the "
            f"{parts.decoder.label} decoder does not have; use decoder='log-linear' or "
            "overlap_penalty=0"
        )


def _check_automatic(parts: Parts) -> None:
    """Refuse parts with which factors cannot be counted."""
    inference, decoder = parts.inference, parts.decoder
    if getattr(inference.constructor, "limit", None) is not None:
        raise ConfigurationError(
            f"n_components='auto' tries 8, 16, 32 and more factors, too many for the 2^D states of "
            f"inference={inference.label!r}; use inference='truncated' or a number of factors"
        )
    if not getattr(decoder.constructor, "log_linear", False):
        raise ConfigurationError(
            f"n_components='auto' weighs the loadings of each factor, which the {decoder.label} "
            "decoder does not have; use decoder='log-linear' or a number of factors"
        )


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
    kind = getattr(parts.inference.constructor, "posterior", "mean-field")
    encoder: Any = None
    if kind != "enumerated":
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
    posterior: Posterior
    if kind == "enumerated":
        posterior = EnumeratedPosterior(sizes)
    elif kind == "truncated":
        posterior = TruncatedPosterior(sizes, encoder, gradient.search)
    else:
        posterior = MeanFieldPosterior(sizes, encoder)
    return FactorObjective(joint, posterior, gradient, overlap_penalty)


def _prior(choice: Choice, sizes: Sizes) -> Any:
    prior = sound("prior", choice, sizes)
    if sizes.covariates and getattr(prior, "effects", None) is None:
        raise ConfigurationError(
            f"prior={choice.label!r} reads no covariates; use prior='bernoulli', or let them act "
            "on the words only, as in covariates=['year:content']"
        )
    return prior


def sound(what: str, choice: Choice, *sizes: Sizes) -> Any:
    """The part, if it is one and its parameters are numbers."""
    part = choice.build(*sizes)
    if not isinstance(part, torch.nn.Module):
        raise ConfigurationError(
            f"{what}={choice.label!r} must make a torch.nn.Module, got a {type(part).__name__}"
        )
    if not all(bool(torch.isfinite(parameter).all()) for parameter in part.parameters()):
        given = ", ".join(f"{key}={value!r}" for key, value in choice.options.items())
        raise ConfigurationError(
            f"{what}={choice.label!r} cannot take {given}: its parameters would not be finite"
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
