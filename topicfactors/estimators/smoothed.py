"""The smoothed model's own score, and the scores that a model with continuous layers has."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from topicfactors.contracts import Batch
from topicfactors.errors import ConfigurationError
from topicfactors.gradients.dvae import DVAE
from topicfactors.inference.noise import document_keys, document_noise
from topicfactors.training.continuous import refuse

SMOOTHED = "smoothed-iwae"
AT_ONCE = 2**15  # draws
SALT = 0x5851F42D4C957F2D  # keeps the noise of the bits apart from that of ζ
SUMMED = ("exact", "truncated", "ais")  # bounds that need log p(x, z)


def check_bound(objective: Any, bound: str) -> None:
    """Refuse a bound that the model does not have.

    Raises
    ------
    ConfigurationError
        Which says why, and what to use instead.
    """
    if bound == SMOOTHED and not isinstance(objective.gradient, DVAE):
        raise ConfigurationError(
            f"bound={bound!r} is of a model whose bits were smoothed in training; use "
            "bound='iwae', or fit with inference='dvae'"
        )
    if objective.layers is not None and bound in SUMMED:
        refuse(f"bound={bound!r}")


def smoothed(target: Any, q: Any, gradient: Any, batch: Batch, samples: int) -> Tensor:
    """The importance-weighted bound over ζ (and the continuous layers), ``(B,)`` nats."""
    keys = document_keys(batch.counts)
    noise, more = (document_noise(key, samples, target.factors) for key in (keys, keys ^ SALT))
    bound: Tensor = gradient.smoothed_bound(target, q, samples, noise, more)
    return bound
