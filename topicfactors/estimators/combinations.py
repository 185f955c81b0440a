"""The parts of a factor model as chosen, and which of them do not go together."""

from __future__ import annotations

from typing import Any, NamedTuple

from topicfactors.errors import ConfigurationError
from topicfactors.estimators.choices import Choice
from topicfactors.estimators.smoothing import Layers
from topicfactors.gradients import GRADIENTS


class Parts(NamedTuple):
    """Every part of a model as chosen; "auto" is resolved."""

    inference: Choice
    posterior: Choice
    likelihood: Choice
    decoder: Choice
    prior: Choice
    encoder: Choice
    init: Choice
    response: Choice
    smoothing: Choice | None = None  # of the bits, where the inference smooths them
    layers: Layers | None = None  # continuous ones above the factors


def check(parts: Parts, factors: int, overlap_penalty: float) -> None:
    """Refuse parts that do not fit together.

    Raises
    ------
    ConfigurationError
        Which says what to use instead.
    """
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
    _check_posterior(parts)
    _check_taught(parts)
    posterior: Any = parts.posterior.constructor
    for need, given in (("relaxed", "reparameterisable"), ("factorised", "factorised")):
        if getattr(gradient, need, False) and not getattr(posterior.family, given):
            raise ConfigurationError(
                f"inference={parts.inference.label!r} needs a posterior that is {given}, and "
                f"posterior={parts.posterior.label!r} is not; use posterior='mean-field', or "
                "inference='rloo', which serves every posterior"
            )
    if overlap_penalty and not getattr(parts.decoder.constructor, "log_linear", True):
        raise ConfigurationError(
            f"overlap_penalty compares the loadings of factors, which the "
            f"{parts.decoder.label} decoder does not have; use decoder='log-linear' or "
            "overlap_penalty=0"
        )


def costs(inference: Choice, decoder: Choice, factors: int) -> str:
    """What makes every step of these parts expensive, and the cure; empty where nothing does."""
    if not getattr(inference.constructor, "flips", False):
        return ""
    if getattr(decoder.constructor, "log_linear", False):
        return ""
    return (
        f"inference={inference.label!r} evaluates the flip of every factor one by one under "
        f"decoder={decoder.label!r}, {factors + 1} evaluations of each document a step; "
        "inference='gumbel-softmax' needs one, decoder='log-linear' has all flips in two products"
    )


def _check_posterior(parts: Parts) -> None:
    """Refuse a posterior that is found without draws beside a gradient through draws."""
    gradient: Any = parts.inference.constructor
    posterior: Any = parts.posterior.constructor
    sampled = getattr(gradient, "sampled", True)
    own = getattr(gradient, "posterior", "mean-field")
    if not sampled and parts.posterior.name != own:
        raise ConfigurationError(
            f"inference={parts.inference.label!r} makes its own posterior, {own!r}, got "
            f"posterior={parts.posterior.label!r}; leave it to 'auto', or use "
            f"inference={trainer_of(parts.posterior)!r}"
        )
    if sampled and not posterior.sampled:
        raise ConfigurationError(
            f"posterior={parts.posterior.label!r} is found without draws, which "
            f"inference={parts.inference.label!r} learns from; use "
            f"inference={trainer_of(parts.posterior)!r}, or posterior='mean-field'"
        )


def trainer_of(posterior: Choice) -> str:
    """An inference that goes with a posterior."""
    kind: Any = posterior.constructor
    if not kind.sampled:
        named = (name for name, own in GRADIENTS.items() if own.posterior == posterior.name)
        return next(named, "exact")
    if not getattr(kind, "taught", True):
        return "local-expectation"
    return "gumbel-softmax" if kind.family.reparameterisable else "rloo"


def _check_taught(parts: Parts) -> None:
    """Refuse relaxed draws where nothing but the model learns from them."""
    gradient: Any = parts.inference.constructor
    if getattr(parts.posterior.constructor, "taught", True) or not getattr(
        gradient, "relaxed", False
    ):
        return
    raise ConfigurationError(
        f"inference={parts.inference.label!r} relaxes the bits to teach an encoder, which "
        f"posterior={parts.posterior.label!r} does not have; use inference='local-expectation', or "
        "posterior='mean-field'"
    )


def check_automatic(parts: Parts) -> None:
    """Refuse parts with which factors cannot be counted.

    Raises
    ------
    ConfigurationError
        Which says what to use instead.
    """
    inference, decoder, prior = parts.inference, parts.decoder, parts.prior
    if not getattr(prior.constructor, "independent", True):
        raise ConfigurationError(
            "n_components='auto' weighs each factor by itself, and those of "
            f"prior={prior.label!r} depend on each other; use prior='bernoulli' or a number of "
            "factors"
        )
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
