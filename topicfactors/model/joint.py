"""p(x, y, z): prior, decoder and likelihood as one model, and the target a batch makes of it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from topicfactors.bits import all_states, distinct
from topicfactors.contracts import Batch, CountBatch, Distribution, Draw, Sizes
from topicfactors.model.classes import CategoricalPrior, ClassTarget
from topicfactors.model.decoders import Decoder
from topicfactors.model.given import Given, along
from topicfactors.model.landscape import FactorLandscape
from topicfactors.model.likelihood import Likelihood
from topicfactors.model.logits import Logits
from topicfactors.model.priors import Prior
from topicfactors.model.responses import Answers, Response


class FactorTarget:
    """log p(x, z) of a batch, with its responses r where they are known; ``contracts.Target``."""

    def __init__(self, joint: Joint, batch: Batch, labels: Tensor | None) -> None:
        self.joint, self.given = joint, joint.given(batch, labels)
        self.batch, self.labels = batch, labels
        self.counts = joint.likelihood.observe(batch.counts)
        self.prior = joint.prior.condition(batch.covariates)
        self.answers = joint.answers(batch, self.given.classes)
        self.factors = joint.sizes.factors

    def logits(self, values: Tensor) -> Logits:
        """η of the documents; the first D columns of its ``h`` are the factors."""
        return self.joint.logits(values, self.given)

    def select(self, rows: Tensor) -> FactorTarget:
        """That of the documents ``rows (R,)`` of the batch."""
        labels = None if self.labels is None else self.labels[rows]
        return FactorTarget(self.joint, self.batch.select(rows), labels)

    def log_likelihood(self, values: Tensor) -> Tensor:
        """Log p(x, r | z), ``(S, B or 1, D) -> (S, B)`` nats."""
        words = self.of_words(values)
        return words if self.answers is None else words + self.answers.log_prob(values)

    def of_words(self, values: Tensor) -> Tensor:
        """Log p(x | z), ``(S, B or 1, D) -> (S, B)`` nats."""
        logits, likelihood = self.logits(values), self.joint.likelihood
        return likelihood.assemble(
            self.counts, logits, logits.dot(self.counts), likelihood.norm(logits)
        )

    def log_prior(self, bits: Tensor) -> Tensor:
        """Log p(z), ``(S, B or 1, D) -> (S, B or 1)`` nats."""
        return self.prior.log_prob(bits)

    def log_joint(self, bits: Tensor) -> Tensor:
        """Log p(x, r, z) of hard bits, ``(S, B, D) -> (S, B)`` nats.

        A state that several documents have is walked over the vocabulary once.
        """
        logits, likelihood = self.logits(bits), self.joint.likelihood
        norm = self.norms(bits, logits)
        linear = logits.dot(self.counts)
        words = likelihood.assemble(self.counts, logits, linear, norm)
        told = 0.0 if self.answers is None else self.answers.log_prob(bits)
        return words + told + self.log_prior(bits)

    def norms(self, bits: Tensor, logits: Logits) -> Tensor:
        """The likelihood's norm of each state, ``(S, B, D) -> (S, B)``."""
        if self.given.differs:
            return self.joint.likelihood.norm(logits)
        states, places = distinct(bits)
        norms = self.joint.likelihood.norm(self.joint.logits(states[:, None, :]))
        return norms[:, 0][places]

    def kl(self, q: Distribution) -> Tensor | None:
        """KL(q ‖ prior), ``(B,)`` nats, or None where it must be sampled."""
        return self.prior.kl(q)

    def kl_along(self, q: Distribution, draw: Draw) -> Tensor:
        """KL(q ‖ prior) along the values of a draw, ``(S, B)`` nats."""
        return self.prior.kl_along(q, draw)

    @torch.no_grad()
    def flips(self, bits: Tensor, prior_weight: float = 1.0, known: Tensor | None = None) -> Tensor:
        """Log p(x, z_d = 1, rest) − log p(x, z_d = 0, rest), ``(S, B, D)`` nats.

        Closed form under a log-linear decoder where the likelihood has one; else every flip is
        evaluated, with its norm known or not, and the bits too unless their log-likelihood
        ``(S, B)`` is ``known``.
        """
        evidence = (1 - 2 * bits) * self.changes(bits, known)
        return evidence + prior_weight * self.prior.log_odds(bits)

    def changes(self, bits: Tensor, known: Tensor | None = None) -> Tensor:
        """By how much log p(x, r | z) moves when each bit flips, exactly, ``(S, B, D)``."""
        if self.answers is None:
            return self._changes_of_words(bits, known)
        if known is not None:
            known = known - self.answers.log_prob(bits)
        return self._changes_of_words(bits, known) + self.answers.changes(bits)

    def _changes_of_words(self, bits: Tensor, known: Tensor | None) -> Tensor:
        likelihood = self.joint.likelihood
        if not (self.joint.decoder.log_linear and likelihood.closed_norms):
            return self._evaluated(bits, None, known)
        logits = self.logits(bits)
        after, norm = self._flip_norms(bits, logits)
        if likelihood.closed_flips:
            evidence = self.counts @ logits.weights[:, : self.factors]
            return likelihood.changes(self.counts, logits, evidence, after, norm)
        return self._evaluated(bits, after, known)

    def _flip_norms(self, bits: Tensor, logits: Logits) -> tuple[Tensor, Tensor]:
        """Norms after each flip ``(S, B, D)`` and before ``(S, B)``, each state's computed once."""
        if self.given.differs:
            return self.joint.likelihood.flip_norms(logits, self.factors)
        states, places = distinct(bits)
        known = self.joint.logits(states[:, None, :])
        after, norm = self.joint.likelihood.flip_norms(known, self.factors)
        return after[:, 0][places], norm[:, 0][places]

    def _evaluated(self, bits: Tensor, after: Tensor | None, known: Tensor | None) -> Tensor:
        """The changes by evaluation at every flip; ``after`` are the norms there, if known."""
        likelihood, flipped = self.joint.likelihood, bits.clone()
        before = self.of_words(bits) if known is None else known
        each = []
        log_linear = self.joint.decoder.log_linear
        if log_linear:
            start = self.logits(bits)
            straight = start.dot(self.counts)
            slopes = self.counts @ start.weights[:, : self.factors]
        for factor in range(self.factors):
            flipped[..., factor] = 1 - bits[..., factor]
            logits = self.logits(flipped)
            norm = likelihood.norm(logits) if after is None else after[..., factor]
            if log_linear:
                linear = straight + (1 - 2 * bits[..., factor]) * slopes[:, factor]
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
        logits = self.logits(values)
        return self.joint.likelihood.log_word_probability(self.counts, logits, counts)


