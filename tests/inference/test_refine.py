"""Coordinate ascent of a factorised posterior, against the best one by brute force."""

import pytest
import torch
from torch.nn import functional

from tests.estimators.planted import planted
from tests.model.test_parts import some_batch
from tests.problems import FACTORS, make_problem
from topicfactors.bits import all_states
from topicfactors.contracts import Batch, Sizes
from topicfactors.corpus.counts import Counts
from topicfactors.inference.autoregressive import Autoregressive, Couplings
from topicfactors.inference.bounds import elbo
from topicfactors.inference.noise import document_keys, document_noise
from topicfactors.inference.posteriors import MeanField
from topicfactors.inference.refine import ascended, evidence, judged, refined
from topicfactors.model.decoders import LogLinearDecoder
from topicfactors.model.joint import Joint
from topicfactors.model.likelihoods import LIKELIHOODS, Multinomial
from topicfactors.model.priors import BernoulliPrior


def enumerated(target, logits):
    """The ELBO of bits with these log-odds by summing over all states, (B,)."""
    states = all_states(logits.shape[1]).to(logits.dtype)
    log_q = states @ logits.t() - functional.softplus(logits).sum(1)
    return (log_q.exp() * (target.table() - log_q)).sum(0)


def brute_force(target, starts, sweeps):
    """The highest ELBO that exact coordinate ascent reaches from many starts, (B,)."""
    states, table = all_states(target.factors).to(starts.dtype), target.table()
    best = torch.full(starts.shape[1:2], -torch.inf, dtype=starts.dtype)
    for logits in starts.clone():
        for _ in range(sweeps):
            for d in range(target.factors):
                rest = logits.clone()
                rest[:, d] = 0
                twice = states @ rest.t() - functional.softplus(rest).sum(1)
                sign = 2 * (2 * states[:, d : d + 1] - 1)
                logits[:, d] = (twice.exp() * table * sign).sum(0)
        best = torch.maximum(best, enumerated(target, logits))
    return best


