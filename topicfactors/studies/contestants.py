"""Which gradient estimators can serve a model, and the objectives in which they do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import torch

from topicfactors.errors import ConfigurationError, InputError
from topicfactors.estimators import parts
from topicfactors.estimators.choices import Choice, resolve
from topicfactors.estimators.combinations import Parts, check
from topicfactors.gradients import GRADIENTS
from topicfactors.inference.families import POSTERIORS
from topicfactors.studies.walks import CountedObjective, counted
from topicfactors.training.objectives import FactorObjective

SAMPLED = ("gumbel-softmax", "nvil")  # what "auto" stands for here, and where that cannot serve
Named = str | Callable[..., Any]


class Refused(NamedTuple):
    """An estimator that cannot serve the model."""

    estimator: str
    reason: str


class Contestant(NamedTuple):
    """An estimator that can, and the parts with it in them."""

    label: str
    parts: Parts

    @property
    def kind(self) -> Any:
        """Its class."""
        return self.parts.inference.constructor

    @property
    def sampled(self) -> bool:
        """Is there a gradient in a posterior's logits?"""
        return bool(getattr(self.kind, "sampled", True))

    @property
    def objective(self) -> str:
        """What its gradient is of: ``"elbo"``, or another bound."""
        if not self.sampled:
            return self.parts.inference.label
        return str(getattr(self.kind, "objective", "elbo"))


class Start(NamedTuple):
    """Weights from which every estimator begins."""

    words: int
    factors: int
    overlap_penalty: float
    design: Any
    joint: dict[str, torch.Tensor]
    posterior: dict[str, torch.Tensor]


def contestants(
    model: Any, factors: int, names: Iterable[Named] | None
) -> tuple[list[Contestant], list[Refused]]:
    """Those asked for that can serve the model, and the others with the reason.

    Raises
    ------
    ConfigurationError
        When a name is unknown or its options are wrong.
    """
    chosen = parts.choose(model.get_params(deep=False), factors)
    asked = list(GRADIENTS) if names is None else [_plain(name) for name in names]
    found, refused = [], []
    for name in dict.fromkeys(asked):
        choice = resolve("estimators", name, GRADIENTS)
        label = name if isinstance(name, str) else choice.label
        contestant = Contestant(label, _with(chosen, choice))
        try:
            check(contestant.parts, factors, model.overlap_penalty)
            _try(contestant, factors)
        except ConfigurationError as error:
            if choice.options and not isinstance(error.__cause__, ConfigurationError):
                raise
            refused.append(Refused(label, str(error)))
        else:
            found.append(contestant)
    return found, refused


def _plain(name: Named) -> Named:
    return name.strip() if isinstance(name, str) else name


def _with(chosen: Parts, choice: Choice) -> Parts:
    """The parts with another estimator, which brings its posterior where it has one of its own."""
    if getattr(choice.constructor, "sampled", True):
        return chosen._replace(inference=choice)
    own = getattr(choice.constructor, "posterior", "mean-field")
    return chosen._replace(inference=choice, posterior=resolve("posterior", own, POSTERIORS))


def _try(contestant: Contestant, factors: int) -> None:
    """Build it for one word, so that what cannot be built is refused before any work."""
    with torch.random.fork_rng(devices=[]):
        parts.build(contestant.parts, 1, factors, 0.0)


def usual(model: Any) -> Any:
    """The inference with which a model that was not fitted is fitted.

    Raises
    ------
    ConfigurationError
        When it says one without draws, its parts do not fit together, or no gradient teaches its
        posterior.
    """
    refuse_layers(model)
    given = model.get_params(deep=False)
    left = isinstance(model.inference, str) and model.inference == "auto"
    name = _first_that_serves(given) if left else model.inference
    chosen = parts.choose(given | {"inference": name}, 1)
    if not getattr(chosen.inference.constructor, "sampled", True):
        raise ConfigurationError(
            f"inference={chosen.inference.label!r} fits a posterior that has no logits to take "
            "gradients in; leave inference='auto', or name one that learns from draws, such as "
            "'gumbel-softmax'"
        )
    if not getattr(chosen.posterior.constructor, "taught", True):
        raise ConfigurationError(
            f"posterior={chosen.posterior.label!r} is taught by no gradient, so that there is "
            "nothing to compare; use posterior='mean-field'"
        )
    return name


def _first_that_serves(given: dict[str, Any]) -> str:
    """Of those sampled, the first that fits the other parts; the last where none does."""
    for name in SAMPLED[:-1]:
        try:
            parts.choose(given | {"inference": name}, 1)
        except ConfigurationError:
            continue
        return name
    return SAMPLED[-1]


def require_sampled(model: Any) -> None:
    """Refuse a fitted model whose posterior learns from no draws.

    Raises
    ------
    InputError
        With the cure.
    """
    refuse_layers(model)
    posterior = model.objective_.posterior
    if not (posterior.sampled and getattr(posterior, "taught", True)):
        raise InputError(
            f"the model was fitted with inference={model.inference_!r} and a posterior that has no "
            "logits which a gradient teaches; give a model fitted with inference='gumbel-softmax', "
            "or one that is not fitted"
        )


def refuse_layers(model: Any) -> None:
    """Refuse continuous layers, whose draws are not of the factors.

    Raises
    ------
    ConfigurationError
        With the cure.
    """
    if model.continuous_layers:
        raise ConfigurationError(
            f"continuous_layers={model.continuous_layers!r} are drawn beside the factors, and the "
            "gradient through the factors alone is what is compared; use continuous_layers=0"
        )


def started(chosen: Parts, model: Any, factors: int, counts: Any, seed: int) -> Start:
    """The weights that a fit begins with, once for all estimators."""
    torch.manual_seed(seed)
    design, penalty = model.design_, model.overlap_penalty
    objective = parts.build(chosen, counts.shape[1], factors, penalty, design)
    parts.start(objective, chosen, counts, seed)
    states = (objective.joint.state_dict(), objective.posterior.state_dict())
    return Start(counts.shape[1], factors, penalty, design, *states)


def begun(contestant: Contestant, start: Start, device: torch.device) -> CountedObjective:
    """The objective of an estimator, at the weights that all begin with."""
    objective: FactorObjective = parts.build(
        contestant.parts, start.words, start.factors, start.overlap_penalty, start.design
    )
    objective.joint.load_state_dict(start.joint)
    if contestant.sampled:
        objective.posterior.load_state_dict(start.posterior)
    return counted(objective).to(device)
