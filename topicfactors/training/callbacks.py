"""What training tells the outside, and what listens to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

from topicfactors.errors import ConfigurationError


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

    def ended(self, trainer: Any) -> None:
        """Called when training is over, however it ended, before the best weights are put back."""


def refuse_keepers(callbacks: Sequence[Callback] | None) -> None:
    """Refuse what goes on between two steps, where there are none.

    Raises
    ------
    ConfigurationError
        With the cure.
    """
    if any(isinstance(one, Keeper) for one in callbacks or ()):
        raise ConfigurationError(
            "checkpoints are of trainings by the gradient, and inference='em' has none; leave them "
            "(Checkpoints, --resume) out, or take inference='exact' or 'gumbel-softmax'"
        )
