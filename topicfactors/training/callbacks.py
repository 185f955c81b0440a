"""What training tells the outside, and what listens to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, runtime_checkable


class Epoch(NamedTuple):
    """One pass over the training documents, as told to every callback."""

    number: int  # from 1
    of: int  # at most so many
    bound: float  # mean training bound, nats a document (of the relaxed model where relaxed)
    perplexity: float  # per-document, of the hard-bit bound on the held-out share, or of training
    held_out: float | None  # mean hard-bit bound of the held-out documents, nats
    active: int  # factors whose posterior varies between documents
    kl_weight: float
    learning_rate: float
    seconds: float  # since training began


Callback = Callable[[Epoch], None]
"""Called after every epoch; raising StopIteration ends training and keeps the best weights."""


@runtime_checkable
class Keeper(Protocol):
    """A callback that can stop and go on between two steps, as checkpoints do."""

    def begun(self, trainer: Any) -> None:
        """Called before the first step; may put an earlier ``trainer.state_dict()`` back."""

    def stepped(self, trainer: Any) -> None:
        """Called after every step; an interruption raised here leaves a state to go on from."""

    def __call__(self, epoch: Epoch) -> None:
        """Called after every epoch."""
