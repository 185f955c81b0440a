"""Divergences of independent bits from their log-odds, safe in float32."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def negentropy(logits: Tensor) -> Tensor:
    """Σ_d [q log q + (1 − q) log(1 − q)] of bits with log-odds ``(…, D)``, ``(…)`` nats."""
    on = logits.sigmoid()
    each = on * functional.logsigmoid(logits) + (1 - on) * functional.logsigmoid(-logits)
    return each.sum(-1)


def divergence(logits: Tensor, prior: Tensor) -> Tensor:
    """Σ_d KL(Bernoulli(σ(l_d)) ‖ Bernoulli(σ(a_d))), ``(…)`` nats.

    The log-odds l of the first are ``(…, D)``, those of the second ``(D,)`` or ``(B, D)``.
    """
    on, none = logits.sigmoid(), functional.softplus  # −log of the probability of off
    return (on * (logits - prior) - none(logits) + none(prior)).sum(-1)
