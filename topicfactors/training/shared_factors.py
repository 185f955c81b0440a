r"""Classes y and binary factors z that all classes share, with q(z | x, y).

A document whose class is not seen adds
:math:`\sum_y r_y\,[\mathrm{bound}(x, y) + \log p(y) - \log r_y]` with
:math:`r = \mathrm{softmax}(\log p(y) + \mathrm{bound}'(x, y))`, detached, bound' from draws of its
own (the log of a sum of exponentiated one-sample bounds would be another objective). docs/
mathematics.md has it; Kingma, Rezende, Mohamed and Welling (2014), https://arxiv.org/abs/1406.5298,
the idea.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from topicfactors.contracts import Batch, Surrogate
from topicfactors.gradients.base import Gradient
from topicfactors.inference import bounds
from topicfactors.inference.noise import document_keys, document_noise
from topicfactors.inference.posteriors import MeanField, Posterior
from topicfactors.inference.truncated import Search, searched
from topicfactors.model.joint import FactorTarget, Joint
from topicfactors.training.components import ComponentObjective

ENUMERATED = 8  # factors up to which p(x, y) is summed over all states
SEARCH = Search(final_states=32, final_rounds=20)  # above


class Pairs(NamedTuple):
    """Documents, each with every component it may come from."""

    batch: Batch  # P of them
    rows: Tensor  # (P,) document of each
    components: Tensor  # (P,)


class SharedFactorsObjective(ComponentObjective):
    """The generative classifier with factors, its posterior, and the gradient that trains both.

    Parameters
    ----------
    joint
        A model with K components and D factors.
    posterior
        q(z | x), which a shift of its log-odds for every component turns into q(z | x, y).
    gradient
        An estimator of :mod:`topicfactors.gradients`.
    members, unlabelled
        As for :class:`ComponentObjective`.
    """

    def __init__(
        self,
        joint: Joint,
        posterior: Posterior,
        gradient: Gradient,
        members: Tensor | None = None,
        *,
        unlabelled: float = 1.0,
    ) -> None:
        super().__init__(joint, members, unlabelled=unlabelled)
        self.posterior, self.gradient = posterior, gradient
        self.shift = nn.Parameter(torch.zeros(joint.classes, joint.sizes.factors))

    def own_parameters(self) -> list[nn.Parameter]:
        """Those of the gradient's estimator."""
        return list(self.gradient.parameters())

    def paced(self) -> tuple[list[nn.Parameter], float]:
        """The posterior's, and the pace that its gradient allows."""
        return [*self.posterior.parameters(), self.shift], self.gradient.pace

    def anneal(self, progress: float) -> None:
        """Temperatures follow the share of the steps that were made."""
        self.gradient.anneal(progress)

    def pairs(self, batch: Batch) -> Pairs:
        """Every document with each of the components that its label allows."""
        documents = len(batch.counts)
        allowed = torch.ones(documents, self.joint.classes, dtype=torch.bool)
        allowed = allowed.to(batch.rows.device)
        if batch.labels is not None:
            seen = batch.labels >= 0
            allowed = self.members[batch.labels.clamp_min(0)] | ~seen[:, None]
        rows, components = allowed.nonzero(as_tuple=True)
        covariates = None if batch.covariates is None else batch.covariates[rows]
        repeated = Batch(batch.counts.select(rows), components, covariates, batch.rows[rows])
        return Pairs(repeated, rows, components)

    def condition(self, pairs: Pairs) -> tuple[FactorTarget, Any]:
        """Log p(x, z | y) and q(z | x, y) of every pair."""
        target = self.joint.condition(pairs.batch, pairs.components)
        guess = self.posterior.amortised(pairs.batch)
        if guess is None:
            return target, self.posterior(pairs.batch, target)
        return target, MeanField(guess.logits + self.shift[pairs.components], guess.features)

    def forward(self, batch: Batch, kl_weight: float = 1.0) -> Surrogate:
        """Loss and bound of every document, ``(B,)`` nats."""
        pairs = self.pairs(batch)
        target, q = self.condition(pairs)
        with torch.autocast(batch.rows.device.type, enabled=False):
            prior = self._prior(pairs)
            with torch.no_grad():
                other = q.bound()
                other = bounds.elbo(target, q) if other is None else other
                log_r = self._shares(pairs, other + prior, len(batch.counts))
            surrogate: Surrogate = self.gradient(target, q, kl_weight)
            weights = log_r.exp()
            each = weights * (surrogate.loss - prior + log_r)
            bound = weights * (surrogate.bound + prior.detach() - log_r)
            loss = each.new_zeros(len(batch.counts)).index_add(0, pairs.rows, each)
            total = bound.new_zeros(len(batch.counts)).index_add(0, pairs.rows, bound)
            if batch.labels is None:
                return Surrogate(self.unlabelled * loss, total, surrogate.control)
            loss = torch.where(batch.labels >= 0, loss, self.unlabelled * loss)
        return Surrogate(loss, total, surrogate.control)

    def watched(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The bound with hard bits ``(B,)`` nats, and p(y | x) ``(B, K)`` by it."""
        pairs = self.pairs(batch)
        target, q = self.condition(pairs)
        bound = q.bound()
        if bound is None:
            noise = document_noise(document_keys(pairs.batch.counts), 1, target.factors)
            bound = bounds.elbo(target, q, 1, noise)
        table = self._table(pairs, bound + self._prior(pairs), len(batch.counts))
        every = torch.logsumexp(table, 1)
        return every, (table - every[:, None]).exp()

    def table(self, batch: Batch) -> Tensor:
        """Log p(x, y), or a tight bound on it where there are many factors, ``(K, B)`` nats."""
        found = [self._log_joint(batch, component) for component in range(self.joint.classes)]
        return torch.stack(found)

    def _log_joint(self, batch: Batch, component: int) -> Tensor:
        labels = torch.full((len(batch.counts),), component, device=batch.rows.device)
        pairs = Pairs(batch._replace(labels=labels), batch.rows, labels)
        target, prior = self.joint.condition(batch, labels), self._prior(pairs)
        if self.joint.sizes.factors <= ENUMERATED:
            return target.table().logsumexp(0) + prior
        _, guess = self.condition(pairs)
        rounds, breadth = SEARCH.new_rounds(target.factors), SEARCH.breadth
        return searched(target, guess, SEARCH.final_states, rounds, breadth).bound() + prior

    def _prior(self, pairs: Pairs) -> Tensor:
        """Log p(y) of every pair, ``(P,)`` nats."""
        logs = self.joint.log_class_prior(pairs.batch.covariates)  # (K, P or 1)
        if logs.shape[1] == 1:
            return logs[pairs.components, 0]
        return logs.gather(0, pairs.components[None])[0]

    def _shares(self, pairs: Pairs, scores: Tensor, documents: int) -> Tensor:
        """Log r of every pair, ``(P,)`` nats."""
        table = self._table(pairs, scores, documents).log_softmax(1)
        return table[pairs.rows, pairs.components]

    def _table(self, pairs: Pairs, scores: Tensor, documents: int) -> Tensor:
        """Scores of pairs as ``(B, K)``, −∞ where there is no pair."""
        table = scores.new_full((documents, self.joint.classes), -torch.inf)
        return table.index_put((pairs.rows, pairs.components), scores)
