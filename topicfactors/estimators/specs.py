"""Which covariates, how they are read and on what they act.

A column is asked for as ``"year"``, ``"year:spline"``, ``"year:spline=8"``, ``"decade:category"``,
``"section:content"`` or ``"year:spline:both"``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from topicfactors.errors import ConfigurationError

KINDS = ("number", "category", "spline")
ROLES = ("prevalence", "both", "content")  # in this order of the coded columns
KNOTS = 5  # of a spline, at quantiles


class Spec(NamedTuple):
    """A column as asked for."""

    name: str
    kind: str | None = None  # None: numbers where at least half of the cells are, else names
    role: str = "prevalence"
    knots: int = KNOTS


def parsed(specs: Any) -> list[Spec] | None:
    """The columns that a parameter asks for; None for all that there are.

    Raises
    ------
    ConfigurationError
        When they cannot be read, or a column is asked for twice.

    Examples
    --------
    >>> parsed(["year:spline=8", "section:content"])
    [Spec(name='year', kind='spline', role='prevalence', knots=8), \
Spec(name='section', kind=None, role='content', knots=5)]
    """
    if specs is None:
        return None
    if isinstance(specs, str):
        specs = [specs]
    if not isinstance(specs, Iterable) or not all(isinstance(spec, str) for spec in specs):
        raise ConfigurationError(
            "covariates must be None or a list of columns such as 'year:spline' or "
            f"'section:content', got {specs!r}"
        )
    found = [_parsed(spec) for spec in specs]
    names = [spec.name for spec in found]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ConfigurationError(
            f"covariates: column {twice[0]!r} is asked for twice; for prevalence and content say "
            f"'{twice[0]}:both'"
        )
    return found


def _parsed(text: str) -> Spec:
    spec, rest, told = Spec(""), text, set()
    while ":" in rest:
        head, _, word = rest.rpartition(":")
        word, _, number = word.partition("=")
        what = "kind" if word in KINDS else "role" if word in ROLES else ""
        if not what or (number and word != "spline"):
            break
        if what in told:
            raise ConfigurationError(f"covariates: {text!r} says two things of one; choose one")
        told.add(what)
        spec = spec._replace(kind=word) if what == "kind" else spec._replace(role=word)
        if number:
            if not number.isdecimal() or int(number) < 2:
                raise ConfigurationError(
                    f"covariates: {text!r} must give a whole number of 2 or more knots, as in "
                    "'year:spline=5'"
                )
            spec = spec._replace(knots=int(number))
        rest = head
    if not rest:
        raise ConfigurationError(f"covariates: {text!r} names no column; say 'year:spline'")
    return spec._replace(name=rest)
