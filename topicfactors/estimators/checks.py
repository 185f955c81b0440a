"""Parameters of the estimators, checked when ``fit`` is called."""

from __future__ import annotations

import numbers
from typing import Any, TypeGuard

from topicfactors.errors import ConfigurationError

WHOLE = {"n_components": 1, "max_iter": 1, "n_iter_no_change": 0}
SHARES = {"kl_warmup": 1.0, "validation_fraction": 0.9}
POSITIVE = {"overlap_penalty", "tol"}


def check_parameters(estimator: Any) -> None:
    """Refuse numbers that make no sense.

    Raises
    ------
    ConfigurationError
        "<name> must be …, got …".
    """
    for name, least in WHOLE.items():
        value = getattr(estimator, name)
        if not is_whole(value) or value < least:
            _refuse(name, f"a whole number of {least} or more", value)
    for name, most in SHARES.items():
        value = getattr(estimator, name)
        if not is_number(value) or not 0 <= value <= most:
            _refuse(name, f"a share between 0 and {most:g}", value)
    for name in POSITIVE:
        value = getattr(estimator, name)
        if not is_number(value) or not value >= 0:
            _refuse(name, "a number of 0 or more", value)
    size = estimator.batch_size
    if size != "auto" and not (is_whole(size) and size >= 1):
        _refuse("batch_size", "'auto' or a whole number of 1 or more", size)
    rate = estimator.learning_rate
    if rate != "auto" and not (is_number(rate) and 0 < rate < 10):
        _refuse("learning_rate", "'auto' or a number above 0", rate)


def is_whole(value: object) -> TypeGuard[int]:
    """Is it a whole number? numpy's count, True and False too."""
    return isinstance(value, numbers.Integral)


def is_number(value: object) -> TypeGuard[float]:
    """Is it a real number?"""
    return isinstance(value, numbers.Real)


def _refuse(name: str, allowed: str, value: object) -> None:
    raise ConfigurationError(f"{name} must be {allowed}, got {value!r}")
