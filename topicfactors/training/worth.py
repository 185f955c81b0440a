r"""What each factor explains, and what its loadings cost: the evidence for it.

Dropping a factor loses what the bound F falls by when the others may stand in for it. Keeping it
costs its V loadings, of which a Gaussian prior with a precision of the factor's own, α_d, knows
nothing beforehand (automatic relevance: MacKay, 1992; https://doi.org/10.1162/neco.1992.4.3.415).
In Laplace's approximation, with the α_d that is best for the loadings as they are, V / Σ_v W_dv²,
and the information on a loading being the tokens of its word in the documents that have the factor,

.. math:: \mathrm{cost}_d = \tfrac12 \sum_v \log(1 + C_{dv} / \alpha_d) + \tfrac12 V.

The effects of covariates on a factor and its part in a response are a few numbers beside V, and
cost nothing here. A factor that loses less than it costs is not needed.
benchmarks/number_of_factors.md sets the difference beside the loss of documents that were not seen.
"""

from __future__ import annotations

import copy
from typing import NamedTuple

import torch
from torch import Tensor

from topicfactors.contracts import Batch
from topicfactors.inference.search import improved, started
from topicfactors.model.joint import Joint
from topicfactors.training.batches import Documents, in_order
from topicfactors.training.objectives import FactorObjective

MOST = 2000  # documents that are looked at
AT_ONCE = 512  # documents that are searched together
STATES, ROUNDS = 16, 12  # of the search with all factors
REST_STATES, REST_ROUNDS, SEEDS = 8, 4, 3  # of that without one, from the best of the first
NOTICED = 0.01  # least P(on) in a document that dropping the factor can matter to


class Worth(NamedTuple):
    """What the factors of a model are worth; sums over the corpus, in nats."""

    bound: float  # F
    gain: Tensor  # (D,) by which F falls without the factor, the others as they are
    cost: Tensor  # (D,) of its loadings

    @property
    def evidence(self) -> float:
        """F less the cost of all loadings: what models of different D are compared by."""
        return self.bound - float(self.cost.sum())

    @property
    def net(self) -> Tensor:
        """Gain less cost, ``(D,)``."""
        return self.gain - self.cost


@torch.no_grad()
def worth(objective: FactorObjective, documents: Documents, seed: int) -> Worth:
    """What the factors are worth, from 2,000 documents drawn by ``seed`` where there are more."""
    objective.eval()
    total = len(documents.counts)
    rows = torch.randperm(total, generator=torch.Generator().manual_seed(seed))[:MOST]
    chosen = documents.select(rows.to(documents.device))
    blocks = [_searched(objective, batch) for batch in in_order(chosen, AT_ONCE)]
    factors = range(objective.joint.sizes.factors)
    if len(factors) == 1:
        bias = objective.joint.decoder.bias
        gain = bias.new_full((1,), torch.inf)  # there is no model without factors
    else:
        gain = torch.stack([_gain(objective.joint, factor, blocks) for factor in factors])
    tokens = torch.stack([_tokens(objective.joint, block) for block in blocks]).sum(0)
    share, bound = total / len(rows), sum(float(block.bound.sum()) for block in blocks)
    return Worth(bound * share, gain * share, _cost(objective.joint, tokens * share))


class _Block(NamedTuple):
    """Some documents and what a search has found for them."""

    batch: Batch
    bound: Tensor  # (B,)
    mean: Tensor  # (B, D)
    best: Tensor  # (SEEDS, B, D) states


def _searched(objective: FactorObjective, batch: Batch) -> _Block:
    _, q = objective.explain(batch, ROUNDS, STATES)
    best, _ = q.best(min(SEEDS, len(q.states)))
    return _Block(batch, q.bound(), q.mean(), best)


def _gain(joint: Joint, factor: int, blocks: list[_Block]) -> Tensor:
    """By how much F of all documents is higher with the factor, a scalar."""
    rest = _without(joint, factor)
    gain = joint.decoder.bias.new_zeros(())
    for batch, bound, mean, best in blocks:
        used = mean[:, factor] > NOTICED
        rows = used.nonzero()[:, 0]
        prior = joint.prior.condition(batch.covariates).probabilities()[..., factor]
        off = torch.log1p(-prior).expand(len(used))  # which the others pay for it
        gain = gain + off[~used].sum()
        if len(rows):
            states = torch.cat([best[:, rows, :factor], best[:, rows, factor + 1 :]], -1)
            gain = gain + (bound[rows] - _bound(rest, batch, rows, states)).sum()
    return gain


def _bound(joint: Joint, batch: Batch, rows: Tensor, states: Tensor) -> Tensor:
    """F of some documents of a batch under a model, searched from states ``(K, R, D)``."""
    landscape = joint.condition(batch.select(rows)).landscape()
    sets = started(landscape, states, REST_STATES)
    return improved(landscape, sets, REST_ROUNDS, REST_STATES // 2).bound()


def _tokens(joint: Joint, block: _Block) -> Tensor:
    """Expected tokens of every word in documents that have the factor on, ``(D, V)``."""
    counts = joint.likelihood.observe(block.batch.counts)
    weighted = block.mean[counts.documents] * counts.values[:, None]
    empty = weighted.new_zeros(joint.sizes.words, joint.sizes.factors)
    return empty.index_add(0, counts.indices, weighted).t()


def _cost(joint: Joint, tokens: Tensor) -> Tensor:
    """Of the loadings, ``(D,)`` nats; ``tokens (D, V)`` of each word where the factor is on."""
    loadings = joint.decoder.loadings()
    words = loadings.shape[1]
    variance = loadings.square().mean(1, keepdim=True)  # 1/α
    return 0.5 * torch.log1p(tokens * variance).sum(1) + 0.5 * words


def _without(joint: Joint, factor: int) -> Joint:
    """The model that has lost a factor."""
    factors = joint.sizes.factors
    device = joint.decoder.bias.device
    order = torch.cat([torch.arange(factor), torch.arange(factor + 1, factors)]).to(device)
    unturned = torch.zeros(factors, dtype=torch.bool, device=device)
    rest = copy.deepcopy(joint)
    for part in rest.per_factor():
        part.arrange(order, unturned)
    rest.sizes = joint.sizes._replace(factors=factors - 1)
    return rest
