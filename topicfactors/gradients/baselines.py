"""Baselines of score-function estimators: all from earlier steps or from x, never from this z."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from topicfactors.contracts import Draw


class RunningMoments(nn.Module):
    """Mean and standard deviation of a signal over earlier steps, by exponential decay."""

    def __init__(self, decay: float = 0.8) -> None:
        super().__init__()
        self.decay = decay
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("variance", torch.ones(()))
        self.register_buffer("seen", torch.zeros(()))
        self.mean: Tensor
        self.variance: Tensor
        self.seen: Tensor

    @property
    def deviation(self) -> Tensor:
        """Standard deviation, a scalar."""
        return self.variance.sqrt()

    @torch.no_grad()
    def update(self, signal: Tensor) -> None:
        """Fold in this step's signal; the first one replaces the starting values."""
        keep = torch.where(self.seen > 0, self.decay, 0.0)
        self.mean.lerp_(signal.mean().to(self.mean.dtype), 1 - keep)
        self.variance.lerp_(signal.var(correction=0).to(self.mean.dtype), 1 - keep)
        self.seen += 1


class FittedCoefficient(nn.Module):
    """a* = −Cov(signal·(z − θ), z − θ) / Var(z − θ) for every factor, from earlier steps.

    The control variate z − θ has mean zero whatever the signal, so adding a*·(z − θ) to the score
    leaves its mean alone and takes away what the two share.
    """

    def __init__(self, factors: int, decay: float = 0.8) -> None:
        super().__init__()
        self.decay = decay
        self.register_buffer("covariance", torch.zeros(factors))
        self.register_buffer("variance", torch.full((factors,), 1e-9))
        self.covariance: Tensor
        self.variance: Tensor

    def forward(self) -> Tensor:
        """a*, ``(D,)``."""
        return -self.covariance / self.variance

    @torch.no_grad()
    def update(self, signal: Tensor, draw: Draw) -> None:
        """Fold in the signal ``(S, B)`` of this step's draw."""
        squared = (draw.bits - torch.sigmoid(draw.logits)).square()
        covariance = (signal[..., None] * squared).mean((0, 1)).to(self.covariance.dtype)
        self.covariance.lerp_(covariance, 1 - self.decay)
        self.variance.lerp_(squared.mean((0, 1)).to(self.variance.dtype), 1 - self.decay)


class InputBaseline(nn.Module):
    """C_ψ(x): a small network on what the encoder knew of a document.

    The last feature is the document's length in tokens, on which a log-likelihood depends
    linearly to first order; it has a direct way to the output. The unit of the output is the
    deviation of the first signal seen.
    """

    def __init__(self, features: int, *, width: int = 64) -> None:
        super().__init__()
        last = nn.Linear(width, 2)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.layers = nn.Sequential(nn.Linear(features - 1, width), nn.GELU(), last)
        self.register_buffer("unit", torch.zeros(()))
        self.unit: Tensor

    def forward(self, features: Tensor, signal: Tensor) -> Tensor:
        """Prediction ``(B,)`` of the signal ``(S, B)``, which sets the unit and nothing else."""
        if self.training:
            first = signal.std(correction=0).clamp_min(1.0).to(self.unit.dtype)
            self.unit.copy_(torch.where(self.unit > 0, self.unit, first))
        offset, slope = self.layers(features[:, :-1].to(self.unit.dtype)).unbind(-1)
        predicted: Tensor = self.unit * (offset + slope * features[:, -1] / 100)
        return predicted
