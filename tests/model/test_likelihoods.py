"""Every likelihood against its formula written out, in float64 and in float32."""

import itertools
import math

import numpy as np
import pytest
import scipy.sparse
import torch
from scipy.special import digamma, gammaln

from tests.problems import FACTORS, WORDS, make_problem
from topicfactors.contracts import Batch
from topicfactors.corpus.counts import Counts
from topicfactors.errors import ConfigurationError
from topicfactors.model.likelihood import Frequencies
from topicfactors.model.likelihoods import (
    LIKELIHOODS,
    Bernoulli,
    Multinomial,
    Poisson,
    Polya,
)
from topicfactors.model.logits import Logits


def whole_counts(documents=6, seed=1):
    generator = np.random.default_rng(seed)
    matrix = generator.poisson(1.0, (documents, WORDS)).astype(float)
    matrix[0] = 0  # an empty document
    return matrix


def some_logits(samples=3, documents=6, dtype=torch.float64):
    generator = torch.Generator().manual_seed(2)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)

    return Logits(normal(samples, documents, 4), normal(WORDS, 4), normal(WORDS))


def dense(logits):
    return (logits.h @ logits.weights.t() + logits.bias).numpy()


def by_hand(name, matrix, eta, concentration):
    """Log p(x | η), ``(S, B)``, with dense arrays."""
    words = eta - np.log(np.exp(eta).sum(-1, keepdims=True))
    length = matrix.sum(1)
    if name == "multinomial":
        return (matrix * words).sum(-1)
    if name == "polya":
        mass = concentration * np.exp(words)
        terms = gammaln(mass + matrix) - gammaln(mass)
        return gammaln(concentration) - gammaln(concentration + length) + terms.sum(-1)
    if name == "poisson":
        rates = length[:, None] * np.exp(eta)
        logs = np.where(matrix > 0, np.log(np.maximum(rates, 1e-300)), 0)
        return (matrix * logs - rates - gammaln(matrix + 1)).sum(-1)
    there = matrix > 0
    return np.where(there, -np.log1p(np.exp(-eta)), -np.log1p(np.exp(eta))).sum(-1)


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_log_prob_is_the_formula(name):
    matrix, logits = whole_counts(), some_logits()
    likelihood = LIKELIHOODS[name]().double()
    if name == "polya":
        likelihood = Polya(concentration=3.0).double()
    found = likelihood.log_prob(Counts.from_scipy(matrix), logits)
    np.testing.assert_allclose(
        found.detach().numpy(), by_hand(name, matrix, dense(logits), 3.0), rtol=1e-6
    )


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_the_derivative_is_that_of_the_value(name):
    matrix, logits = whole_counts(), some_logits()
    likelihood, counts = LIKELIHOODS[name]().double(), Counts.from_scipy(matrix)

    def value(h, weights, bias):
        return likelihood.log_prob(counts, Logits(h, weights, bias)).sum(0)

    leaves = [part.clone().requires_grad_() for part in logits]
    assert torch.autograd.gradcheck(value, leaves, atol=1e-4)


def every_document(length, words):
    """All count vectors of so many tokens, and in how many orders each may come."""
    for split in itertools.combinations(range(length + words - 1), words - 1):
        edges = (-1, *split, length + words - 1)
        row = [b - a - 1 for a, b in itertools.pairwise(edges)]
        orders = math.factorial(length)
        for count in row:
            orders //= math.factorial(count)
        yield row, orders


@pytest.mark.parametrize("likelihood", [Multinomial(), Polya(concentration=2.0)], ids=["m", "p"])
def test_sequences_of_words_have_probabilities_that_sum_to_one(likelihood):
    rows, orders = zip(*every_document(4, 3), strict=True)
    logits = Logits(torch.zeros(1, 1, 1), torch.zeros(3, 1), torch.tensor([0.3, -1.0, 0.2]))
    logs = likelihood.log_prob(Counts.from_scipy(np.array(rows, float)), logits)[0]
    total = (logs.exp() * torch.tensor(orders)).sum()
    assert total.item() == pytest.approx(1, abs=1e-5)


