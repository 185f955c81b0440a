"""What JSON holds, taken for what an annotation says it is: nothing else gets into a model."""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Callable, Sequence
from typing import Any

from topicfactors.values import is_number, is_whole

PLAIN: dict[Any, Callable[[Any], bool]] = {
    Any: lambda stored: True,
    object: lambda stored: True,
    type(None): lambda stored: stored is None,
    bool: lambda stored: isinstance(stored, bool),
    int: lambda stored: is_whole(stored) and abs(stored) < 2**63,
    str: lambda stored: isinstance(stored, str),
}


def of_kind(kind: Any) -> Callable[[Any], Any]:
    """What reads a value of that kind: :func:`taken` with the kind in place."""
    return functools.partial(taken, kind)


def taken(kind: Any, stored: Any) -> Any:
    """A value of JSON as one of some kind.

    Parameters
    ----------
    kind
        ``int``, ``float`` (JSON has no NaN: null stands for it), ``str``, ``bool``, ``None``, a
        NamedTuple of such (a list in JSON), or ``list[…]``, ``dict[str, …]`` and unions of them.

    Raises
    ------
    ValueError
        When it is none.

    Examples
    --------
    >>> taken(list[float], [1, None]), taken(int | None, None)
    ([1, nan], None)
    >>> taken(dict[str, int], {"steam": "engine"})
    Traceback (most recent call last):
    ValueError: 'engine' where there should be a int
    """
    inner, outer = typing.get_args(kind), typing.get_origin(kind)
    if outer in (types.UnionType, typing.Union):
        return _any_of(inner, stored)
    if kind is float:
        return _number(stored)
    if kind in PLAIN:
        if PLAIN[kind](stored):
            return stored
    elif outer in (list, Sequence) and isinstance(stored, list):
        return [taken(inner[0], each) for each in stored]
    elif outer is dict and isinstance(stored, dict):
        return {name: taken(inner[1], each) for name, each in stored.items()}
    elif hasattr(kind, "_fields") and isinstance(stored, list):
        return _tuple_of(kind, stored)
    raise ValueError(
        f"{repr(stored)[:40]} where there should be a {getattr(kind, '__name__', kind)}"
    )


def _number(stored: Any) -> float:
    if stored is None:
        return float("nan")
    if is_number(stored) and abs(stored) <= 1e308:
        return stored
    raise ValueError(f"{repr(stored)[:40]} where there should be a number")


def _any_of(kinds: Sequence[Any], stored: Any) -> Any:
    """As the first of them that it is; None before a number that may be NaN."""
    refusal: ValueError | None = None
    for kind in sorted(kinds, key=lambda kind: kind is not type(None)):
        try:
            return taken(kind, stored)
        except ValueError as error:
            refusal = error
    raise refusal or ValueError("nothing is allowed")


def _tuple_of(kind: Any, stored: list[Any]) -> Any:
    hints = typing.get_type_hints(kind)
    needed = len(kind._fields) - len(kind._field_defaults)
    if not needed <= len(stored) <= len(kind._fields):
        raise ValueError(f"{len(stored)} values where a {kind.__name__} has {len(kind._fields)}")
    names = kind._fields[: len(stored)]
    return kind(*(taken(hints[name], each) for name, each in zip(names, stored, strict=True)))
