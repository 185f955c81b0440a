"""Plain attributes of modules: what they were made with, and numbers that training moves."""

from __future__ import annotations

import math
from typing import Any

from torch import nn

PLAIN = (bool, int, float, str, type(None))


def settings_of(module: nn.Module) -> dict[str, Any]:
    """The class of every part and its public plain attributes, by their path.

    >>> settings_of(nn.Sequential(nn.Dropout(0.2)))
    {'model': 'Sequential', '0': 'Dropout', '0.p': 0.2, '0.inplace': False}
    """
    found: dict[str, Any] = {}
    for path, part in module.named_modules():
        found[path or "model"] = type(part).__name__
        for name, value in vars(part).items():
            if name != "training" and not name.startswith("_") and _is_plain(value):
                odd = isinstance(value, float) and not math.isfinite(value)
                found[f"{path}.{name}".lstrip(".")] = str(value) if odd else value
    return found


def numbers_of(module: nn.Module) -> dict[str, Any]:
    """The numbers that parts keep beside their tensors: temperatures, steps that were made.

    >>> numbers_of(nn.Sequential(nn.Dropout(0.2)))
    {'0.p': 0.2}
    """
    return {
        f"{path}.{name}".lstrip("."): value
        for path, part in module.named_modules()
        for name, value in vars(part).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def put_numbers(module: nn.Module, numbers: dict[str, Any]) -> None:
    """Give parts the numbers that :func:`numbers_of` found in others of the same make."""
    for name in numbers_of(module):
        path, _, attribute = name.rpartition(".")
        setattr(module.get_submodule(path), attribute, numbers[name])


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    return isinstance(value, PLAIN)
