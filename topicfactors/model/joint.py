"""p(x, y, z): prior, decoder and likelihood as one model, and the target a batch makes of it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from topicfactors.contracts import Batch, CountBatch, Distribution, Sizes, all_states
from topicfactors.model.decoders import Decoder
from topicfactors.model.likelihoods import Likelihood
from topicfactors.model.logits import Logits
from topicfactors.model.priors import Prior


class FactorTarget:
    """log p(x, z) of a batch; see ``contracts.Target``."""

    def __init__(self, joint: Joint, batch: Batch, labels: Tensor | None) -> None:
        self.joint, self.counts, self.labels = joint, batch.counts, labels
        self.prior = joint.prior.condition(batch.covariates)
        self.factors = joint.sizes.factors

    def log_likelihood(self, values: Tensor) -> Tensor:
        """Log p(x | z), ``(S, B or 1, D) -> (S, B)`` nats."""
        logits = self.joint.logits(values, self.labels)
        return self.joint.likelihood.log_prob(self.counts, logits)

    def log_prior(self, bits: Tensor) -> Tensor:
        """Log p(z), ``(S, B or 1, D) -> (S, B or 1)`` nats."""
        return self.prior.log_prob(bits)

    def kl(self, q: Distribution) -> Tensor | None:
        """KL(q ‖ prior), ``(B,)`` nats, or None where it must be sampled."""
        return self.prior.kl(q)

    @torch.no_grad()
    def flips(self, bits: Tensor, prior_weight: float = 1.0) -> Tensor:
        """Log p(x, z_d = 1, rest) − log p(x, z_d = 0, rest), ``(S, B, D)`` nats.

        Closed form under a log-linear decoder, 2D evaluations under any other.
        """
        if self.joint.decoder.log_linear:
            logits = self.joint.logits(bits, self.labels)
            evidence = self.joint.likelihood.flips(self.counts, logits, self.factors)
        else:
            evidence = torch.stack([self._flip(bits, d) for d in range(self.factors)], -1)
        return evidence + prior_weight * self.prior.log_odds(bits)

    def _flip(self, bits: Tensor, factor: int) -> Tensor:
        on, off = bits.clone(), bits.clone()
        on[..., factor], off[..., factor] = 1.0, 0.0
        return self.log_likelihood(on) - self.log_likelihood(off)

    def table(self) -> Tensor:
        """Log p(x, z) of all 2^D states, ``(2^D, B)`` nats."""
        bias = self.joint.decoder.bias
        states = all_states(self.factors, bias.device).to(bias.dtype)[:, None, :]
        return self.log_likelihood(states) + self.log_prior(states)

    def sample(self, samples: int) -> Tensor:
        """Bits from the prior, ``(S, B, D)``."""
        return self.prior.sample(samples, len(self.counts))

    def log_word_probability(self, values: Tensor, counts: CountBatch) -> Tensor:
        """Log p(next word | z) at the non-zeros of other counts of the documents, ``(S, nnz)``."""
        logits = self.joint.logits(values, self.labels)
        return self.joint.likelihood.log_word_probability(counts, logits)


class Joint(nn.Module):
    r""":math:`\log p(x,y,z) = \log p(y) + \log p(z) + \log p(x \mid \eta)`, with
    :math:`\eta = b + W z + U_y`.

    Parameters
    ----------
    sizes
        Numbers of words V and factors D.
    prior, decoder, likelihood
        The parts, already built for these sizes.
    classes
        Number K of class columns U, ``(V, K)``; 0 for a model without y. The caller sums y out.
    """

    def __init__(
        self, sizes: Sizes, prior: Prior, decoder: Decoder, likelihood: Likelihood, classes: int = 0
    ) -> None:
        super().__init__()
        self.sizes = sizes
        self.prior, self.decoder, self.likelihood = prior, decoder, likelihood
        self.class_loadings = nn.Parameter(torch.zeros(sizes.words, classes)) if classes else None

    def condition(self, batch: Batch, labels: Tensor | None = None) -> FactorTarget:
        """The model of these documents; ``labels (B,)`` fixes y where the model has classes."""
        if (labels is None) != (self.class_loadings is None):
            raise ValueError("labels must be given exactly when the model has classes")
        return FactorTarget(self, batch, labels)

    def logits(self, values: Tensor, labels: Tensor | None = None) -> Logits:
        """η; y is appended to ``h`` one-hot, its loadings to the weights."""
        logits = self.decoder.logits(values)
        if labels is None or self.class_loadings is None:
            return logits
        classes = nn.functional.one_hot(labels, self.class_loadings.shape[1])
        shape = (logits.h.shape[0], len(labels))
        h = logits.h.expand(*shape, -1)
        onehot = classes.to(h.dtype).expand(*shape, -1)
        weights = torch.cat([logits.weights, self.class_loadings], 1)
        return Logits(torch.cat([h, onehot], -1), weights, logits.bias)
