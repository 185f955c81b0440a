r"""MuProp: the score function beside a first-order expansion around the probabilities.

Gu, Levine, Sutskever and Mnih (2016), https://arxiv.org/abs/1511.05176. The estimate is
:math:`[f(z) - f(\theta) - (z-\theta)^\top\nabla f(\theta)]\,(z-\theta) +
\theta(1-\theta)\nabla f(\theta)`: what a tangent at θ explains is taken from the score function and
given back by its mean. Two evaluations and one derivative a step, the expansion shared by all
samples. Unbiased. Of low variance where f is nearly linear between the states that are drawn, as
late in training; where one bit changes f by many nats the tangent misleads, and the running mean of
what it leaves matters. Needs a factorised posterior.
"""

from __future__ import annotations

from topicfactors.contracts import Distribution, Sizes, Surrogate, Target
from topicfactors.gradients.base import Gradient, terms
from topicfactors.gradients.baselines import RunningMoments
from topicfactors.gradients.derivatives import ascending, derivative
from topicfactors.values import number


class MuProp(Gradient):
    """Score function with a tangent at the probabilities as control variate.

    Parameters
    ----------
    sizes
        Unused but for the contract.
    samples
        Draws a document.
    constant_baseline
        Subtract the running mean of what the tangent leaves, over earlier steps.
    decay
        Of the running mean.
    """

    unbiased = True
    factorised = True

    def __init__(
        self,
        sizes: Sizes,
        *,
        samples: int = 1,
        constant_baseline: bool = True,
        decay: float = 0.8,
    ) -> None:
        super().__init__(sizes, samples=samples)
        number("decay", decay, 0.0, 1.0, open_ends="high")
        self.constant_baseline = constant_baseline
        self.moments = RunningMoments(decay)

    def forward(self, target: Target, q: Distribution, kl_weight: float) -> Surrogate:
        """The decoder learns at the draw, the encoder from the residual and the tangent."""
        draw = q.sample(self.samples)
        signal, kl, bound = terms(target, q, draw, kl_weight, detach_q=True)
        on = q.mean().detach()
        middle, off = derivative(target, q, on[None], kl_weight), draw.bits - on
        residual = signal.detach() - middle.value - (off * middle.slope).sum(-1)
        advantage = residual - self.moments.mean if self.constant_baseline else residual
        estimate = advantage[..., None] * off + on * (1 - on) * middle.slope
        if self.training and self.constant_baseline:
            self.moments.update(residual)
        return Surrogate(kl - signal.mean(0) + ascending(estimate, draw.logits), bound)
