r"""Neural variational inference and learning: the score function with learnt baselines.

Mnih and Gregor (2014), https://arxiv.org/abs/1402.0030. The estimate is
:math:`\frac{f(z) - C_\psi(x) - c}{\max(1, v)}\,(z - \theta)` with C_ψ a network trained by squared
error, c and v the running mean and standard deviation of earlier steps. One evaluation a step.
Unbiased up to the factor 1/max(1, v), which multiplies the whole of the encoder's gradient, KL
included. For any model, differentiable or not; the noisiest of the estimators here.
"""

from __future__ import annotations

from torch import Tensor

from topicfactors.contracts import Distribution, Sizes, Surrogate, Target
from topicfactors.errors import ConfigurationError
from topicfactors.gradients.base import terms
from topicfactors.gradients.baselines import InputBaseline
from topicfactors.gradients.reinforce import Reinforce
from topicfactors.gradients.scores import score


class NVIL(Reinforce):
    """Score function with the paper's three reductions of variance, and a fourth.

    Parameters
    ----------
    sizes
        Its ``features`` is what the input-dependent baseline reads.
    samples
        Draws a document.
    constant_baseline
        Subtract c, the running mean of the signal.
    input_baseline
        Subtract C_ψ(x).
    normalise_variance
        Divide by max(1, v).
    fitted_coefficient
        Subtract for each factor the coefficient a* = −Cov/Var of the control variate z − θ, from
        earlier steps.
    decay
        Of the running averages.
    """

    learning_rate = 1e-2

    def __init__(
        self,
        sizes: Sizes,
        *,
        samples: int = 5,
        constant_baseline: bool = True,
        input_baseline: bool = True,
        normalise_variance: bool = True,
        fitted_coefficient: bool = False,
        decay: float = 0.8,
    ) -> None:
        super().__init__(
            sizes,
            samples=samples,
            constant_baseline=constant_baseline,
            fitted_coefficient=fitted_coefficient,
            decay=decay,
        )
        if input_baseline and sizes.features < 2:
            raise ConfigurationError(
                "nvil's input-dependent baseline needs a posterior with an encoder; use "
                "inference='nvil:input_baseline=false'"
            )
        self.normalise_variance = normalise_variance
        self.baseline = InputBaseline(sizes.features) if input_baseline else None

    @property
    def encoder_scale(self) -> float:
        """What the posterior's gradient is multiplied by, 1/max(1, v)."""
        return 1 / max(1.0, float(self.moments.deviation)) if self.normalise_variance else 1.0

    def forward(self, target: Target, q: Distribution, kl_weight: float) -> Surrogate:
        """Score-function loss for the encoder, the plain derivative for the decoder."""
        draw = q.sample(self.samples)
        signal, _, bound = terms(target, q, draw, kl_weight, detach_q=True)
        residual, control = self._residual(signal.detach(), q)
        scale = 1 / self.moments.deviation.clamp_min(1.0) if self.normalise_variance else 1.0
        learnt = scale * score(draw, self.advantage(residual, draw))
        loss = kl_weight * _kl(target, q, scale) - signal.mean(0) - learnt
        return Surrogate(loss, bound, control)

    def _residual(self, signal: Tensor, q: Distribution) -> tuple[Tensor, Tensor | None]:
        """F − C_ψ(x), ``(S, B)``, and the squared error that trains C_ψ."""
        if self.baseline is None:
            return signal, None
        predicted = self.baseline(q.features.detach(), signal)
        mean = self.moments.mean if self.constant_baseline else 0.0
        control = ((signal - mean - predicted) / self.baseline.unit).square().mean()
        return signal - predicted.detach(), control


def _kl(target: Target, q: Distribution, scale: Tensor | float) -> Tensor | float:
    """Closed-form KL whose derivative in q is scaled like the score, and in the prior not."""
    kl, fixed = target.kl(q), target.kl(q.detach())
    if kl is None or fixed is None:
        return 0.0
    return scale * kl + (1 - scale) * fixed
