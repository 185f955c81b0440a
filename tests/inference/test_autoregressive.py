"""Factors drawn in groups: probabilities, marginals, order, and unbiased gradients."""

import math

import pytest
import torch
from torch.nn import functional

from tests.model.test_parts import some_batch
from tests.problems import FACTORS, WORDS, make_problem
from topicfactors.bits import all_states
from topicfactors.contracts import Draw, Sizes
from topicfactors.gradients import DVAE, NVIL, GumbelSoftmax, StraightThrough
from topicfactors.inference import bounds
from topicfactors.inference.autoregressive import AutoregressivePosterior
from topicfactors.inference.encoders import BagOfWordsEncoder
from topicfactors.inference.noise import document_keys, document_noise
from topicfactors.inference.posteriors import MeanFieldPosterior

SIZES = Sizes(WORDS, FACTORS, 7)
PARTS = ["groups=2", "groups=5", "groups=3,width=8"]


def made(options="groups=3,width=8", dtype=torch.float64, seed=0, factors=FACTORS):
    """A posterior whose couplings are anything but zero."""
    torch.manual_seed(seed)
    sizes = SIZES._replace(factors=factors)
    chosen = {key: int(value) for key, value in (o.split("=") for o in options.split(","))}
    posterior = AutoregressivePosterior(
        sizes, BagOfWordsEncoder(sizes, width=6, layers=1), **chosen
    )
    for parameter in posterior.parameters():
        torch.nn.init.normal_(parameter, 0.0, 0.7)
    return posterior.to(dtype).eval()


def every_state(q, factors=FACTORS):
    states = all_states(factors).to(q.start.dtype)[:, None].expand(-1, len(q.start), -1)
    return Draw(states, states, states, states)


@pytest.mark.parametrize("options", PARTS)
def test_the_probabilities_of_all_states_sum_to_one(options):
    batch, _ = some_batch()
    q = made(options).amortised(batch)
    total = q.log_prob(every_state(q)).logsumexp(0)
    torch.testing.assert_close(total, torch.zeros_like(total), atol=1e-12, rtol=0)


@pytest.mark.parametrize("options", PARTS)
def test_states_are_drawn_as_often_as_they_are_probable(options):
    batch, _ = some_batch(2)
    q = made(options).amortised(batch)
    draw = q.sample(40_000)
    places = (draw.bits.long() * 2 ** torch.arange(FACTORS)).sum(-1)
    probable = q.log_prob(every_state(q)).exp()
    for document in range(2):
        share = torch.bincount(places[:, document], minlength=2**FACTORS) / 40_000
        torch.testing.assert_close(share.double(), probable[:, document], atol=0.012, rtol=0)


@pytest.mark.parametrize("options", PARTS)
def test_the_logits_of_a_draw_are_those_of_its_probability(options):
    batch, _ = some_batch()
    q = made(options).amortised(batch)
    draw = q.sample(3, GumbelSoftmax(SIZES).relaxation)
    torch.testing.assert_close(draw.logits, q.conditioned(draw.values))
    expected = (draw.values * draw.logits - functional.softplus(draw.logits)).sum(-1)
    torch.testing.assert_close(q.log_prob(draw), expected)


def test_a_group_knows_the_groups_before_it_and_no_other():
    batch, _ = some_batch()
    q = made("groups=2,width=8").amortised(batch)
    values = torch.rand(1, 6, FACTORS, dtype=torch.float64, requires_grad=True)
    logits = q.conditioned(values)
    for d in range(FACTORS):
        slopes = torch.autograd.grad(logits[..., d].sum(), values, retain_graph=True)[0]
        heard = slopes.abs().sum((0, 1)) > 0
        assert torch.equal(heard, q.groups < q.groups[d])


def test_without_couplings_it_is_mean_field():
    torch.manual_seed(0)
    encoder = BagOfWordsEncoder(SIZES, width=6).eval()
    posterior = AutoregressivePosterior(SIZES, encoder, groups=3, width=4)
    plain = MeanFieldPosterior(SIZES, encoder)
    plain.head = posterior.guess.head
    batch, _ = some_batch()
    q, expected = posterior(batch, None), plain(batch, None)
    noise = torch.rand(4, 6, FACTORS)
    one, other = q.sample(4, noise=noise), expected.sample(4, noise=noise)
    assert torch.equal(one.bits, other.bits)
    torch.testing.assert_close(q.log_prob(one), expected.log_prob(other))
    torch.testing.assert_close(q.mean(), expected.mean())
    torch.testing.assert_close(q.features, expected.features)


def test_the_mean_is_that_of_its_draws_and_of_the_document_alone():
    batch, _ = some_batch()
    q = made().amortised(batch)
    states, weights = every_state(q).bits, q.log_prob(every_state(q)).exp()
    exact = (weights[..., None] * states).sum(0)
    torch.testing.assert_close(q.mean(), exact, atol=0.12, rtol=0)
    rows = torch.tensor([4, 1])
    part = batch._replace(counts=batch.counts.select(rows), rows=rows)
    torch.testing.assert_close(made().amortised(part).mean(), q.mean()[rows])
    torch.testing.assert_close(torch.sigmoid(q.logits), q.mean())