class Joint(nn.Module):
    r""":math:`\log p(x,y,z,r) = \log p(y) + \log p(z) + \log p(x \mid \eta) + \log p(r \mid z,y)`,
    with :math:`\eta = b + W z + U_y + C c`.

    Parameters
    ----------
    sizes
        Numbers of words V and factors D.
    prior, likelihood
        The parts, already built for these sizes.
    decoder
        Reads the factors and then, one-hot, the class: built for D + K inputs.
    classes
        Number K of classes y; 0 for a model without. The caller sums y out.
    content
        Number of covariates that move the words, the last ones of a batch; 0 for none.
    mixed
        Number of covariates that move p(y), the first ones of a batch; 0 for none.
    response
        Reads what the decoder reads, D + K inputs; None for a model without.
    """

    def __init__(
        self,
        sizes: Sizes,
        prior: Prior,
        decoder: Decoder,
        likelihood: Likelihood,
        classes: int = 0,
        content: int = 0,
        mixed: int = 0,
        response: Response | None = None,
    ) -> None:
        super().__init__()
        self.sizes, self.classes = sizes, classes
        self.prior, self.decoder, self.likelihood = prior, decoder, likelihood
        self.class_prior = CategoricalPrior(classes, mixed) if classes else None
        self.content = nn.Parameter(torch.zeros(sizes.words, content)) if content else None
        self.response = response

    def per_factor(self) -> list[Any]:
        """The parts that have something of each factor, and arrange it."""
        parts: list[Any] = [self.prior, self.decoder]
        return parts if self.response is None else [*parts, self.response]

    def condition(self, batch: Batch, labels: Tensor | None = None) -> FactorTarget:
        """The model of these documents; ``labels (B,)`` fixes y where the model has classes."""
        return FactorTarget(self, batch, labels)

    def over_classes(self, batch: Batch) -> ClassTarget:
        """Log p(x, y) of these documents, where there are classes and no factors."""
        return ClassTarget(self, batch)

    def log_class_prior(self, covariates: Tensor | None = None) -> Tensor:
        """Log p(y), ``(K, B or 1)`` nats."""
        if self.class_prior is None:
            raise ValueError("this model has no classes")
        return self.class_prior.log_probabilities(covariates)

    def outermost(self) -> Any:
        """The prior that covariates move: of the class where there is one, else of the factors."""
        return self.prior if self.class_prior is None else self.class_prior

    def every_class(self, factors: Tensor | None = None) -> Tensor:
        """What the decoder reads of each class, ``(K, 1, D + K)``, all with factors ``(D,)``.

        None for no factor on.
        """
        bias = self.decoder.bias
        onehot = torch.eye(self.classes, device=bias.device, dtype=bias.dtype)
        on = bias.new_zeros(self.sizes.factors) if factors is None else factors.to(bias)
        return torch.cat([on.expand(self.classes, -1), onehot], 1)[:, None, :]

    def given(self, batch: Batch, labels: Tensor | None) -> Given:
        """What is known of the documents beside their words, as the decoder reads it."""
        if (labels is None) != (self.classes == 0):
            raise ValueError("labels must be given exactly when the model has classes")
        read = len(self.effects()) > 0
        if read and batch.covariates is None:
            raise ValueError("covariates must be given where the model reads them")
        onehot = None
        if labels is not None:
            onehot = nn.functional.one_hot(labels, self.classes).to(self.decoder.bias.dtype)
        return Given(onehot, self.moving(batch))

    def moving(self, batch: Batch) -> Tensor | None:
        """The covariates that move the words, ``(B, C)``; None where none do."""
        if self.content is None or batch.covariates is None:
            return None
        return batch.covariates[:, -self.content.shape[1] :]

    def effects(self) -> list[Tensor]:
        """The weights of the covariates: Γ of the prior, C of the words, where there are any."""
        own = [getattr(part, "effects", None) for part in (self.prior, self.class_prior)]
        weights = [part.weight for part in own if part is not None]
        return weights if self.content is None else [*weights, self.content]

    def answers(self, batch: Batch, classes: Tensor | None = None) -> Answers | None:
        """What the responses of the documents say, where the model and the batch have them.

        Their one-hot ``classes (B, K)``, where they are known, are read with the factors.
        """
        if self.response is None or batch.responses is None:
            return None
        return Answers.of(self.response, batch.responses, classes)

    def logits(self, values: Tensor, given: Given | None = None) -> Logits:
        """η of values ``(S, B or 1, D)``.

        The class is the decoder's last columns; covariates are appended to ``h``, their loadings
        to the weights.
        """
        if given is None or not given.differs:
            return self.decoder.logits(values)
        if given.classes is not None:
            values = torch.cat(along(values, given.classes), -1)
        return self.with_content(self.decoder.logits(values), given.covariates)

    def with_content(self, logits: Logits, covariates: Tensor | None) -> Logits:
        """η + C c for the documents' covariates ``(B, C)``."""
        if covariates is None or self.content is None:
            return logits
        h = torch.cat(along(logits.h, covariates), -1)
        return Logits(h, torch.cat([logits.weights, self.content], 1), logits.bias)
