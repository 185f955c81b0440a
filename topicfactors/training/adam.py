"""Adam as all training here uses it."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

import torch


class Adam(torch.optim.Adam):
    """torch's, in one pass over the parameters, and without torch's compiler.

    Three methods of every optimizer of torch are kept out of compiled code, for which they load the
    compiler: a second of every start, where nothing is compiled.

    Parameters
    ----------
    parameters
        Or groups of them.
    learning_rate
        The first; whoever trains sets it step by step.
    """

    def __init__(self, parameters: Iterable[Any], learning_rate: float) -> None:
        super().__init__(parameters, lr=learning_rate, betas=(0.9, 0.99), fused=True)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Train another group of parameters."""
        inspect.unwrap(torch.optim.Adam.add_param_group)(self, param_group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients."""
        inspect.unwrap(torch.optim.Adam.zero_grad)(self, set_to_none)

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Move the parameters by their gradients."""
        return inspect.unwrap(torch.optim.Adam.step)(self, closure)