def starts_of(target, count, documents, seed=0):
    """The best states, less sure and more, and log-odds at random."""
    generator = torch.Generator().manual_seed(seed)
    states = all_states(target.factors).double()
    order = target.table().argsort(0, descending=True)
    near = [(2 * states[order[k]] - 1) * 3 for k in range(count // 2)]
    spread = torch.randn(count - len(near), documents, target.factors, generator=generator) * 3
    return torch.cat([torch.stack(near), spread.double() - 1])


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("decoder", ["log-linear", "mlp"])
@torch.no_grad()
def test_it_comes_near_the_best_factorised_posterior(likelihood, decoder):
    problem = make_problem(decoder=decoder, likelihood=likelihood)
    batch, _ = some_batch()
    target = problem.joint.condition(batch)
    guess = MeanField(problem.logits.expand(6, -1))
    q = refined(target, guess, document_keys(batch.counts), 60)
    best = brute_force(target, starts_of(target, 12, 6), 30)
    found = enumerated(target, q.logits)
    assert (best - found).min() > -1e-3
    assert (best - found).mean() < 0.05
    assert found.mean() > enumerated(target, guess.logits).mean() + 0.1


@torch.no_grad()
def test_evidence_is_the_mean_of_the_flips():
    problem = make_problem()
    batch, _ = some_batch()
    target = problem.joint.condition(batch)
    logits = problem.logits.expand(1, 6, -1)
    noise = document_noise(document_keys(batch.counts), 20_000, FACTORS).double()
    found = evidence(target, logits, noise)[0]
    states = all_states(FACTORS).double()[:, None].expand(-1, 6, -1)
    weights = (states[:, 0] @ logits[0, 0] - functional.softplus(logits[0, 0]).sum()).exp()
    expected = (weights[:, None, None] * target.flips(states)).sum(0)
    torch.testing.assert_close(found, expected, atol=0.2, rtol=0.02)


@torch.no_grad()
def test_judges_estimate_the_bound():
    problem = make_problem()
    batch, _ = some_batch()
    target = problem.joint.condition(batch)
    logits = problem.logits.expand(6, -1)
    noise = document_noise(document_keys(batch.counts), 20_000, FACTORS)
    torch.testing.assert_close(
        judged(target, logits, noise), enumerated(target, logits), atol=0.15, rtol=0
    )


@torch.no_grad()
def test_what_it_finds_depends_on_the_document_alone():
    problem = make_problem()
    batch, _ = some_batch()
    rows = torch.tensor([5, 2, 0])
    part = Batch(batch.counts.select(rows), None, None, rows)
    found = [
        refined(
            problem.joint.condition(one),
            MeanField(problem.logits.expand(len(one.rows), -1)),
            document_keys(one.counts),
            7,
        ).logits
        for one in (batch, part)
    ]
    torch.testing.assert_close(found[0][rows], found[1])


@torch.no_grad()
def test_more_steps_are_better_and_no_document_loses_much():
    problem = make_problem()
    batch, _ = some_batch()
    target, keys = problem.joint.condition(batch), document_keys(batch.counts)
    guess = problem.logits.expand(6, -1)
    bounds = [
        enumerated(target, refined(target, MeanField(guess), keys, steps).logits)
        for steps in (1, 10, 60)
    ]
    assert bounds[0].mean() < bounds[2].mean()
    assert (bounds[2] - enumerated(target, guess)).min() > -0.05


@torch.no_grad()
def test_one_start_may_end_on_a_lower_hill():
    """Two factors that say the same: the guess has one, a better one is two flips away."""
    weights = torch.zeros(WORDS_OF_TWINS, 2, dtype=torch.float64)
    weights[:3, 0], weights[:4, 1] = 3.0, 3.3
    target, keys = twins(weights)
    wrong = torch.tensor([[8.0, -8.0]], dtype=torch.float64)
    alone = ascended(target, wrong[None], keys, 40)[0]
    both = refined(target, MeanField(wrong), keys, 40).logits
    assert enumerated(target, both) >= enumerated(target, alone) - 1e-6
    best = brute_force(target, starts_of(target, 4, 1), 20)
    torch.testing.assert_close(enumerated(target, both), best, atol=0.02, rtol=0)


@torch.no_grad()
def test_a_guess_whose_bits_depend_on_each_other_stays_where_it_is_better():
    """Two factors that say the same: one of them is on, and independent bits cannot say which."""
    weights = torch.zeros(WORDS_OF_TWINS, 2, dtype=torch.float64)
    weights[:4] = 3.0
    target, keys = twins(weights)
    table = target.table().softmax(0)[:, 0]  # off off, on off, off on, on on
    first = torch.logit(table[1] + table[3])
    then = torch.logit(table[2:] / (table[:2] + table[2:]))  # of the second, the first off and on
    coupled = torch.tensor([[0.0, 0.0], [then[1] - then[0], 0.0]], dtype=torch.float64)
    none = torch.zeros(2, 2, dtype=torch.float64)
    empty = torch.zeros(0, 2, dtype=torch.float64)
    groups = torch.arange(2)
    couplings = Couplings(groups, coupled, none, groups[:0], empty, empty.t())
    start = torch.stack([first, then[0]])[None]
    guess = Autoregressive(start, couplings, start[:, :0], start.new_ones(1, 1), keys)
    exact = target.table().logsumexp(0)
    found = refined(target, guess, keys, 10)
    torch.testing.assert_close(elbo(target, found, 500), exact, atol=1e-6, rtol=0)
    wrong = Autoregressive(start * 0 - 3, couplings, start[:, :0], start.new_ones(1, 1), keys)
    better = refined(target, wrong, keys, 10)
    assert elbo(target, wrong, 500) < exact - 2
    assert elbo(target, better, 500) > exact - 1  # independent bits lose log 2
    draw = better.sample(4)
    torch.testing.assert_close(better.conditioned(draw.values), better.start.expand(4, 1, 2))


WORDS_OF_TWINS = 8


def twins(weights):
    sizes = Sizes(WORDS_OF_TWINS, 2)
    joint = Joint(sizes, BernoulliPrior(sizes), LogLinearDecoder(sizes), Multinomial()).double()
    joint.decoder.raw.data = weights
    import scipy.sparse

    matrix = scipy.sparse.csr_matrix([[4.0, 5.0, 3.0, 6.0, 0.0, 1.0, 0.0, 0.0]])
    batch = Batch(Counts.from_scipy(matrix), None, None, torch.arange(1))
    return joint.condition(batch), document_keys(batch.counts)


@pytest.mark.slow
@torch.no_grad()
def test_twelve_factors_come_within_a_twentieth_of_a_nat():
    """200 documents of a model whose factors share words, so that there are many hills."""
    torch.manual_seed(0)
    documents, factors = 200, 12
    made = planted(factors=factors, documents=documents, length=60, rate=0.25)
    sizes = Sizes(made.counts.shape[1], factors)
    joint = Joint(sizes, BernoulliPrior(sizes), LogLinearDecoder(sizes), Multinomial()).double()
    mixed = (
        torch.from_numpy(made.loadings.T)
        @ (torch.eye(factors) + 0.35 * torch.randn(12, 12)).double()
    )
    joint.decoder.raw.data = mixed
    batch = Batch(Counts.from_scipy(made.counts), None, None, torch.arange(documents))
    target, keys = joint.condition(batch), document_keys(batch.counts)
    guess = MeanField(torch.full((documents, factors), -2.0, dtype=torch.float64))
    found = enumerated(target, refined(target, guess, keys, 50).logits)
    best = brute_force(target, starts_of(target, 8, documents), 15)
    assert (best - found).mean() < 0.05
    assert (target.table().logsumexp(0) - best).mean() > 0.05  # hills there are
