r"""RELAX: REBAR's control variate and a free one, a small network of the noisy bits.

Grathwohl, Choi, Wu, Roeder and Duvenaud (2018), https://arxiv.org/abs/1711.00123. In the place of
:math:`\eta f(r)` stands :math:`\eta f(\sigma(\zeta/\tau)) + \rho_\phi(\sigma(\zeta))`, with
:math:`\rho_\phi` a network that also knows what the encoder knew of the document; φ descends
the squared gradient of each document, exactly, together with η and τ. Unbiased whatever φ. A step
costs what one of REBAR does, and the network twice. For models whose relaxation explains the score
badly; on a model that REBAR serves it has little to add. Needs a factorised posterior.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from topicfactors.contracts import Distribution, Sizes
from topicfactors.gradients.rebar import Noisy, Rebar
from topicfactors.values import whole


class FreeForm(nn.Module):
    """ρ_φ: σ(ζ) and what the encoder knew of a document to nats; zero before it has learnt.

    As in the baselines the last feature is the document's length, with a way of its own to the
    output, and the unit of the output is the deviation of the first signal seen.
    """

    def __init__(self, sizes: Sizes, width: int) -> None:
        super().__init__()
        self.of_bits = nn.Linear(sizes.factors, width)
        known = max(sizes.features - 1, 0)
        self.of_features = nn.Linear(known, width, bias=False) if known else None
        self.last = nn.Linear(width, 2)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)
        self.register_buffer("unit", torch.zeros(()))
        self.unit: Tensor

    def forward(self, values: Tensor, features: Tensor, signal: Tensor) -> Tensor:
        """``(S, B, D)`` and features ``(B, F)`` to ``(S, B)`` nats; the signal sets the unit."""
        if self.training:
            first = signal.std(correction=0).clamp_min(1.0).to(self.unit.dtype)
            self.unit.copy_(torch.where(self.unit > 0, self.unit, first))
        dtype = self.unit.dtype
        hidden, length = self.of_bits(values.to(dtype)), features.new_zeros(())
        if self.of_features is not None:
            hidden = hidden + self.of_features(features[:, :-1].to(dtype))
            length = features[:, -1] / 100
        offset, slope = self.last(torch.tanh(hidden)).unbind(-1)
        predicted: Tensor = self.unit * (offset + slope * length)
        return predicted


class Relax(Rebar):
    """Score function with a relaxation and a network as control variate.

    Parameters
    ----------
    sizes
        Its ``features`` is what the network reads beside the bits.
    samples
        Draws a document.
    temperature, scale
        Starting values of τ and of η; ``scale=0`` starts from the network alone.
    learnt
        Whether they and the network are tuned.
    width
        Units of the network.
    """

    def __init__(
        self,
        sizes: Sizes,
        *,
        samples: int = 1,
        temperature: float = 1.0,
        scale: float = 1.0,
        learnt: bool = True,
        width: int = 64,
    ) -> None:
        super().__init__(
            sizes, samples=samples, temperature=temperature, scale=scale, learnt=learnt
        )
        whole("width", width, 1)
        self.network = FreeForm(sizes, width)

    def _free(self, noisy: Noisy, q: Distribution, signal: Tensor) -> Tensor:
        """What the network adds to the estimate, ``(S, B, D)``, differentiable in φ."""
        with torch.enable_grad():
            values = torch.sigmoid(noisy.zeta).requires_grad_()
            predicted = self.network(values, q.features.detach(), signal)
            tuned = self.training and self.learnt
            (slope,) = torch.autograd.grad(predicted.sum(), values, create_graph=tuned)
        values = values.detach()
        return noisy.control(predicted, slope * values * (1 - values))