@pytest.mark.parametrize("options", PARTS)
@pytest.mark.parametrize("kept", [[3, 0, 4, 1, 2], [2, 0, 3]])
def test_arranging_is_exact(options, kept):
    """Factors in another order, some turned, some dropped: the same distribution of the rest."""
    posterior, (batch, _) = made(options), some_batch()
    with torch.no_grad():  # what is dropped says nothing
        for factor in set(range(FACTORS)) - set(kept):
            for part in (posterior.weights, posterior.lasting, posterior.inner):
                part[:, factor] = 0
    before = posterior.amortised(batch)
    order, flipped = torch.tensor(kept), torch.tensor([True, False, False, True, False])
    states = torch.randint(0, 2, (9, 6, FACTORS)).double()
    logits = before.conditioned(states)
    posterior.arrange(order, flipped)
    turned = torch.where(flipped, 1 - states, states)[..., order]
    after = posterior.amortised(batch).conditioned(turned)
    expected = torch.where(flipped, -logits, logits)[..., order]
    torch.testing.assert_close(after, expected)
    assert posterior.weights.shape == (len(kept), len(kept))


def test_covariates_shift_the_log_odds():
    sizes = SIZES._replace(covariates=2)
    torch.manual_seed(0)
    posterior = AutoregressivePosterior(sizes, BagOfWordsEncoder(sizes, width=6)).eval()
    torch.nn.init.normal_(posterior.guess.shifts)
    batch, _ = some_batch()
    batch = batch._replace(covariates=torch.randn(6, 2))
    apart = (
        posterior.amortised(batch).start
        - posterior.amortised(batch._replace(covariates=torch.zeros(6, 2))).start
    )
    torch.testing.assert_close(apart, batch.covariates @ posterior.guess.shifts.t())
    with pytest.raises(ValueError, match="covariates"):
        posterior.amortised(batch._replace(covariates=None))


def test_detached_it_is_the_same_and_out_of_the_graph():
    batch, _ = some_batch()
    q = made().amortised(batch)
    draw = q.sample(2)
    torch.testing.assert_close(q.detach().log_prob(draw), q.log_prob(draw))
    assert not q.detach().log_prob(draw).requires_grad
    assert (q.bound(), q.support()) == (None, None)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_nvil_is_unbiased_against_enumeration(dtype):
    copies = 100_000
    posterior, problem = made("groups=3,width=4"), make_problem()
    named = dict(posterior.named_parameters())
    one = posterior.amortised(problem.batch())
    target = problem.joint.condition(problem.batch())
    states = every_state(one)
    weights = one.log_prob(states)[:, 0]
    joint = (target.log_likelihood(states.bits) + target.log_prior(states.bits))[:, 0]
    loss = -(weights.exp() * (joint - weights)).sum()
    exact = dict(zip(named, torch.autograd.grad(loss, list(named.values())), strict=True))
    plain = {"constant_baseline": False, "input_baseline": False, "normalise_variance": False}
    gradient = NVIL(SIZES, samples=1, **plain).eval()
    problem, posterior = make_problem(dtype), posterior.to(dtype)
    torch.manual_seed(1)
    means = []
    for _ in range(50):
        batch = problem.batch(copies // 50)
        loss = gradient(problem.joint.condition(batch), posterior.amortised(batch), 1.0).loss
        means.append(torch.autograd.grad(loss.mean(), list(posterior.parameters())))
    for name, parts in zip(named, zip(*means, strict=True), strict=True):
        drawn = torch.stack(parts).double()
        error = drawn.std(0) / math.sqrt(len(drawn))
        assert ((drawn.mean(0) - exact[name]).abs() <= 5 * error + 2e-5).all(), name


@pytest.mark.parametrize("gradient", [GumbelSoftmax, StraightThrough, DVAE])
def test_relaxations_differentiate_through_the_groups(gradient):
    problem, posterior = make_problem(), made("groups=3,width=4")
    batch = problem.batch(300)
    q = posterior.amortised(batch)
    surrogate = gradient(SIZES)(problem.joint.condition(batch), q, 1.0)
    parameters = list(posterior.parameters())
    found = torch.autograd.grad(surrogate.loss.mean(), parameters)
    assert all(bool(torch.isfinite(part).all() and (part != 0).any()) for part in found)


@torch.no_grad()
def test_elbo_below_iwae_below_log_p():
    problem, posterior, (batch, _) = make_problem(), made("groups=3,width=4"), some_batch()
    target, q = problem.joint.condition(batch), posterior.amortised(batch)
    states = every_state(q)
    logs, ratio = q.log_prob(states), target.table() - q.log_prob(states)
    elbo = (logs.exp() * ratio).sum(0)
    noise = document_noise(document_keys(batch.counts), 4000, FACTORS)
    torch.testing.assert_close(bounds.elbo(target, q, 4000, noise), elbo, atol=0.5, rtol=0)
    ladder = [elbo, *(bounds.iwae(target, q, k, noise[:k]) for k in (50, 4000))]
    means = [float(bound.mean()) for bound in (*ladder, bounds.exact(target))]
    assert means[0] < means[1] < means[2] < means[3] + 0.1
    assert means[3] - means[2] < 0.5
