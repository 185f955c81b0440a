r"""Continuous layers above the factors: Gaussian variables that take up what bits do not say.

.. math:: p(x, z, h) = p(z) \prod_k N(h_k; m_k(z, h_{<k}), s_k(z, h_{<k})^2)\, p(x \mid \eta),
   \qquad \eta = \eta(z) + \textstyle\sum_k A_k h_k

with q(h | z, x) of the same form, which reads the encoder's features as well. Rolfe (2017),
https://arxiv.org/abs/1609.02200, §5: layers of continuous variables, each conditioned on the ones
before, whose divergences are known in closed form. A draw of h belongs to every draw of z, so that
bounds over z remain bounds: the closed divergence in training, its one-sample estimate
log p(h | z) − log q(h | z, x) in scores, which an importance-weighted bound needs. A KL weight
below 1 is of z alone: what h says costs its full price from the beginning, so that factors, then
cheaper, take up first what they can.
"""

from __future__ import annotations

from typing import NamedTuple, NoReturn

import torch
from torch import Tensor, nn

from topicfactors.contracts import CountBatch, Sizes
from topicfactors.errors import ConfigurationError
from topicfactors.inference.noise import document_keys, document_noise
from topicfactors.model.joint import FactorTarget
from topicfactors.model.logits import Logits
from topicfactors.values import whole

WIDEST_SCALE = 3.0  # of log s, either way: from 0.05 to 20
SALT = 0x2545F4914F6CDD1D  # keeps the noise of the layers apart from that of the factors
CURE = "fit with continuous_layers=0 for it"


class Above(NamedTuple):
    """A draw of the layers, and what it costs."""

    h: Tensor  # (S, B, n·width)
    kl: Tensor  # (S, B) Σ_k KL(q(h_k | z, h_<k, x) ‖ p(h_k | z, h_<k)), closed form
    ratio: Tensor  # (S, B) log p(h | z) − log q(h | z, x) of the draw