def test_presence_has_probabilities_that_sum_to_one():
    rows = np.array(list(itertools.product([0.0, 1.0], repeat=4)))
    logits = Logits(torch.zeros(1, 1, 1), torch.zeros(4, 1), torch.tensor([0.3, -1.0, 0.2, 2.0]))
    logs = Bernoulli().log_prob(Counts.from_scipy(rows), logits)[0]
    assert logs.exp().sum().item() == pytest.approx(1, abs=1e-5)
    twice = Bernoulli().log_prob(Counts.from_scipy(rows * 3), logits)[0]
    assert torch.equal(logs, twice)  # how often a word comes does not matter


def test_poisson_given_its_total_is_the_multinomial():
    matrix, logits = whole_counts(), some_logits()
    counts = Counts.from_scipy(matrix)
    length = torch.from_numpy(matrix.sum(1))
    total = length * logits.logsumexp().exp()  # rate of the number of tokens
    log_total = torch.xlogy(length, total) - total - torch.lgamma(length + 1)
    orders = torch.lgamma(length + 1) - torch.lgamma(torch.from_numpy(matrix) + 1).sum(1)
    conditional = Poisson().log_prob(counts, logits) - log_total
    torch.testing.assert_close(
        conditional, Multinomial().log_prob(counts, logits) + orders, rtol=1e-6, atol=1e-6
    )


@pytest.mark.parametrize("concentration", [1e-2, 1.0, 30.0, 1e3, 1e5, 1e6])
def test_polya_in_float32(concentration):
    generator = np.random.default_rng(0)
    matrix = generator.negative_binomial(0.3, 0.05, (4, 300)).astype(float)
    bias = generator.normal(0, 1.5, 300).astype(np.float32)
    likelihood = Polya(concentration=concentration)
    logits = Logits(torch.zeros(1, 1, 1), torch.zeros(300, 1), torch.from_numpy(bias))
    found = likelihood.log_prob(Counts.from_scipy(matrix), logits)[0]
    (slope,) = torch.autograd.grad(found.sum(), likelihood.log_concentration)
    exact = float(likelihood.log_concentration.detach().double().exp())
    eta = bias.astype(float)
    share, length = np.exp(eta - np.log(np.exp(eta).sum())), matrix.sum(1)
    expected = by_hand("polya", matrix, np.broadcast_to(eta, (4, 300)), exact)
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=3e-6)
    mass = exact * share
    ascent = share * (digamma(mass + matrix) - digamma(mass))
    ascent = ascent.sum() + 4 * digamma(exact) - digamma(exact + length).sum()
    assert slope.item() == pytest.approx(exact * ascent, rel=2e-3)


def test_a_large_concentration_leaves_the_multinomial():
    matrix, logits = whole_counts(), some_logits()
    counts = Counts.from_scipy(matrix)
    far = Polya(concentration=1e7).double().log_prob(counts, logits)
    torch.testing.assert_close(
        far, Multinomial().log_prob(counts, logits), rtol=1e-5, atol=1e-3, check_dtype=False
    )


