"""From factors to word logits."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from topicfactors.contracts import Sizes
from topicfactors.errors import ConfigurationError
from topicfactors.model.logits import Logits
from topicfactors.values import whole


class Decoder(Protocol):
    """Contract of a decoder: values ``(S, B, D)`` to implicit logits."""

    log_linear: bool  # are the columns of Logits.h the values themselves?
    bias: nn.Parameter

    def logits(self, values: Tensor) -> Logits:
        """η of every sample and document."""

    def loadings(self) -> Tensor:
        """Change of every word's log-weight when only that factor is on, ``(D, V)``."""

    def arrange(self, order: Tensor, flipped: Tensor) -> None:
        """Reorder the factors and turn some of them around, leaving p(x) as it is.

        Factors that are not in ``order (at most D,)`` are dropped.
        """


class LogLinearDecoder(nn.Module):
    r""":math:`\eta = b + W z`: every factor multiplies the odds of its words.

    Parameters
    ----------
    sizes
        Numbers of words V and factors D.
    nonnegative
        Keep W ≥ 0 (through softplus): a factor then only adds words.
    """

    log_linear = True

    def __init__(self, sizes: Sizes, *, nonnegative: bool = False) -> None:
        super().__init__()
        self.raw = nn.Parameter(torch.zeros(sizes.words, sizes.factors))
        self.bias = nn.Parameter(torch.zeros(sizes.words))
        self.nonnegative = nonnegative

    @property
    def weights(self) -> Tensor:
        """W, ``(V, D)``."""
        return functional.softplus(self.raw) if self.nonnegative else self.raw

    def logits(self, values: Tensor) -> Logits:
        """η for values ``(S, B or 1, D)``."""
        return Logits(values, self.weights, self.bias)

    def loadings(self) -> Tensor:
        """Wᵀ, ``(D, V)``."""
        return self.weights.detach().t()

    @torch.no_grad()
    def start(self, loadings: Tensor) -> None:
        """Begin from loadings ``(D, V)``; with ``nonnegative``, from those clipped at 0.01."""
        weights = loadings.t()
        if self.nonnegative:
            weights = weights.clamp_min(0.01)
            weights = weights + torch.log(-torch.expm1(-weights))
        self.raw.copy_(weights)

    @torch.no_grad()
    def arrange(self, order: Tensor, flipped: Tensor) -> None:
        """Factor ``order[d]`` becomes factor d; a flipped one's weights move into the bias."""
        if self.nonnegative and bool(flipped.any()):
            raise ConfigurationError("non-negative loadings cannot be turned around")
        if not self.nonnegative:
            self.bias.add_(self.raw[:, flipped].sum(1))
            self.raw.copy_(torch.where(flipped, -self.raw, self.raw))
        self.raw.data = self.raw[:, order]


class MLPDecoder(nn.Module):
    r""":math:`\eta = b + W\,\tanh(A z + a)`: factors may interact.

    Parameters
    ----------
    sizes
        Numbers of words V and factors D.
    width
        Units of the hidden layer (default: D, at least 16).
    """

    log_linear = False

    def __init__(self, sizes: Sizes, *, width: int | None = None) -> None:
        super().__init__()
        width = max(16, sizes.factors) if width is None else width
        whole("width", width, 1)
        self.hidden = nn.Linear(sizes.factors, width)
        self.weights = nn.Parameter(torch.randn(sizes.words, width) * 0.01)
        self.bias = nn.Parameter(torch.zeros(sizes.words))

    def logits(self, values: Tensor) -> Logits:
        """η for values ``(S, B or 1, D)``; the columns of ``h`` are the hidden units."""
        return Logits(torch.tanh(self.hidden(values)), self.weights, self.bias)

    @torch.no_grad()
    def loadings(self) -> Tensor:
        """Log p(word | only d on) − log p(word | none on), ``(D, V)``."""
        factors = self.hidden.in_features
        alone = torch.eye(factors, device=self.bias.device)
        states = torch.cat([alone.new_zeros(1, factors), alone])
        h, weights, bias = self.logits(states[:, None, :])
        log_words = torch.log_softmax(h[:, 0] @ weights.t() + bias, -1)
        return log_words[1:] - log_words[0]

    @torch.no_grad()
    def start(self, loadings: Tensor) -> None:
        """Begin near the log-linear model with loadings ``(D, V)``: one hidden unit a factor."""
        factors = self.hidden.in_features
        nn.init.normal_(self.hidden.weight, std=0.01)
        nn.init.constant_(self.hidden.bias, -1.0)
        used = min(factors, self.hidden.out_features)
        step = torch.tanh(torch.tensor(1.0)) * 2
        for factor in range(used):
            self.hidden.weight[factor, factor] = 2.0
            self.weights[:, factor] = loadings[factor] / step
        self.bias.add_((self.weights[:, :used] * torch.tanh(torch.tensor(1.0))).sum(1))

    @torch.no_grad()
    def arrange(self, order: Tensor, flipped: Tensor) -> None:
        """Factor ``order[d]`` becomes factor d; a flipped one's input weight changes sign."""
        matrix = self.hidden.weight
        self.hidden.bias.add_(matrix[:, flipped].sum(1))
        matrix.data = torch.where(flipped, -matrix, matrix)[:, order]
        self.hidden.in_features = len(order)


DECODERS: dict[str, type[LogLinearDecoder] | type[MLPDecoder]] = {
    "log-linear": LogLinearDecoder,
    "mlp": MLPDecoder,
}
