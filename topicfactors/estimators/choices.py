"""From what a user names to the constructor of a part.

A part is named (``"nvil"``), named with options (``"nvil:samples=8"``), or given as a constructor
or a ``functools.partial`` of one.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from topicfactors.errors import ConfigurationError, unknown_name

PYTHON = {"True": "true", "False": "false", "None": "null"}  # as people write them, to JSON

AUTOMATIC = ("inference", "init", "posterior", "smoothing", "tempering")
STARS, STARRED = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD


class Choice(NamedTuple):
    """A part as chosen."""

    name: str | None  # in the registry; None for a constructor of the user's own
    constructor: Callable[..., Any]
    options: dict[str, Any]

    @property
    def label(self) -> str:
        """Its name; that of the constructor where it is the user's own."""
        return self.name or str(getattr(self.constructor, "__name__", repr(self.constructor)))

    def build(self, *args: Any) -> Any:
        """The part itself.

        Raises
        ------
        ConfigurationError
            When the constructor does not take the options, or not these values of them.
        """
        try:
            return self.constructor(*args, **self.options)
        except (TypeError, ValueError, RuntimeError) as error:
            if isinstance(error, ConfigurationError) or not self.options:
                raise
            raise ConfigurationError(self._refusal(error, len(args))) from error

    def _refusal(self, error: Exception, sizes: int) -> str:
        found = list(inspect.signature(self.constructor).parameters.values())[sizes:]
        known = [option.name for option in found if option.kind not in (STARS, STARRED)]
        unknown = [option for option in self.options if option not in known]
        if unknown and isinstance(error, TypeError):
            names = ", ".join(known) or "none"
            return f"{self.label} has no option {unknown[0]!r}; its options are: {names}"
        given = ", ".join(f"{key}={value!r}" for key, value in self.options.items())
        reason = str(error).strip().partition("\n")[0]
        return f"{self.label} cannot take {given}: {reason}"


def resolve(what: str, value: Any, registry: Mapping[str, Any]) -> Choice:
    """The constructor and options that a parameter asks for.

    Raises
    ------
    ConfigurationError
        When the name is unknown, its options cannot be read, or it is no constructor.
    """
    if isinstance(value, str):
        name, _, text = value.partition(":")
        if name not in registry:
            raise unknown_name(what, name, [*registry, *automatic(what)])
        return Choice(name, registry[name], _options(what, text))
    constructor, options = value, {}
    if isinstance(value, partial) and not value.args:
        constructor, options = value.func, dict(value.keywords)
    if not callable(constructor):
        raise ConfigurationError(
            f"{what} must be one of {', '.join(sorted(registry))} or a constructor, got {value!r}"
        )
    names = [name for name, known in registry.items() if known is constructor]
    return Choice(names[0] if names else None, constructor, options)


def automatic(what: str) -> list[str]:
    """``["auto"]`` for the parameters that can be left to the package."""
    return ["auto"] if what in AUTOMATIC else []


def spell(what: str, value: Any, registry: Mapping[str, Any]) -> str:
    """The parameter as a string that :func:`resolve` understands; what a file can hold.

    Raises
    ------
    ConfigurationError
        For a constructor that is in no registry.
    """
    if isinstance(value, str):
        return value
    choice = resolve(what, value, registry)
    if choice.name is None:
        raise ConfigurationError(
            f"{what}={value!r} is a constructor of your own, which a file cannot hold; "
            f"use one of {', '.join(sorted(registry))}, or pickle the model yourself"
        )
    options = ",".join(f"{key}={json.dumps(item)}" for key, item in choice.options.items())
    return f"{choice.name}:{options}" if options else choice.name


def _options(what: str, text: str) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for part in filter(None, text.split(",")):
        key, equals, value = part.partition("=")
        if not equals or not key.isidentifier():
            raise ConfigurationError(
                f"{what}: options are written name:option=value,option=value, got {part!r}"
            )
        try:
            options[key] = json.loads(PYTHON.get(value, value))
        except ValueError:
            options[key] = value
    return options
