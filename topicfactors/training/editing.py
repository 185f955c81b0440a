r"""Fewer factors in a trained model: some are dropped, groups become one.

Both keep what the words do on average. Where a factor d is dropped that is on in a share
:math:`\pi` of the documents, the bias becomes that of the mean of the word probabilities with it on
and off, the other factors at their prevalence; one that is always on moves into the bias whole
(docs/editing-factors.md). Where a group becomes one factor, on where any of the group was, the
loadings of that one give the mean of the word probabilities of the group's states, each weighing as
often as it comes in documents that have any. So the loadings of a factor that was found twice are
its own. A response keeps its mean in the same way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from topicfactors.bits import all_states
from topicfactors.inference.autoregressive import Autoregressive, AutoregressivePosterior
from topicfactors.inference.free import FreePosterior
from topicfactors.inference.posteriors import MeanFieldPosterior, Posterior
from topicfactors.model import folding
from topicfactors.model.decoders import MLPDecoder
from topicfactors.model.likelihood import dense
from topicfactors.model.priors import BernoulliPrior, Prior
from topicfactors.model.responses import Response
from topicfactors.training.batches import Documents, in_order
from topicfactors.training.objectives import FactorObjective

AT_ONCE = 4096  # documents that the encoder reads together
FITTED = 20_000  # documents at most that its row is fitted to
FIXED = 1e12  # precision of what is not learnt
LEAST = 1e-6  # of a loading that must not be negative
NEVER = 1e-9  # share of documents below which a state of a group is not looked at


class Group(NamedTuple):
    """Factors that become one, and what the documents say of them."""

    members: list[int]  # the first is the one that stays
    shares: Tensor  # (2^G,) of the documents that have each state of the group, of the sum
    any_on: Tensor  # (N,) probability that any of them is on, for every document

    def states(self) -> tuple[Tensor, Tensor]:
        """Those with one on at least ``(S, G)``, and their shares of such documents ``(S,)``."""
        states, shares = all_states(len(self.members))[1:], self.shares[1:]
        shares = shares / shares.sum()
        seen = shares > NEVER
        return states[seen].double(), shares[seen] / shares[seen].sum()

    def each(self) -> Tensor:
        """How often each member is on in documents that have any, ``(G,)``."""
        states, shares = self.states()
        return shares @ states


def state_shares(q: Any, members: Sequence[int]) -> Tensor:
    """Probabilities of all states of some factors in each document, ``(2^G, B)`` in double.

    ``q`` is any posterior of B documents; the states are in the order of ``bits.all_states``.
    """
    group, count = list(members), 2 ** len(members)
    if q.factorised:
        states, logits = all_states(len(group)).double(), q.logits[:, group].cpu().double()
        on, off = (torch.nn.functional.logsigmoid(sign * logits) for sign in (1, -1))
        return torch.exp(states @ on.t() + (1 - states) @ off.t())
    powers = 2 ** torch.arange(len(group))
    if isinstance(q, Autoregressive):
        bits = q.draws().bits[..., group].cpu()
        weights = torch.full(bits.shape[:2], 1 / len(bits), dtype=torch.float64)
    else:
        states, logs = q.support() or (q.states[:, None], q.log_weights)
        weights = logs.exp().cpu().double()
        bits = states[..., group].expand(-1, weights.shape[1], -1).cpu()
    places = (bits.long() * powers).sum(-1)
    return weights.new_zeros(count, weights.shape[1]).scatter_add(0, places, weights)


@torch.no_grad()
def drop(objective: FactorObjective, factor: int, often: Tensor) -> None:
    """Let the rest take up what a factor does on average; afterwards it is never on.

    ``often (D,)`` says in which share of the documents each factor is on; that of the factor
    becomes zero, in place.
    """
    share, joint = float(often[factor]), objective.joint
    both = _eta(objective, _with(often, [factor], all_states(1)))
    wanted = joint.likelihood.mixed(both, both.new_tensor([1 - share, share]))
    folding.sum_out(joint.prior, factor)
    for bias, weights in _reading(objective, factor):
        bias.add_((share * weights).to(bias))
    if joint.response is not None:
        shares = often.new_tensor([1 - share, share])
        joint.response.intercept.add_(mean_effect(joint.response, [factor], all_states(1), shares))
    often[factor] = 0.0
    now = _eta(objective, often[None])[0]
    joint.decoder.bias.add_((wanted - now).to(joint.decoder.bias))


@torch.no_grad()
def merge(objective: FactorObjective, group: Group, often: Tensor) -> None:
    """Let the first of a group be on where any of it was; afterwards the others are never on.

    ``often (D,)`` becomes so, in place. The encoder's row, and what covariates do, are the
    caller's to fit: they need the documents.
    """
    states, shares = group.states()
    joint, first, members = objective.joint, group.members[0], group.members
    decoder: Any = joint.decoder
    eta = _eta(objective, _with(often, members, states))
    wanted = joint.likelihood.mixed(eta, shares.to(eta))
    for network in _networks(objective):
        column = network.reads.weight[:, members] @ group.each().to(network.reads.weight)
        network.reads.weight[:, first] = column
    if joint.response is not None:
        joint.response.coef[first] = mean_effect(joint.response, members, states, shares)
    folding.unite(joint.prior, members)
    often[members] = 0.0
    decoder.raw[:, first] = -torch.inf if decoder.nonnegative else 0.0
    without = _eta(objective, _with(often, [first], torch.ones(1, 1)))[0]
    decoder.raw[:, first] = raw_of(wanted - without, decoder.nonnegative).to(decoder.raw)
    often[first] = float(group.any_on.mean())


@torch.no_grad()
def fit_guess(posterior: Posterior, group: Group, documents: Documents) -> None:
    """Let what the encoder guesses of the first of a group be what is known of any of it.

    Its row of weights is fitted to the documents (20,000 of them where there are more), near the
    mean of the group's rows.
    """
    first, members = group.members[0], group.members
    if isinstance(posterior, FreePosterior):
        posterior.start[first] = folding.any_of(posterior.start[members], 0)
    guess = getattr(posterior, "guess", posterior)
    if not isinstance(guess, MeanFieldPosterior):
        return
    total = len(documents.counts)
    rows = torch.arange(total)[:: -(-total // FITTED)]
    parts = []
    for batch in in_order(documents.select(rows.to(documents.device)), AT_ONCE):
        known = [guess.encoder(batch.counts).double()]
        if guess.shifts is not None and batch.covariates is not None:
            known.append(batch.covariates.double())
        parts.append(torch.cat([*known, known[0].new_ones(len(known[0]), 1)], 1))
    shifts = [] if guess.shifts is None else [guess.shifts]
    own = torch.cat([guess.head.weight, *shifts, guess.head.bias[:, None]], 1)
    start = group.each().to(own) @ own[members]
    targets = group.any_on[rows].to(own.device)
    row = folding.logistic(torch.cat(parts), targets, start, torch.ones_like(start)).to(own)
    width = guess.head.weight.shape[1]
    guess.head.weight[first], guess.head.bias[first] = row[:width], row[-1]
    if guess.shifts is not None:
        guess.shifts[first] = row[width:-1]


@torch.no_grad()
def fit_prior(prior: Prior, group: Group, covariates: Tensor | None, shrinkage: float) -> None:
    """Where factors are independent, let the merged one be as probable as the documents say.

    ``covariates (N, C)`` are those of the documents, whose effects have a Gaussian prior of the
    precision ``shrinkage``. A prior that is not learnt keeps the probability of any of the group.
    """
    if not isinstance(prior, BernoulliPrior):
        return
    first, any_on = group.members[0], group.any_on
    effects = prior.effects
    known = any_on.new_ones(len(any_on), 1)
    start, pull = prior.logits[first : first + 1].cpu().double(), known.new_full((1,), LEAST)
    if not prior.logits.requires_grad:
        pull = pull + FIXED
    if effects is not None and covariates is not None:
        mean = group.each() @ effects.weight[group.members].cpu().double()
        known = torch.cat([known, covariates.cpu().double()[:, : len(mean)]], 1)
        start, pull = (
            torch.cat([start, mean]),
            torch.cat([pull, mean.new_full(mean.shape, shrinkage)]),
        )
    row = folding.logistic(known, any_on, start, pull)
    prior.logits[first] = row[0]
    if effects is not None:
        effects.weight[first] = row[1:].to(effects.weight)


def _eta(objective: FactorObjective, values: Tensor) -> Tensor:
    """η of states ``(S, D)``, ``(S, V)`` in double; dense."""
    bias = objective.joint.decoder.bias
    return dense(objective.word_logits(values.to(bias)[:, None]))[:, 0].double()


def _with(often: Tensor, members: Sequence[int], states: Tensor) -> Tensor:
    """States ``(S, D)``: some factors as they are in ``states (S, G)``, the others as often."""
    values = often.repeat(len(states), 1)
    values[:, list(members)] = states.to(values)
    return values


def _networks(objective: FactorObjective) -> list[Any]:
    """Those of continuous layers, which read the factors."""
    layers = objective.layers
    return [] if layers is None else [*layers.models, *layers.guesses]


def _reading(objective: FactorObjective, factor: int) -> Iterator[tuple[Tensor, Tensor]]:
    """What reads a factor, as a bias and what the factor adds to it; the words are apart."""
    decoder, posterior = objective.joint.decoder, objective.posterior
    if isinstance(decoder, MLPDecoder):
        yield decoder.hidden.bias, decoder.hidden.weight[:, factor]
    for network in _networks(objective):
        yield network.reads.bias, network.reads.weight[:, factor]
    if isinstance(posterior, AutoregressivePosterior):
        told = posterior.couplings()
        yield posterior.guess.head.bias, told.weights[:, factor]
        yield posterior.drift, told.lasting[:, factor]
        if posterior.given is not None:
            yield posterior.given.bias, told.inner[:, factor]


def mean_effect(
    response: Response, members: Sequence[int], states: Tensor, shares: Tensor
) -> Tensor:
    """What a factor adds to the predictor that stands for some states, a scalar."""
    added = states.to(response.coef) @ response.coef[list(members)]
    if response.linear:
        return shares.to(added) @ added
    logs = response.unit * added + shares.to(added).log()
    return torch.logsumexp(logs, 0) / response.unit


def raw_of(loadings: Tensor, nonnegative: bool) -> Tensor:
    """The parameters of a log-linear decoder that has these loadings."""
    if not nonnegative:
        return loadings
    loadings = loadings.clamp_min(LEAST)
    return loadings + torch.log(-torch.expm1(-loadings))
