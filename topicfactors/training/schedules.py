"""How long and how fast to train."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train."""

    epochs: int = 40
    batch_size: int = 256  # documents
    learning_rate: float = 5e-3  # the highest; it rises over 5 % of the steps, then falls as cosine
    kl_warmup: float = 0.3  # share of the steps over which the KL weight rises from 0 to 1
    clip: float = 1.0  # largest norm of the gradient, nats a token
    patience: int = 8  # epochs at full KL weight without progress before training ends; 0: never
    tol: float = 1e-4  # relative progress of the held-out bound that counts
    autocast: bool | None = None  # bfloat16 layers; None: on a GPU only
    constant: bool = False  # keep the learning rate up, for training that has no end

    def learning_rate_at(self, progress: float) -> float:
        """Learning rate after this share of the steps."""
        if self.constant:
            return self.learning_rate
        rise = min(1.0, progress / 0.05)
        fall = 0.5 * (1 + math.cos(math.pi * progress))
        return self.learning_rate * (0.02 + 0.98 * min(rise, fall))

    def kl_weight_at(self, progress: float) -> float:
        """KL weight after this share of the steps."""
        return 1.0 if self.kl_warmup == 0 else min(1.0, progress / self.kl_warmup)
