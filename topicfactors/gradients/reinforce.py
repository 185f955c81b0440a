r"""REINFORCE: the plain score function, with a baseline and a fitted control variate.

Williams (1992), https://doi.org/10.1007/BF00992696; for variational bounds, with the coefficient,
Ranganath, Gerrish and Blei (2014), https://arxiv.org/abs/1401.0118. The estimate is
:math:`(f(z) - c + a^*_d)(z_d - \theta_d)`: c is the running mean of f over earlier steps, and
:math:`a^* = -\mathrm{Cov}/\mathrm{Var}` of :math:`(f - c)(z - \theta)` and :math:`z - \theta`, of
every factor, from earlier steps too (an option). As many evaluations a step as samples. Unbiased.
For any posterior and any model, differentiable or not, and as the yardstick of the others. c knows
nothing of a document, not even how long it is: rloo learns far faster from as many evaluations,
because its baseline is of this document.
"""

from __future__ import annotations

from torch import Tensor

from topicfactors.contracts import Distribution, Draw, Sizes, Surrogate, Target
from topicfactors.gradients.base import Gradient, terms
from topicfactors.gradients.baselines import FittedCoefficient, RunningMoments
from topicfactors.gradients.scores import score, surrogate
from topicfactors.values import number


class Reinforce(Gradient):
    """Score function whose baselines are of earlier steps.

    Parameters
    ----------
    sizes
        Its ``factors`` is D.
    samples
        Draws a document.
    constant_baseline
        Subtract c, the running mean of the signal.
    fitted_coefficient
        Subtract for each factor the coefficient a* = −Cov/Var of the control variate z − θ.
    decay
        Of the running averages.
    """

    unbiased = True
    layers = True
    learning_rate = 1e-2

    def __init__(
        self,
        sizes: Sizes,
        *,
        samples: int = 5,
        constant_baseline: bool = True,
        fitted_coefficient: bool = False,
        decay: float = 0.8,
    ) -> None:
        super().__init__(sizes, samples=samples)
        number("decay", decay, 0.0, 1.0, open_ends="high")
        self.constant_baseline = constant_baseline
        self.moments = RunningMoments(decay)
        self.coefficient = FittedCoefficient(sizes.factors, decay) if fitted_coefficient else None

    def forward(self, target: Target, q: Distribution, kl_weight: float) -> Surrogate:
        """Score-function loss for the encoder, the plain derivative for the decoder."""
        draw = q.sample(self.samples)
        parts = terms(target, q, draw, kl_weight, detach_q=True)
        return surrogate(parts, score(draw, self.advantage(parts.signal.detach(), draw)))

    def advantage(self, signal: Tensor, draw: Draw) -> Tensor:
        """The signal ``(S, B)`` less the baselines, ``(S, B, D or 1)``; they learn afterwards."""
        centred = signal - self.moments.mean if self.constant_baseline else signal
        advantage = centred[..., None]
        if self.coefficient is not None:
            advantage = advantage + self.coefficient()
        if self.training:
            self.moments.update(signal)
            if self.coefficient is not None:
                self.coefficient.update(centred, draw)
        return advantage
