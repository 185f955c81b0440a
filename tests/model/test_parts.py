"""Likelihood, priors, decoders, joint and target against brute force."""

import numpy as np
import pytest
import scipy.sparse
import torch

from tests.problems import FACTORS, WORDS, make_problem
from topicfactors.bits import all_states
from topicfactors.contracts import Batch, Sizes
from topicfactors.corpus.counts import Counts
from topicfactors.errors import ConfigurationError
from topicfactors.inference.posteriors import MeanField
from topicfactors.model.decoders import LogLinearDecoder, MLPDecoder
from topicfactors.model.joint import Joint
from topicfactors.model.likelihoods import LIKELIHOODS, Multinomial
from topicfactors.model.priors import BernoulliPrior

SIZES = Sizes(WORDS, FACTORS)


def some_batch(documents=6):
    matrix = scipy.sparse.random(documents, WORDS, 0.5, "csr", random_state=1) * 9
    return Batch(Counts.from_scipy(matrix), None, None, torch.arange(documents)), matrix


@pytest.mark.parametrize("decoder", ["log-linear", "mlp"])
def test_the_likelihood_is_that_of_independent_draws(decoder):
    problem = make_problem(decoder=decoder)
    batch, matrix = some_batch()
    values = torch.rand(3, 6, FACTORS, dtype=torch.float64)
    found = problem.joint.condition(batch).log_likelihood(values)
    h, weights, bias = problem.joint.decoder.logits(values)
    words = torch.log_softmax(h @ weights.t() + bias, -1)
    expected = (words * torch.from_numpy(matrix.toarray().astype(np.float32)).double()).sum(-1)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-5)  # counts are float32


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("decoder", ["log-linear", "mlp"])
@pytest.mark.parametrize("prior_weight", [0.0, 0.3, 1.0])
def test_flips_equal_brute_force(decoder, prior_weight, likelihood):
    problem = make_problem(decoder=decoder, likelihood=likelihood)
    batch, _ = some_batch()
    target = problem.joint.condition(batch)
    bits = torch.randint(0, 2, (3, 6, FACTORS)).double()
    flips = target.flips(bits, prior_weight)
    for d in range(FACTORS):
        on, off = bits.clone(), bits.clone()
        on[..., d], off[..., d] = 1, 0
        likelihood = target.log_likelihood(on) - target.log_likelihood(off)
        prior = target.log_prior(on) - target.log_prior(off)
        torch.testing.assert_close(flips[..., d], likelihood + prior_weight * prior)


def test_the_table_holds_every_state():
    problem = make_problem()
    batch, _ = some_batch()
    target = problem.joint.condition(batch)
    table = target.table()
    assert table.shape == (2**FACTORS, 6)
    for row, state in enumerate(problem.states()):
        bits = state.expand(1, 6, -1)
        expected = target.log_likelihood(bits) + target.log_prior(bits)
        torch.testing.assert_close(table[row], expected[0])


def test_word_probabilities_at_the_non_zeros():
    problem = make_problem()
    batch, _ = some_batch()
    target = problem.joint.condition(batch)
    for values in (torch.rand(3, 6, FACTORS).double(), torch.rand(3, 1, FACTORS).double()):
        found = target.log_word_probability(values, batch.counts)
        h, weights, bias = problem.joint.decoder.logits(values.expand(3, 6, -1))
        words = torch.log_softmax(h @ weights.t() + bias, -1)
        expected = words[:, batch.counts.documents, batch.counts.indices.long()]
        torch.testing.assert_close(found, expected)


def test_the_target_samples_its_prior():
    torch.manual_seed(0)
    problem = make_problem(torch.float32)
    batch, _ = some_batch()
    bits = problem.joint.condition(batch).sample(5000)
    expected = problem.joint.prior.probabilities()
    torch.testing.assert_close(bits.mean((0, 1)), expected, atol=0.02, rtol=0)


def test_prior_log_prob_is_normalised_and_its_odds_are_its_flips():
    prior = BernoulliPrior(SIZES, probability=0.3)
    states = all_states(FACTORS)
    assert prior.log_prob(states).logsumexp(0).item() == pytest.approx(0, abs=1e-5)
    assert float(prior.log_partition()) == 0
    on, off = torch.ones(1, FACTORS), torch.ones(1, FACTORS)
    off[0, 2] = 0
    expected = prior.log_prob(on) - prior.log_prob(off)
    torch.testing.assert_close(prior.log_odds(on)[:, 2], expected)


