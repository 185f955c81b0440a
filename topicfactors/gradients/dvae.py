r"""The discrete variational autoencoder: the decoder reads a smoothed bit ζ in training.

Rolfe (2017), https://arxiv.org/abs/1609.02200; Vahdat, Macready, Bian, Khoshaman and Andriyash
(2018; DVAE++), https://arxiv.org/abs/1802.04920. Each bit is joined by a ζ on [0, 1] with density
r(ζ | z), drawn by inverting its distribution function (:mod:`topicfactors.gradients.smoothings`),
so that the draw can be differentiated. What is maximised is the bound on the smoothed model's
log p(x) over bits and ζ together,

.. math:: E_{q(z,\zeta|x)}[\log p(x|\zeta) + \log p(z) - \log q(z|x)],

because r stands in the model and in the posterior and cancels, whether or not the densities
overlap. Where ζ says what its bit is (spike-and-exponential) that is the bound over ζ alone; where
they overlap it is lower than :math:`E[\log p(x|\zeta)] - KL(q(\zeta) \| p(\zeta))` by the mean of
:math:`KL(q(z|\zeta) \| p(z|\zeta))`. One evaluation and its derivative a step; unbiased for its own
smoothed model, biased for the hard-bit bound, less so as β grows and its variance with it. For the
comparison with the literature; models are compared by their scores with hard bits.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from topicfactors.contracts import Distribution, Draw, Sizes, Surrogate, Target
from topicfactors.divergences import negentropy
from topicfactors.errors import ConfigurationError
from topicfactors.gradients.base import Gradient, pathwise
from topicfactors.gradients.scores import log_prob
from topicfactors.gradients.smoothings import Smoothing, SpikeAndExponential
from topicfactors.inference.posteriors import threshold
from topicfactors.values import number


class DVAE(Gradient):
    """A smoothing of the bits with an annealed β.

    Parameters
    ----------
    sizes
        Unused but for the contract: the estimator has no parameters.
    samples
        Draws a document.
    start, end
        β at the beginning and at the end of training; geometric between. Larger is sharper.
    """

    unbiased = False
    relaxed = True
    layers = True
    smoothing = "spike-and-exponential"

    def __init__(
        self, sizes: Sizes, *, samples: int = 1, start: float = 3.0, end: float = 10.0
    ) -> None:
        super().__init__(sizes, samples=samples)
        number("start", start, open_ends="low")
        number("end", end, open_ends="low")
        self.start, self.end = start, end
        self.register_buffer("sharpness", torch.tensor(float(start)))  # β, kept with the weights
        self.sharpness: Tensor
        self.beta = float(start)
        self.smooth_by(SpikeAndExponential())

    def smooth_by(self, smoother: Smoothing) -> None:
        """Use another smoothing.

        Raises
        ------
        ConfigurationError
            When β begins or ends where the smoothing is none.
        """
        for name, value in (("start", self.start), ("end", self.end)):
            if value < smoother.least:
                raise ConfigurationError(
                    f"dvae: {name} must be a number of {smoother.least:g} or more with this "
                    f"smoothing, got {value:g}; use smoothing='exponential' for a smaller one"
                )
        self.smoother: Smoothing = smoother
        self.symmetric = smoother.overlapping

    def anneal(self, progress: float) -> None:
        """Move β geometrically from ``start`` to ``end``."""
        self.beta = self.start * (self.end / self.start) ** progress
        self.sharpness.fill_(self.beta)

    def _load_from_state_dict(self, *arguments: Any) -> None:
        super()._load_from_state_dict(*arguments)
        self.beta = float(self.sharpness)

    def relaxation(self, logits: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Bits, and the ζ that the decoder reads, both ``(S, B, D)``.

        Where ζ does not say what its bit is, the bit is drawn given ζ, with noise of its own.
        """
        zeta = self.smoother.zeta(logits, noise, self.beta)
        if not self.smoother.overlapping:
            return threshold(logits, noise)[0], zeta
        with torch.no_grad():
            return self.smoother.bits(zeta, logits, torch.rand_like(noise), self.beta), zeta

    @torch.no_grad()
    def smoothed_bound(
        self, target: Target, q: Distribution, samples: int, noise: Tensor, more: Tensor
    ) -> Tensor:
        """Importance-weighted bound on the smoothed model's log p(x), ``(B,)`` nats.

        With S draws of bits and ζ together, at the β of the weights, from uniform ``noise
        (S, B, D)``, and ``more`` of it for bits that ζ does not tell.
        """
        beta = float(self.sharpness)

        def relaxation(logits: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
            return threshold(logits, noise)[0], self.smoother.zeta(logits, noise, beta)

        draw = q.sample(samples, relaxation, noise)
        bits = draw.bits
        if self.smoother.overlapping:
            bits = self.smoother.bits(draw.values, draw.logits, more.to(bits.dtype), beta)
        log_q = log_prob(bits, draw.logits).sum(-1)
        joint = target.log_likelihood(draw.values) + target.log_prior(bits)
        return (joint - log_q).logsumexp(0) - math.log(samples)

    def forward(self, target: Target, q: Distribution, kl_weight: float) -> Surrogate:
        """Differentiate the smoothed bound through ζ."""
        draw = q.sample(self.samples, self.relaxation)
        if q.factorised or not self.smoother.overlapping:
            return pathwise(target, q, draw, kl_weight)
        likelihood, kl = target.log_likelihood(draw.values), self._divergence(target, draw)
        return Surrogate((kl_weight * kl - likelihood).mean(0), (likelihood - kl).mean(0).detach())

    def _divergence(self, target: Target, draw: Draw) -> Tensor:
        """KL of the bits along a draw whose ζ do not tell them, ``(S, B)``.

        Given all ζ the bits are independent, so that a prior that is linear in each bit has its
        mean at their chances (Vahdat et al., 2018, section 3), and no bit is drawn. Of one that is
        convex (belief-network) that is less than the mean, and the bound the lower for it.
        """
        chances = self.smoother.chances(draw.values, draw.logits, self.beta)
        return negentropy(draw.logits) - target.log_prior(chances)
