"""Parameters of the estimators, checked when ``fit`` is called."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from topicfactors.errors import ConfigurationError, unknown_name
from topicfactors.estimators.specs import parsed
from topicfactors.values import is_number, is_whole, number, whole

WHOLE = {"n_components": 1, "n_runs": 1, "n_iter_no_change": 0, "verbose": 0}
SHARES = {"kl_warmup": 1.0, "validation_fraction": 0.9}
POSITIVE = ("overlap_penalty", "tol", "covariate_shrinkage")
CLASS_PRIORS = ("auto", "balanced", "labelled", "learnt", "uniform")
FASTEST = 10  # learning rate
MOST = 200  # factors that "auto" tries


def check_parameters(estimator: Any) -> None:
    """Refuse numbers that make no sense.

    Raises
    ------
    ConfigurationError
        "<name> must be …, got …".
    """
    for name, least in WHOLE.items():
        value = getattr(estimator, name)
        if name == "n_components" and isinstance(value, str):
            most_factors(value)
        elif not is_whole(value, switch=name == "verbose") or value < least:
            _refuse(name, f"a whole number of {least} or more", value)
    for name, most in SHARES.items():
        value = getattr(estimator, name)
        if name == "kl_warmup" and _is_auto(value):
            continue
        if not is_number(value) or not 0 <= value <= most:
            auto = "'auto' or " if name == "kl_warmup" else ""
            _refuse(name, f"{auto}a share between 0 and {most:g}", value)
    for name in POSITIVE:
        value = getattr(estimator, name)
        if not is_number(value) or not 0 <= value < math.inf:
            _refuse(name, "a number of 0 or more", value)
    parsed(estimator.covariates)
    _check_training(estimator)
    check_length(estimator.length_tempering)
    pull = estimator.shrinkage
    if not (_is_auto(pull) or (is_number(pull) and 0 <= pull < math.inf)):
        _refuse("shrinkage", "'auto' or a number of 0 or more", pull)


def check_length(value: object) -> None:
    """Refuse what is no tempering of long documents.

    Raises
    ------
    ConfigurationError
        Which says what is.
    """
    if not (value is None or _is_auto(value) or (is_number(value) and 0 < value < math.inf)):
        _refuse("length_tempering", "None, 'auto' or a number above 0", value)


def check_components(estimator: Any) -> None:
    """Refuse numbers that make no sense of an estimator with classes.

    Raises
    ------
    ConfigurationError
        "<name> must be …, got …".
    """
    starts = estimator.n_init
    if not (_is_auto(starts) or (is_whole(starts) and starts >= 1)):
        _refuse("n_init", "'auto' or a whole number of 1 or more", starts)
    whole("n_components", estimator.n_components, 1)
    number("smoothing", estimator.smoothing, open_ends="low")
    number("weight_smoothing", estimator.weight_smoothing)
    number("covariate_shrinkage", estimator.covariate_shrinkage)
    parsed(estimator.covariates)
    number("validation_fraction", estimator.validation_fraction, 0.0, 0.9)
    whole("n_iter_no_change", estimator.n_iter_no_change, 0)
    _check_fit(estimator)


def check_classifier(estimator: Any) -> None:
    """Refuse numbers that make no sense of a semi-supervised classifier.

    Raises
    ------
    ConfigurationError
        "<name> must be …, got …".
    """
    whole("components_per_class", estimator.components_per_class, 1)
    whole("n_factors", estimator.n_factors, 0)
    for name, ends in (
        ("smoothing", "low"),
        ("unlabelled_weight", ""),
        ("discriminative_weight", ""),
    ):
        value = getattr(estimator, name)
        if not _is_auto(value):
            number(name, value, open_ends=ends)
    prior = estimator.class_prior
    if isinstance(prior, str) and prior not in CLASS_PRIORS:
        raise unknown_name("class_prior", prior, CLASS_PRIORS)
    if not is_whole(estimator.calibrate, switch=True):
        _refuse("calibrate", "True or False", estimator.calibrate)
    _check_fit(estimator)


def _check_fit(estimator: Any) -> None:
    """Those of all estimators with classes."""
    number("tol", estimator.tol)
    if not is_whole(estimator.verbose, switch=True) or estimator.verbose < 0:
        _refuse("verbose", "a whole number of 0 or more", estimator.verbose)
    _check_training(estimator)


def _check_training(estimator: Any) -> None:
    """Those of the loop, which all estimators have."""
    passes = estimator.max_iter
    if passes is not None and not (is_whole(passes) and passes >= 1):
        _refuse("max_iter", "None or a whole number of 1 or more", passes)
    size = estimator.batch_size
    if not (_is_auto(size) or (is_whole(size) and size >= 1)):
        _refuse("batch_size", "'auto' or a whole number of 1 or more", size)
    rate = estimator.learning_rate
    if not (_is_auto(rate) or (is_number(rate) and 0 < rate < FASTEST)):
        _refuse("learning_rate", f"'auto' or a number above 0 and below {FASTEST}", rate)
    jobs = estimator.n_jobs
    if jobs is not None and not (is_whole(jobs) and jobs != 0):
        _refuse("n_jobs", "None, a number of threads, or -1 for all cores", jobs)
    listeners = estimator.callbacks
    if listeners is not None and not (
        isinstance(listeners, Iterable) and all(map(callable, listeners))
    ):
        _refuse("callbacks", "None or a list of functions", listeners)


def is_automatic(value: object) -> bool:
    """Is the number of factors left to the package?"""
    return isinstance(value, str) and value.partition(":")[0] == "auto"


def most_factors(value: object) -> int:
    """The largest number of factors that ``"auto"`` or ``"auto:most=200"`` allows.

    Raises
    ------
    ConfigurationError
        When it is neither.

    Examples
    --------
    >>> most_factors("auto:most=40")
    40
    """
    name, colon, text = str(value).partition(":")
    given = dict(part.partition("=")[::2] for part in text.split(",")) if colon else {}
    most = given.pop("most", str(MOST))
    if name != "auto" or given or not most.isdecimal() or int(most) < 1:
        raise ConfigurationError(
            "n_components must be a whole number of 1 or more, 'auto', or 'auto:most=200' for at "
            f"most 200 factors, got {value!r}"
        )
    return int(most)


def _is_auto(value: object) -> bool:
    return isinstance(value, str) and value == "auto"


def _refuse(name: str, allowed: str, value: object) -> None:
    raise ConfigurationError(f"{name} must be {allowed}, got {value!r}")