@pytest.mark.parametrize("logit", [-90.0, -20.0, 0.0, 20.0, 90.0])
def test_the_kl_is_safe_in_float32(logit):
    prior = BernoulliPrior(SIZES)
    q = MeanField(torch.full((1, FACTORS), logit, requires_grad=True))
    kl = prior.kl(q)
    (slope,) = torch.autograd.grad(kl.sum(), q.logits)
    exact = BernoulliPrior(SIZES).double()
    reference = exact.kl(MeanField(torch.full((1, FACTORS), logit, dtype=torch.float64)))
    assert bool(torch.isfinite(slope).all())
    torch.testing.assert_close(kl.double(), reference, rtol=1e-4, atol=1e-6)


def test_a_fixed_prior_is_not_trained():
    assert not BernoulliPrior(SIZES, learnt=False).logits.requires_grad
    assert BernoulliPrior(SIZES).logits.requires_grad


def test_nonnegative_loadings_start_where_they_are_told_and_stay_above_zero():
    decoder = LogLinearDecoder(SIZES, nonnegative=True)
    wanted = torch.rand(FACTORS, WORDS) + 0.05
    decoder.start(wanted)
    torch.testing.assert_close(decoder.loadings(), wanted, atol=1e-5, rtol=1e-4)
    decoder.start(-wanted)
    assert bool((decoder.loadings() > 0).all())


def test_mlp_loadings_are_changes_of_log_probability():
    problem = make_problem(decoder="mlp")
    decoder = problem.joint.decoder.float()
    loadings = decoder.loadings()

    def log_words(state):
        h, weights, bias = decoder.logits(state[None, None])
        return torch.log_softmax(h[0, 0] @ weights.t() + bias, -1)

    alone = torch.zeros(FACTORS)
    alone[3] = 1
    torch.testing.assert_close(
        loadings[3], (log_words(alone) - log_words(torch.zeros(FACTORS))).detach()
    )


def test_the_mlp_starts_near_the_log_linear_model():
    torch.manual_seed(0)
    wanted = torch.randn(FACTORS, WORDS)
    mlp, linear = MLPDecoder(SIZES), LogLinearDecoder(SIZES)
    mlp.start(wanted)
    linear.start(wanted)
    states = all_states(FACTORS)[:, None, :]
    found = torch.log_softmax(torch.einsum("sbh,vh->sbv", *mlp.logits(states)[:2]) + mlp.bias, -1)
    expected = torch.log_softmax(states @ linear.weights.t() + linear.bias, -1)
    assert (found - expected).abs().mean().item() < 0.1


@pytest.mark.parametrize("kind", [LogLinearDecoder, MLPDecoder])
def test_arranging_leaves_every_likelihood_as_it_was(kind):
    torch.manual_seed(0)
    decoder, prior = kind(SIZES), BernoulliPrior(SIZES)
    joint = Joint(SIZES, prior, decoder, Multinomial())
    for parameter in joint.parameters():
        parameter.data = torch.randn(parameter.shape)
    batch, _ = some_batch()
    before = joint.condition(batch).table()
    order, flipped = torch.tensor([3, 1, 4, 0, 2]), torch.tensor([True, False, True, False, True])
    for part in (decoder, prior):
        part.arrange(order, flipped)
    after = joint.condition(batch).table()
    states = all_states(FACTORS)
    moved = torch.where(flipped, 1 - states, states)[:, order]  # where old state i is now
    places = (moved.long() * 2 ** torch.arange(FACTORS)).sum(1)
    torch.testing.assert_close(after[places], before, atol=1e-3, rtol=1e-4)


def test_nonnegative_loadings_refuse_to_be_turned_around():
    decoder = LogLinearDecoder(SIZES, nonnegative=True)
    with pytest.raises(ConfigurationError, match="turned around"):
        decoder.arrange(torch.arange(FACTORS), torch.ones(FACTORS, dtype=torch.bool))
