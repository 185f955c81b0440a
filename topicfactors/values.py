"""Numbers that users give, checked where they arrive: "<name> must be …, got …"."""

from __future__ import annotations

import math
import numbers
from typing import TypeGuard

import numpy as np

from topicfactors.errors import ConfigurationError

EACH_CORE = 8  # threads or processes that are of some use


def is_whole(value: object, switch: bool = False) -> TypeGuard[int]:
    """Is it a whole number? numpy's count; True and False only for a ``switch``."""
    if isinstance(value, bool | np.bool_):
        return switch
    return isinstance(value, numbers.Integral)


def is_number(value: object) -> TypeGuard[float]:
    """Is it a real number? numpy's count; True and False do not."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def jobs(n_jobs: int | None) -> int:
    """How many threads or processes ``n_jobs`` means here; a few for each core, at most.

    A number may have come from another machine, or in a folder from anywhere.

    >>> jobs(None), jobs(10**12) < 10**6
    (1, True)
    """
    from joblib import cpu_count, effective_n_jobs

    return int(min(effective_n_jobs(n_jobs), EACH_CORE * cpu_count()))


def whole(name: str, value: object, least: int) -> None:
    """Refuse what is not a whole number of at least so much.

    >>> whole("samples", 0, 1)
    Traceback (most recent call last):
    topicfactors.errors.ConfigurationError: samples must be a whole number of 1 or more, got 0
    """
    if not is_whole(value) or value < least:
        raise ConfigurationError(f"{name} must be a whole number of {least} or more, got {value!r}")


def number(
    name: str, value: object, low: float = 0.0, high: float = math.inf, *, open_ends: str = ""
) -> None:
    """Refuse what is not a finite number between two ends.

    ``open_ends`` names the ends that do not belong: ``"low"``, ``"high"`` or ``"low high"``.

    >>> number("dropout", 1.0, 0.0, 1.0, open_ends="high")
    Traceback (most recent call last):
    topicfactors.errors.ConfigurationError: dropout must be a number from 0 to below 1, got 1.0
    """
    above, below = "low" in open_ends, "high" in open_ends
    if is_number(value) and math.isfinite(value):
        inside = low < value if above else low <= value
        if inside and (value < high if below else value <= high):
            return
    allowed = f"above {low:g}" if above else f"from {low:g}"
    if math.isfinite(high):
        allowed += f" to {'below ' if below else ''}{high:g}"
    elif not above:
        allowed = f"of {low:g} or more"
    raise ConfigurationError(f"{name} must be a number {allowed}, got {value!r}")
