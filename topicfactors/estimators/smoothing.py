"""The parameters of the discrete VAE that are parts: its smoothing, and its continuous layers."""

from __future__ import annotations

from typing import Any, NamedTuple

from topicfactors.contracts import Sizes
from topicfactors.errors import ConfigurationError
from topicfactors.estimators.choices import Choice, resolve
from topicfactors.gradients import GRADIENTS
from topicfactors.gradients.smoothings import SMOOTHINGS
from topicfactors.training.continuous import ContinuousLayers
from topicfactors.values import is_whole

OPTIONS = ("hidden", "width")


class Layers(NamedTuple):
    """Continuous layers as asked for."""

    number: int
    options: dict[str, int]

    def build(self, sizes: Sizes) -> ContinuousLayers:
        """The layers, their parameters drawn from torch's generator."""
        return ContinuousLayers(sizes, layers=self.number, **self.options)


def asked_layers(value: object) -> Layers | None:
    """What ``continuous_layers`` asks for; None for none.

    Raises
    ------
    ConfigurationError
        When it is neither a number nor ``"2:width=20"``.

    Examples
    --------
    >>> asked_layers("2:width=20")
    Layers(number=2, options={'width': 20})
    """
    if is_whole(value) and value >= 0:
        return Layers(int(value), {}) if value else None
    number, colon, text = str(value).partition(":")
    pairs = [part.partition("=")[::2] for part in text.split(",")] if colon else []
    told = {name: int(size) for name, size in pairs if name in OPTIONS and size.isdecimal()}
    sound = isinstance(value, str) and number.isdecimal() and len(told) == len(pairs)
    if not sound or not all(told.values()):
        raise ConfigurationError(
            "continuous_layers must be a whole number of 0 or more, or such as '2:width=20' (or "
            f"hidden=64, the units of its networks), got {value!r}"
        )
    return Layers(int(number), told) if int(number) else None


def chosen_smoothing(value: Any, inference: Choice) -> Choice | None:
    """The smoothing of an inference; None where it has none.

    Raises
    ------
    ConfigurationError
        When there is no such smoothing, or the inference does not smooth.
    """
    own = getattr(inference.constructor, "smoothing", None)
    if isinstance(value, str) and value == "auto":
        return None if own is None else resolve("smoothing", own, SMOOTHINGS)
    choice = resolve("smoothing", value, SMOOTHINGS)
    if own is None:
        names = " or ".join(repr(name) for name, kind in GRADIENTS.items() if kind.smoothing)
        raise ConfigurationError(
            f"smoothing={choice.label!r} is for an inference that smooths the bits, and "
            f"inference={inference.label!r} does not; use inference={names}, or leave it to 'auto'"
        )
    return choice


def check_layers(parts: Any, automatic: bool) -> None:
    """Refuse continuous layers beside parts that ask for what they hide, or tell them nothing.

    Raises
    ------
    ConfigurationError
        Which says what to use instead.
    """
    if parts.layers is None:
        return
    if not getattr(parts.inference.constructor, "layers", False):
        names = ", ".join(name for name, kind in GRADIENTS.items() if kind.layers)
        raise ConfigurationError(
            f"continuous_layers={parts.layers.number} goes with an inference that asks for no more "
            f"than log p(x | z) of its draws, got inference={parts.inference.label!r}; use one of "
            f"{names}, or continuous_layers=0"
        )
    if not getattr(parts.posterior.constructor, "encoded", True):
        raise ConfigurationError(
            f"continuous_layers={parts.layers.number} reads what an encoder knows, and "
            f"posterior={parts.posterior.label!r} has none; use posterior='mean-field' or "
            "continuous_layers=0"
        )
    if automatic:
        raise ConfigurationError(
            "n_components='auto' weighs factors by a search over states, which a model with "
            "continuous layers does not know; use a number of factors or continuous_layers=0"
        )
