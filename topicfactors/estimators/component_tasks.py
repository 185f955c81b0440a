"""What every start of a fit of components is given, and what it comes to."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from topicfactors.estimators.components import Floats
from topicfactors.model.likelihood import Frequencies
from topicfactors.training import em
from topicfactors.training.em_responses import ResponseComponents
from topicfactors.training.trainer import History


class Learnt(NamedTuple):
    """What a fit from one start came to."""

    objective: float  # what was maximised, nats
    history: History
    reseeded: list[int]
    converged: bool
    weights: dict[str, torch.Tensor]
    answers: ResponseComponents | None = None


class Task(NamedTuple):
    """What every start of a fit is given."""

    counts: Any  # evidence, (N, V) CSR
    known: em.Known
    corpus: Frequencies  # of the evidence
    words: float  # pseudo-tokens of a component
    weights: float  # pseudo-documents of a component
    held_out: Any | None  # evidence
    fixed: Floats | None = None  # (K,) shares of the components that are not learnt
    balance: Floats | None = None  # (K,) what their mean posterior is held to

    def smoothing(self) -> em.Smoothing:
        """What the closed steps are pulled towards."""
        shares = self.corpus.shares().numpy()
        return em.Smoothing(shares, self.words, self.weights, self.fixed, self.balance)