def test_the_urn_predicts_as_it_counts():
    """p(next word | z, x) = p(x and the word | z) / p(x | z)."""
    problem = make_problem(likelihood="polya")
    matrix = whole_counts()
    bits = torch.randint(0, 2, (2, 6, FACTORS)).double()

    def joint(rows):
        batch = Batch(Counts.from_scipy(rows), None, None, torch.arange(6))
        return problem.joint.condition(batch)

    for word in range(WORDS):
        more = matrix.copy()
        more[:, word] += 1
        unseen = np.zeros_like(matrix)
        unseen[:, word] = 1
        found = joint(matrix).log_word_probability(bits, Counts.from_scipy(unseen))
        ratio = joint(more).log_likelihood(bits) - joint(matrix).log_likelihood(bits)
        torch.testing.assert_close(found, ratio, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_the_next_word_is_one_of_the_vocabulary(name):
    problem = make_problem(likelihood=name)
    counts = Counts.from_scipy(whole_counts())
    everything = Counts.from_scipy(np.ones((6, WORDS)))
    bits = torch.randint(0, 2, (2, 6, FACTORS)).double()
    target = problem.joint.condition(Batch(counts, None, None, torch.arange(6)))
    logs = target.log_word_probability(bits, everything)
    total = everything.sum_by_document(logs.exp())
    torch.testing.assert_close(total, torch.ones_like(total), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_the_background_is_the_best_model_without_factors(name):
    generator = np.random.default_rng(0)
    matrix = generator.poisson(generator.gamma(2.0, 0.5, 12) + 0.3, (500, 12)).astype(float)
    counts = Counts.from_scipy(matrix)
    known = Frequencies(
        torch.from_numpy(matrix.sum(0)), torch.from_numpy((matrix > 0).sum(0)).double(), 500.0
    )
    likelihood = LIKELIHOODS[name]().double()
    if name == "polya":
        likelihood = Multinomial().double()  # its unigram is the multinomial's
    bias = likelihood.background(known)
    best = likelihood.unigram(counts, known).sum()
    torch.testing.assert_close(LIKELIHOODS[name]().double().unigram(counts, known).sum(), best)
    for word in range(12):
        for step in (-0.1, 0.1):
            other = bias.clone()
            other[word] += step
            logits = Logits(torch.zeros(1, 1, 1).double(), torch.zeros(12, 1).double(), other)
            assert likelihood.log_prob(counts, logits).sum() < best


def test_where_and_at():
    matrix = np.array([[2.0, 0, 1, 0, 5], [0, 0, 0, 0, 0], [1, 3, 0, 1, 0]])
    counts = Counts.from_scipy(matrix)
    again = counts.repeated
    assert again.indices.tolist() == [0, 4, 1]
    assert again.offsets.tolist() == [0, 2, 2, 3]
    everything = Counts.from_scipy(np.ones((3, 5)))
    np.testing.assert_array_equal(counts.at(everything).numpy().reshape(3, 5), matrix)
    nothing = Counts.from_scipy(scipy.sparse.csr_matrix((3, 5)))
    assert nothing.at(everything).tolist() == [0] * 15


@pytest.mark.parametrize("value", [0, -1, math.inf, math.nan, "much"])
def test_a_concentration_is_a_positive_number(value):
    with pytest.raises(ConfigurationError, match=r"^concentration must be"):
        Polya(concentration=value)


def test_a_fixed_concentration_is_not_trained():
    assert Polya().log_concentration.requires_grad
    assert not Polya(learnt=False).log_concentration.requires_grad


def test_a_word_of_next_to_no_mass_is_improbable_and_nothing_worse():
    logits = Logits(torch.zeros(1, 1, 1), torch.zeros(3, 1), torch.tensor([0.0, -200.0, 0.0]))
    logits.bias.requires_grad_()
    likelihood = Polya(concentration=5.0)
    found = likelihood.log_prob(Counts.from_scipy(np.array([[2.0, 3000.0, 1.0]])), logits)
    slopes = torch.autograd.grad(found.sum(), [logits.bias, likelihood.log_concentration])
    assert -300 > found.item() > -math.inf
    assert all(bool(torch.isfinite(slope).all()) for slope in slopes)


@pytest.mark.parametrize("name", sorted(LIKELIHOODS))
def test_the_terms_of_the_words_and_the_rest_add_up(name):
    likelihood = LIKELIHOODS[name]().double()
    counts = likelihood.observe(Counts.from_scipy(whole_counts()))
    logits = some_logits()
    each, rest = likelihood.terms(counts, logits)
    total = torch.stack([counts.sum_by_document(part) for part in each]) + rest
    assert torch.allclose(total, likelihood.log_prob(counts, logits))
