"""p(x, y, z): prior, decoder and likelihood as one model, and the target a batch makes of it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from topicfactors.bits import all_states, distinct
from topicfactors.contracts import Batch, CountBatch, Distribution, Sizes
from topicfactors.model.decoders import Decoder
from topicfactors.model.landscape import FactorLandscape
from topicfactors.model.likelihood import Likelihood
from topicfactors.model.logits import Logits
from topicfactors.model.priors import Prior


class FactorTarget:
    """log p(x, z) of a batch; see ``contracts.Target``."""

    def __init__(self, joint: Joint, batch: Batch, labels: Tensor | None) -> None:
        self.joint, self.labels = joint, labels
        self.counts = joint.likelihood.observe(batch.counts)
        self.prior = joint.prior.condition(batch.covariates)
        self.factors = joint.sizes.factors

    def log_likelihood(self, values: Tensor) -> Tensor:
        """Log p(x | z), ``(S, B or 1, D) -> (S, B)`` nats."""
        logits, likelihood = self.joint.logits(values, self.labels), self.joint.likelihood
        return likelihood.assemble(
            self.counts, logits, logits.dot(self.counts), likelihood.norm(logits)
        )

    def log_prior(self, bits: Tensor) -> Tensor:
        """Log p(z), ``(S, B or 1, D) -> (S, B or 1)`` nats."""
        return self.prior.log_prob(bits)

    def log_joint(self, bits: Tensor) -> Tensor:
        """Log p(x, z) of hard bits, ``(S, B, D) -> (S, B)`` nats.

        A state that several documents have is walked over the vocabulary once.
        """
        logits, likelihood = self.joint.logits(bits, self.labels), self.joint.likelihood
        norm = self.norms(bits, logits)
        linear = logits.dot(self.counts)
        return likelihood.assemble(self.counts, logits, linear, norm) + self.log_prior(bits)

    def norms(self, bits: Tensor, logits: Logits) -> Tensor:
        """The likelihood's norm of each state, ``(S, B, D) -> (S, B)``."""
        if self.labels is not None:
            return self.joint.likelihood.norm(logits)
        states, places = distinct(bits)
        norms = self.joint.likelihood.norm(self.joint.logits(states[:, None, :]))
        return norms[:, 0][places]

    def kl(self, q: Distribution) -> Tensor | None:
        """KL(q ‖ prior), ``(B,)`` nats, or None where it must be sampled."""
        return self.prior.kl(q)

    @torch.no_grad()
    def flips(self, bits: Tensor, prior_weight: float = 1.0) -> Tensor:
        """Log p(x, z_d = 1, rest) − log p(x, z_d = 0, rest), ``(S, B, D)`` nats.

        Closed form under a log-linear decoder where the likelihood has one; else every flip is
        evaluated, with its norm known or not.
        """
        evidence = (1 - 2 * bits) * self.changes(bits)
        return evidence + prior_weight * self.prior.log_odds(bits)

    def changes(self, bits: Tensor) -> Tensor:
        """By how much log p(x | z) moves when each bit flips, exactly, ``(S, B, D)``."""
        likelihood = self.joint.likelihood
        if not self.joint.decoder.log_linear:
            return self._evaluated(bits, None)
        logits = self.joint.logits(bits, self.labels)
        after, norm = likelihood.flip_norms(logits, self.factors)
        if likelihood.closed_flips:
            evidence = self.counts @ logits.weights[:, : self.factors]
            return likelihood.changes(self.counts, logits, evidence, after, norm)
        return self._evaluated(bits, after if likelihood.closed_norms else None)

    def _evaluated(self, bits: Tensor, after: Tensor | None) -> Tensor:
        """The changes by evaluation at every flip; ``after`` are the norms there, if known."""
        likelihood, flipped = self.joint.likelihood, bits.clone()
        before, each = self.log_likelihood(bits), []
        log_linear = self.joint.decoder.log_linear
        if log_linear:
            start = self.joint.logits(bits, self.labels)
            known = start.dot(self.counts)
            slopes = self.counts @ start.weights[:, : self.factors]
        for factor in range(self.factors):
            flipped[..., factor] = 1 - bits[..., factor]
            logits = self.joint.logits(flipped, self.labels)
            norm = likelihood.norm(logits) if after is None else after[..., factor]
            if log_linear:
                linear = known + (1 - 2 * bits[..., factor]) * slopes[:, factor]
            else:
                linear = logits.dot(self.counts)
            each.append(likelihood.assemble(self.counts, logits, linear, norm) - before)
            flipped[..., factor] = bits[..., factor]
        return torch.stack(each, -1)

    def landscape(self) -> FactorLandscape:
        """What a search over states asks."""
        return FactorLandscape(self)

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
        return self.joint.likelihood.log_word_probability(self.counts, logits, counts)


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
