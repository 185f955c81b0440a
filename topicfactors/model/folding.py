r"""Priors of fewer factors: what is left of p(z) where some are summed out, or become one.

A factor that is dropped is summed out; a group that is merged becomes one factor, on where any of
the group is. Independent factors do not notice. Under a second layer the merged factor is as
probable as any of the group, as nearly as a row of the layer can say. In a Boltzmann machine

.. math:: \log \sum_{z_G \in S} \exp(a_G^\top z_G + z_G^\top J_{GR} z_R),

with S all states of the group G (dropped), or all but the one with none on (merged), is a function
of the rest that pairs cannot say: it is made linear in each of the rest, by what it moves when that
one is switched and the others are at their prior probabilities. With one coupling it is exact.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from topicfactors.bits import all_states
from topicfactors.model.belief_network import BeliefNetworkPrior
from topicfactors.model.boltzmann import BoltzmannPrior

STEPS = 50  # of Newton's, which end when nothing moves any more
RIDGE = 1e-6  # of the row of a second layer, beside weights that sum to one
SETTLED = 1e-12


def logistic(
    features: Tensor, targets: Tensor, start: Tensor, pull: Tensor, weights: Tensor | None = None
) -> Tensor:
    """The weights ``(F,)`` of a logistic regression on targets between 0 and 1, in double.

    Parameters
    ----------
    features, targets
        ``(N, F)`` and ``(N,)``.
    start, pull
        The weights that a Gaussian prior is centred on, and its precision, ``(F,)`` each.
    weights
        Of the rows, ``(N,)``; 1 each where None.
    """
    features, targets, found = features.double(), targets.double(), start.double().clone()
    centre, pull = found.clone(), pull.double()
    rows = torch.ones_like(targets) if weights is None else weights.double()

    def loss(at: Tensor) -> Tensor:
        logits = features @ at
        fit = rows @ (functional.softplus(logits) - targets * logits)
        return fit + 0.5 * (pull * (at - centre).square()).sum()

    before = loss(found)
    for _ in range(STEPS):
        on = torch.sigmoid(features @ found)
        slope = features.t() @ (rows * (on - targets)) + pull * (found - centre)
        curved = (rows * on * (1 - on))[:, None] * features
        step = torch.linalg.solve(features.t() @ curved + torch.diag(pull), slope)
        size = 1.0
        while not (after := loss(found - size * step)) <= before and size > SETTLED:
            size /= 2
        if not before - after > SETTLED * (1 + before.abs()):
            break
        found, before = found - size * step, after
    return found


@torch.no_grad()
def sum_out(prior: object, factor: int) -> None:
    """Let the rest take up what a factor that goes has said of it; in place.

    The caller then drops the factor, as it is when it is off.
    """
    if isinstance(prior, BoltzmannPrior):
        _, moved = _linear(prior, [factor], all_states(1))
        prior.logits.add_(moved.to(prior.logits))


@torch.no_grad()
def unite(prior: object, members: Sequence[int]) -> Tensor:
    """Let the first of the ``members`` be on where any of them was; in place.

    Returns its log-odds, a scalar; the caller drops the others, as they are when they are off.
    """
    first = members[0]
    if isinstance(prior, BoltzmannPrior):
        return _unite_machine(prior, members)
    if isinstance(prior, BeliefNetworkPrior):
        _unite_layer(prior, members)
        return prior.logits[first]
    logits: Tensor = prior.logits  # type: ignore[attr-defined]
    logits[first] = any_of(logits[list(members)], 0)
    return logits[first]


def any_of(logits: Tensor, dim: int) -> Tensor:
    """Log-odds that any of some independent bits is on, from theirs."""
    none = functional.logsigmoid(-logits.double()).sum(dim)
    return (torch.log(-torch.expm1(none)) - none).to(logits.dtype)


def _unite_layer(prior: BeliefNetworkPrior, members: Sequence[int]) -> None:
    odds, logs = prior.layer()
    target = torch.sigmoid(any_of(odds[:, list(members)], 1).double())
    units = functional.pad(prior.states.double(), (1, 0), value=1.0)
    known = torch.cat([prior.logits[:, None], prior.weights], 1)[list(members)].double()
    start = known.mean(0)
    row = logistic(units, target, start, torch.full_like(start, RIDGE), logs.exp())
    prior.logits[members[0]], prior.weights[members[0]] = row[0].float(), row[1:].float()


def _unite_machine(prior: BoltzmannPrior, members: Sequence[int]) -> Tensor:
    first, group = members[0], list(members)
    level, moved = _linear(prior, group, all_states(len(group))[1:])
    across = prior.right != prior.right[first]
    across[group] = False
    moved = torch.where(across, moved, 0.0)
    prior.logits[first] = (level - moved @ prior.probabilities().double()).to(prior.logits)
    prior.weights[first], prior.weights[:, first] = moved.float(), moved.float()
    return prior.logits[first]


def _linear(prior: BoltzmannPrior, group: list[int], states: Tensor) -> tuple[Tensor, Tensor]:
    """The function of the rest in the docstring above: at their means, and by how much each moves
    it, ``(D,)``; zero of the group.
    """
    couplings, own = prior.couplings().double(), prior.logits.double()
    states = states.to(own)
    mean = prior.probabilities().double()
    mean[group] = 0.0
    field = own[group] + couplings[group] @ mean  # (G,)
    inside = 0.5 * ((states @ couplings[group][:, group]) * states).sum(1)

    def summed(fields: Tensor) -> Tensor:  # (G, n) -> (n,)
        return torch.logsumexp(states @ fields + inside[:, None], 0)

    switched = couplings[group]  # (G, D) what each of the rest adds
    on = summed(field[:, None] + switched * (1 - mean))
    off = summed(field[:, None] - switched * mean)
    moved, middle = on - off, summed(field[:, None])
    bent = off + mean * moved - middle  # where it is switched, and not at its mean
    moved[group], bent[group] = 0.0, 0.0
    return middle[0] + bent.sum(), moved
