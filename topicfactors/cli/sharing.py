"""Commands that take options of ``fit`` without writing them down again."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from typing import Any

Command = Callable[..., None]


def signature_of(command: Command) -> inspect.Signature:
    """The parameters of a command, their annotations as typer reads them."""
    return inspect.signature(command, eval_str=True)


def defaults_of(command: Command) -> dict[str, Any]:
    """What every option of a command is where it is not given."""
    found = signature_of(command).parameters.values()
    return {each.name: each.default for each in found if each.default is not each.empty}


def taking(command: Command, left_out: Collection[str]) -> Callable[[Command], Command]:
    """Give the decorated command the options of another as well, but for some.

    What the decorated one has itself stays its own; the others come before ``seed`` or at the end,
    and reach its ``**options``.

    >>> def fit(corpus: str, likelihood: str = "polya", seed: int = 0): ...
    >>> @taking(fit, left_out=["seed"])
    ... def study(corpus: str, k: int = 3, **options): ...
    >>> str(signature_of(study))
    "(corpus: str, k: int = 3, likelihood: str = 'polya')"
    """
    others = signature_of(command).parameters

    def extend(own: Command) -> Command:
        known = signature_of(own)
        mine = [p for p in known.parameters.values() if p.kind is not p.VAR_KEYWORD]
        named = {parameter.name for parameter in mine} | set(left_out)
        taken = [parameter for name, parameter in others.items() if name not in named]
        last = next((n for n, p in enumerate(mine) if p.name == "seed"), len(mine))
        own.__signature__ = known.replace(  # type: ignore[attr-defined]
            parameters=[*mine[:last], *taken, *mine[last:]]
        )
        return own

    return extend