class Gaussian(nn.Module):
    """Means and log-scales from what was drawn before and, of q, from the document.

    Parameters
    ----------
    inputs, features, width, hidden
        Numbers of values drawn before, of features of the document (0 for none), of Gaussian units
        and of hidden units.
    """

    def __init__(self, inputs: int, features: int, width: int, hidden: int) -> None:
        super().__init__()
        self.reads = nn.Linear(inputs, hidden)
        self.hears = nn.Linear(features, hidden, bias=False) if features else None
        self.tells = nn.Linear(hidden, 2 * width)
        if not features:
            nn.init.zeros_(self.tells.weight)  # a prior begins as the standard Gaussian
            nn.init.zeros_(self.tells.bias)

    def forward(self, before: Tensor, features: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Mean and log-scale ``(S, B, width)`` of values ``(S, B, I)``, features ``(B, F)``."""
        read = self.reads(before)
        if self.hears is not None and features is not None:
            read = read + self.hears(features.to(read.dtype))
        mean, raw = self.tells(torch.tanh(read)).chunk(2, -1)
        return mean, WIDEST_SCALE * torch.tanh(raw / WIDEST_SCALE)

    @torch.no_grad()
    def arrange(self, order: Tensor, flipped: Tensor) -> None:
        """Factor ``order[d]`` becomes factor d, where ``flipped`` off becomes on; others stay."""
        matrix, factors = self.reads.weight, len(flipped)
        heard, rest = matrix[:, :factors], matrix[:, factors:]
        self.reads.bias.add_(heard[:, flipped].sum(1))
        turned = torch.where(flipped, -heard, heard)[:, order]
        matrix.data = torch.cat([turned, rest], 1)
        self.reads.in_features = matrix.shape[1]


class ContinuousLayers(nn.Module):
    """p(h | z), q(h | z, x) and the loadings A.

    Parameters
    ----------
    sizes
        Numbers of words, of factors and of features, the last of which is a document's length.
    layers
        Their number n.
    width
        Gaussian units of each.
    hidden
        Units of the one hidden layer of each network.
    """

    def __init__(self, sizes: Sizes, *, layers: int = 1, width: int = 16, hidden: int = 32) -> None:
        super().__init__()
        whole("layers", layers, 1)
        whole("width", width, 1)
        whole("hidden", hidden, 1)
        self.width = width
        inputs = [sizes.factors + layer * width for layer in range(layers)]
        self.models = nn.ModuleList(Gaussian(size, 0, width, hidden) for size in inputs)
        heard = sizes.features - 1
        self.guesses = nn.ModuleList(Gaussian(size, heard, width, hidden) for size in inputs)
        start = torch.randn(sizes.words, layers * width) * 0.1 / width**0.5
        self.loadings = nn.Parameter(start)

    @property
    def units(self) -> int:
        """Gaussian units of all layers."""
        return int(self.loadings.shape[1])

    def forward(self, values: Tensor, features: Tensor, noise: Tensor) -> Above:
        """Draw from q given values ``(S, B, D)``, features ``(B, F)``, standard Gaussian noise."""
        before = values
        kl = ratio = values.new_zeros(values.shape[:2])
        layers = zip(self.models, self.guesses, torch.split(noise, self.width, -1), strict=True)
        for model, guess, drawn in layers:
            (mean, scale), (there, wide) = guess(before, features), model(before)
            h = mean + scale.exp() * drawn
            apart, narrower = wide - scale, torch.exp(2 * (scale - wide))
            moved = (mean - there).square() * torch.exp(-2 * wide)
            kl = kl + (apart + 0.5 * (narrower + moved - 1)).sum(-1)
            far = (h - there).square() * torch.exp(-2 * wide)
            ratio = ratio + (0.5 * (drawn.square() - far) - apart).sum(-1)
            before = torch.cat([before, h], -1)
        return Above(before[..., values.shape[-1] :], kl, ratio)

    def mean(self, values: Tensor) -> Tensor:
        """The layers of p(h | z), each at its mean given those before, ``(S, B, n·width)``."""
        before = values
        for model in self.models:
            before = torch.cat([before, model(before)[0]], -1)
        return before[..., values.shape[-1] :]

    def onto(self, logits: Logits, h: Tensor) -> Logits:
        """η + A h, both for ``(S, B)``."""
        wide = logits.h.expand(*h.shape[:2], -1)
        weights = torch.cat([logits.weights, self.loadings], 1)
        return Logits(torch.cat([wide, h], -1), weights, logits.bias)

    def arrange(self, order: Tensor, flipped: Tensor) -> None:
        """Reorder the factors that the layers read and turn some of them around."""
        for network in (*self.models, *self.guesses):
            network.arrange(order, flipped)


class LayeredTarget(FactorTarget):
    """log p(x, z) with a draw of the layers for every draw of the factors.

    In training the noise is torch's; else the document determines it, and each call has its own.
    """

    def __init__(self, plain: FactorTarget, layers: ContinuousLayers, features: Tensor) -> None:
        vars(self).update(vars(plain))
        self.layers, self.encoded = layers, features[:, :-1]  # without the length
        self.calls = 0

    def log_likelihood(self, values: Tensor) -> Tensor:
        """An unbiased estimate of E_q[log p(x, r | z, h)] − KL, ``(S, B or 1, D) -> (S, B)``."""
        values, above = self._drawn(values)
        logits, likelihood = self._with(values, above.h), self.joint.likelihood
        linear, norm = logits.dot(self.counts), likelihood.norm(logits)
        words = likelihood.assemble(self.counts, logits, linear, norm)
        words = words - above.kl if self.layers.training else words + above.ratio
        return words if self.answers is None else words + self.answers.log_prob(values)

    def log_word_probability(self, values: Tensor, counts: CountBatch) -> Tensor:
        """Log p(next word | z, h) at the non-zeros of other counts, ``(S, nnz)``, h from q."""
        values, above = self._drawn(values)
        logits = self._with(values, above.h)
        return self.joint.likelihood.log_word_probability(self.counts, logits, counts)

    def _with(self, values: Tensor, h: Tensor) -> Logits:
        return self.layers.onto(self.logits(values), h)

    def _drawn(self, values: Tensor) -> tuple[Tensor, Above]:
        values = values.expand(-1, len(self.counts), -1)
        features = self.encoded.to(values.dtype)
        return values, self.layers(values, features, self._noise(values))

    def _noise(self, values: Tensor) -> Tensor:
        samples, units = len(values), self.layers.units
        if self.layers.training:
            shape = (samples, len(self.counts), units)
            return torch.randn(shape, dtype=values.dtype, device=values.device)
        self.calls += 1
        keys = document_keys(self.counts) ^ (SALT * self.calls & (2**62 - 1))
        uniform = document_noise(keys, samples, units).to(values.dtype)
        drawn: Tensor = torch.special.ndtri(uniform)
        return drawn

    def flips(
        self, bits: Tensor, prior_weight: float = 1.0, known: Tensor | None = None
    ) -> NoReturn:
        """None: h would have to be summed out."""
        self._refuse("single flips of factors")

    def changes(self, bits: Tensor, known: Tensor | None = None) -> NoReturn:
        """None: h would have to be summed out."""
        self._refuse("single flips of factors")

    def log_joint(self, bits: Tensor) -> NoReturn:
        """None: h would have to be summed out."""
        self._refuse("a search over states")

    def landscape(self) -> NoReturn:
        """None: h would have to be summed out."""
        self._refuse("a search over states")

    def table(self) -> NoReturn:
        """None: h would have to be summed out."""
        self._refuse("the table of all states")

    def _refuse(self, what: str) -> NoReturn:
        refuse(what)


def refuse(what: str) -> NoReturn:
    """Say what is not to be had of a model with continuous layers.

    Raises
    ------
    ConfigurationError
        Always.
    """
    raise ConfigurationError(
        f"{what} needs log p(x, z), which a model with continuous layers does not know; {CURE}"
    )
