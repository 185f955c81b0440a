"""From a batch to a loss per document where the latent variable is a class, summed out exactly."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from topicfactors.contracts import Batch, Sizes, Surrogate
from topicfactors.gradients.categorical import CategoricalGumbelSoftmax
from topicfactors.inference.encoders import BagOfWordsEncoder
from topicfactors.inference.posteriors import MeanFieldPosterior
from topicfactors.model.joint import Joint
from topicfactors.model.likelihood import Frequencies
from topicfactors.training.objectives import Objective
from topicfactors.training.recognition import Recognition


class Pull(NamedTuple):
    """A Dirichlet prior on what every component draws words with, and on the components."""

    corpus: Frequencies
    words: float  # pseudo-tokens of a component
    weights: float  # pseudo-documents of a component
    effects: float  # precision of a Gaussian prior on the effects of covariates
    documents: float  # of the training corpus, over which the prior is shared out


class ComponentObjective(Objective):
    r"""Mixtures by the gradient of :math:`\log \sum_y p(y) p(x \mid y)`, which is exact inference.

    A document whose class is seen has the sum over the components of its class alone.

    Parameters
    ----------
    joint
        A model with K components and no factors.
    members
        Which components belong to which class, ``(C, K)`` bool; None for a mixture.
    unlabelled
        Weight λ of the documents whose class is not seen.
    """

    members: Tensor

    def __init__(
        self,
        joint: Joint,
        members: Tensor | None = None,
        *,
        unlabelled: float = 1.0,
    ) -> None:
        super().__init__()
        self.joint, self.unlabelled = joint, unlabelled
        none = torch.zeros(0, joint.classes, dtype=torch.bool)
        self.register_buffer("members", none if members is None else members, persistent=False)
        self.pull: Pull | None = None
        self.recognition: Recognition | None = None  # what answers in the model's place

    def table(self, batch: Batch) -> Tensor:
        """Log p(x, y) of every component, ``(K, B)`` nats."""
        return self.joint.over_classes(batch).table()

    def forward(self, batch: Batch, kl_weight: float = 1.0) -> Surrogate:
        """Loss of every document; the KL weight does not matter, for nothing is approximated."""
        with torch.autocast(batch.counts.values.device.type, enabled=False):
            table = self.table(batch)
            every = torch.logsumexp(table, 0)
            if batch.labels is None:
                return Surrogate(-self.unlabelled * every, every.detach())
            own, seen = self.of_class(table, batch.labels), batch.labels >= 0
            loss = torch.where(seen, -own, -self.unlabelled * every)
            return Surrogate(loss, torch.where(seen, own, every).detach())

    def of_class(self, table: Tensor, labels: Tensor) -> Tensor:
        """Log p(x, class) of the class that is seen ``(B,)`` nats; of all where none is."""
        allowed = self.members[labels.clamp_min(0)].t() | (labels < 0)
        return torch.logsumexp(table.masked_fill(~allowed, -torch.inf), 0)

    def watched(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Log p(x), or log p(x, class) where it is seen, and p(y | x)."""
        table = self.table(batch)
        every = torch.logsumexp(table, 0)
        own = every if batch.labels is None else self.of_class(table, batch.labels)
        return own, (table - every).exp().t()

    def penalty(self) -> Tensor:
        """Minus the log of the Dirichlet priors, its share of a document, nats."""
        joint, pull = self.joint, self.pull
        if pull is None:
            return joint.decoder.bias.new_zeros(())
        logits = joint.decoder.logits(joint.every_class())
        seen = joint.likelihood.pseudo_token(logits, pull.corpus)
        total = pull.words * seen.sum()
        total = total + pull.weights * joint.log_class_prior().sum()
        for part in joint.effects():
            total = total - 0.5 * pull.effects * part.square().sum()
        return -total / pull.documents


class RelaxedObjective(ComponentObjective):
    """The same model by a categorical Gumbel-Softmax posterior, to be compared with the exact sum.

    Parameters
    ----------
    joint
        A model with K components and no factors.
    encoder
        Reads the counts.
    gradient
        The relaxation.
    """

    def __init__(
        self, joint: Joint, encoder: BagOfWordsEncoder, gradient: CategoricalGumbelSoftmax
    ) -> None:
        super().__init__(joint)
        sizes = Sizes(joint.sizes.words, joint.classes, encoder.width + 1)
        self.posterior = MeanFieldPosterior(sizes, encoder)
        self.gradient = gradient

    def anneal(self, progress: float) -> None:
        """The temperature follows the share of the steps that were made."""
        self.gradient.anneal(progress)

    def forward(self, batch: Batch, kl_weight: float = 1.0) -> Surrogate:
        """Loss and bound of every document, ``(B,)`` nats."""
        guess = self.posterior.amortised(batch)
        if guess is None:
            raise ValueError("a mean-field posterior has a guess")
        with torch.autocast(batch.counts.values.device.type, enabled=False):
            logits = functional.log_softmax(guess.logits.float(), -1)
            target = self.joint.over_classes(batch)
            surrogate: Surrogate = self.gradient(target, logits, kl_weight)
        return surrogate
