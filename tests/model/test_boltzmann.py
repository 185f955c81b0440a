"""The Boltzmann prior against enumeration: log Z, its derivative, samples, and what moves it."""

import copy
import itertools

import pytest
import torch

from topicfactors.bits import all_states
from topicfactors.contracts import Draw, Sizes
from topicfactors.errors import ConfigurationError
from topicfactors.inference.posteriors import MeanField
from topicfactors.model.boltzmann import BoltzmannPrior
from topicfactors.model.machine import Machine, annealed, summed
from topicfactors.model.priors import BernoulliPrior

D = 6
DTYPES = [torch.float64, torch.float32]


def prior_of(factors=D, dtype=torch.float64, strength=1.5, seed=0, **options):
    prior = BoltzmannPrior(Sizes(8, factors), **options)
    generator = torch.Generator().manual_seed(seed)
    prior.logits.data = torch.randn(factors, generator=generator)
    prior.weights.data = strength * torch.randn(factors, factors, generator=generator)
    return prior.to(dtype)


def value(scalar):
    return float(scalar.detach())


def energy(prior, z):
    """By hand, pair by pair across the sides."""
    total = z @ prior.logits
    left, right = (side.nonzero()[:, 0].tolist() for side in (~prior.right, prior.right))
    for i, j in itertools.product(left, right):
        total = total + (prior.weights[i, j] + prior.weights[j, i]) / 2 * z[..., i] * z[..., j]
    return total


def states(prior):
    return all_states(len(prior.logits)).to(prior.logits.dtype)


def truth(prior):
    """Log Z by brute force."""
    return energy(prior, states(prior)).logsumexp(0)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("factors", [1, 2, 5, 6])
def test_log_prob_is_the_formula(factors, dtype):
    prior = prior_of(factors, dtype)
    z = states(prior)
    expected = energy(prior, z) - truth(prior)
    torch.testing.assert_close(prior.log_prob(z), expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(prior.log_partition(), truth(prior))


def test_the_couplings_are_symmetric_and_only_across():
    couplings = prior_of().couplings()
    assert torch.equal(couplings, couplings.t())
    assert bool((couplings[:3, :3] == 0).all())
    assert bool((couplings[3:, 3:] == 0).all())
    assert bool((couplings[:3, 3:] != 0).all())


def test_the_sides_may_alternate():
    prior = prior_of(alternating=True)
    assert prior.right.tolist() == [False, True] * 3
    torch.testing.assert_close(prior.log_partition(), truth(prior))


def test_log_odds_are_its_flips():
    prior = prior_of()
    z = states(prior)
    for d in range(D):
        on, off = z.clone(), z.clone()
        on[:, d], off[:, d] = 1, 0
        expected = prior.log_prob(on) - prior.log_prob(off)
        torch.testing.assert_close(prior.log_odds(z)[:, d], expected)


def test_relaxed_values_are_read_linearly_in_each():
    prior, z = prior_of(), torch.rand(D, dtype=torch.float64)
    for d in range(D):
        on, off = z.clone(), z.clone()
        on[d], off[d] = 1, 0
        mixed = z[d] * prior.log_prob(on) + (1 - z[d]) * prior.log_prob(off)
        torch.testing.assert_close(prior.log_prob(z), mixed)


def q_of(prior, documents=4):
    torch.manual_seed(3)
    return MeanField(torch.randn(documents, len(prior.logits)).to(prior.logits).requires_grad_())


def brute_kl(prior, q):
    z = states(prior)[:, None, :]
    log_q = q.log_prob(Draw(z, z, z, z))
    return (log_q.exp() * (log_q - energy(prior, z) + truth(prior))).sum(0)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_the_kl_and_its_derivatives_are_those_of_the_sum_over_states(dtype):
    prior = prior_of(dtype=dtype)
    q, known = q_of(prior), prior_of()
    expected, wanted = brute_kl(known, q_of(known)), q_of(known)
    torch.testing.assert_close(prior.kl(q).double(), expected, rtol=1e-4, atol=1e-5)
    found = torch.autograd.grad(prior.kl(q).sum(), [q.logits, prior.logits, prior.weights])
    exact = torch.autograd.grad(
        brute_kl(known, wanted).sum(), [wanted.logits, known.logits, known.weights]
    )
    for part, value in zip(found, exact, strict=True):
        torch.testing.assert_close(part.double(), value, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("logit", [-90.0, 0.0, 90.0])
def test_the_kl_is_safe_in_float32(logit):
    prior = prior_of(dtype=torch.float32)
    q = MeanField(torch.full((1, D), logit, requires_grad=True))
    kl = prior.kl(q)
    (slope,) = torch.autograd.grad(kl.sum(), q.logits)
    reference = prior_of().kl(MeanField(torch.full((1, D), logit, dtype=torch.float64)))
    assert bool(torch.isfinite(slope).all())
    torch.testing.assert_close(kl.double(), reference, rtol=1e-4, atol=1e-5)


def test_without_couplings_it_is_the_factorial_prior():
    prior, factorial = prior_of(strength=0.0), BernoulliPrior(Sizes(8, D)).double()
    factorial.logits.data = prior.logits.data.clone()
    q = q_of(prior)
    torch.testing.assert_close(prior.kl(q), factorial.kl(q), rtol=0, atol=1e-14)
    z = states(prior)
    torch.testing.assert_close(prior.log_prob(z), factorial.log_prob(z), rtol=0, atol=1e-14)
    assert torch.equal(prior.log_odds(z), factorial.log_odds(z))
    found = torch.autograd.grad(prior.kl(q).sum(), [q.logits, prior.logits])
    expected = torch.autograd.grad(factorial.kl(q).sum(), [q.logits, factorial.logits])
    for part, value in zip(found, expected, strict=True):
        torch.testing.assert_close(part, value, rtol=0, atol=1e-14)


# ---- log Z of many factors ----


def machine(small, large, strength, seed=0):
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    return Machine(normal(small) - 1, normal(large) - 1, strength * normal(small, large))


def independent(machine):
    return machine._replace(weights=torch.zeros_like(machine.weights))


def test_sums_over_blocks_are_sums():
    known = machine(18, 20, 0.5)
    found = summed(known)
    torch.testing.assert_close(found.log_z, known.log_partition())
    turned = summed(Machine(known.large[:18], known.small, known.weights.t()[:18]))
    other = Machine(known.small, known.large[:18], known.weights[:, :18])
    torch.testing.assert_close(turned.log_z, summed(other).log_z)
    exact = machine(3, 3, 1.0)
    z = all_states(6).double()
    logs = z[:, :3] @ exact.small + z[:, 3:] @ exact.large
    logs = logs + ((z[:, :3] @ exact.weights) * z[:, 3:]).sum(-1)
    totals = summed(exact)
    torch.testing.assert_close(logs.softmax(0) @ z, torch.cat([totals.small, totals.large]))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("strength", [0.3, 1.0])
def test_annealing_finds_log_z_within_its_spread(strength, dtype):
    known = machine(10, 12, strength)
    exact = float(known.log_partition())
    cast = Machine(*(part.to(dtype) for part in known))
    errors, ratios = [], []
    for seed in range(8):
        generator = torch.Generator().manual_seed(seed)
        found = annealed(cast, independent(cast), generator, 200, 200)
        errors.append(float(found.log_z) - exact)
        ratios.append(abs(errors[-1]) / float(found.spread))
    assert max(ratios) < 4
    assert sum(ratio < 2 for ratio in ratios) >= 6


def test_annealing_errs_low_in_expectation():
    known = machine(10, 12, 2.0)
    exact = float(known.log_partition())
    generator = torch.Generator().manual_seed(0)
    found = [float(annealed(known, independent(known), generator, 2, 30).log_z) for _ in range(100)]
    mean = torch.tensor(found) - exact
    assert float(mean.mean()) < -3 * float(mean.std()) / 10  # far too few runs: clearly low


def test_the_prior_anneals_where_neither_side_can_be_summed(monkeypatch):
    monkeypatch.setattr("topicfactors.model.boltzmann.SUMMED", 4)
    prior = prior_of(16, strength=0.7, exact=0)
    with torch.no_grad():
        exact = summed(prior._machine())
    for _ in range(20):
        prior.advance()
    prior.refresh()
    spread = float(prior.log_partition_spread())
    assert 0 < spread < 0.05
    assert abs(value(prior.log_partition() - exact.log_z)) < 4 * spread
    small, large = prior._sides()
    marginals = torch.cat([prior.probabilities()[small], prior.probabilities()[large]])
    torch.testing.assert_close(marginals, torch.cat([exact.small, exact.large]), atol=0.08, rtol=0)


# ---- chains ----


def settled(prior, sweeps=20):
    for _ in range(sweeps):
        prior.advance()
    return prior


def test_the_negative_phase_of_the_chains_is_the_exact_derivative():
    exact, chained = prior_of(), settled(prior_of(exact=0, chains=200_000, sweeps=3))
    expected = torch.autograd.grad(exact.log_partition(), [exact.logits, exact.weights])
    found = torch.autograd.grad(chained.log_partition(), [chained.logits, chained.weights])
    for part, value in zip(found, expected, strict=True):
        torch.testing.assert_close(part, value, atol=5e-3, rtol=0)


def test_the_value_follows_the_parameters_with_the_chains():
    prior = settled(prior_of(exact=0, chains=20_000))
    prior.refresh()
    for _ in range(30):
        prior.logits.data += 0.02
        prior.weights.data *= 1.01
        prior.condition(None)
    with torch.no_grad():
        assert value(prior.log_partition()) == pytest.approx(value(truth(prior)), abs=0.03)
    assert bool(prior.spread.isnan())  # not a score
    prior.eval().condition(None)
    assert value(prior.log_partition()) == pytest.approx(value(truth(prior)), abs=1e-10)
    assert float(prior.log_partition_spread()) == 0


def test_a_score_never_meets_an_old_log_z():
    prior = prior_of(exact=0).eval()
    prior.condition(None)
    before = value(prior.log_partition())
    prior.weights.data += 1
    assert value(prior.condition(None).log_partition()) != before
    torch.testing.assert_close(prior.log_partition(), truth(prior))


@pytest.mark.parametrize("exact", [0, 10])
def test_samples_and_probabilities_are_those_of_the_distribution(exact):
    torch.manual_seed(0)
    prior = settled(prior_of(exact=exact))
    weights, z = (energy(prior, states(prior)) - truth(prior)).exp(), states(prior)
    torch.testing.assert_close(prior.probabilities(), (weights @ z).detach())
    bits = prior.sample(100, 500)
    assert bits.shape == (100, 500, D)
    pairs = (bits.flatten(0, 1).t() @ bits.flatten(0, 1)) / 50_000
    torch.testing.assert_close(pairs, ((weights * z.t()) @ z).detach(), atol=0.015, rtol=0)


def test_chains_draw_no_number_that_others_draw():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    prior = BoltzmannPrior(Sizes(8, D), exact=0)
    prior.condition(None)
    prior.weights.data += 1
    prior.eval().condition(None)
    assert torch.equal(torch.rand(3), expected)


# ---- arranged, saved, refused ----

ORDER, FLIPPED = torch.tensor([3, 1, 4, 0, 5, 2]), torch.tensor([1, 0, 1, 0, 0, 1]).bool()


@pytest.mark.parametrize("exact", [0, 10])
def test_arranging_leaves_the_distribution_as_it_was(exact):
    prior = settled(prior_of(exact=exact)).eval()
    prior.refresh()
    z, chains = states(prior), prior.chains.double()
    before, marginals = prior.log_prob(z), prior.probabilities()
    of_chains = prior.log_prob(chains)
    prior.arrange(ORDER, FLIPPED)
    assert not bool(prior.spread.isnan())  # log Z moves with it
    moved = torch.where(FLIPPED, 1 - z, z)[:, ORDER]
    torch.testing.assert_close(prior.log_prob(moved), before)
    torch.testing.assert_close(prior.log_prob(prior.chains.double()), of_chains)
    torch.testing.assert_close(prior.log_partition(), truth(prior))
    expected = torch.where(FLIPPED, 1 - marginals, marginals)[ORDER]
    torch.testing.assert_close(prior.probabilities(), expected)


def test_what_is_dropped_is_off():
    prior = settled(prior_of(exact=0, chains=20_000))
    z = states(prior)
    whole = prior.log_prob(z[z[:, 2] == 0])
    prior.arrange(torch.tensor([5, 0, 1, 3, 4]), torch.zeros(D, dtype=torch.bool))
    kept = z[z[:, 2] == 0][:, [5, 0, 1, 3, 4]]
    prior.eval().refresh()
    torch.testing.assert_close(prior.log_prob(kept), whole - whole.logsumexp(0))
    assert prior.chains.shape == (20_000, 5)
    marginals = prior.chains.double().mean(0)
    torch.testing.assert_close(marginals, prior.probabilities(), atol=0.03, rtol=0)


def test_its_state_is_all_there_is_of_it():
    prior = settled(prior_of(exact=0))
    prior.arrange(ORDER, FLIPPED)
    prior.refresh()
    other = BoltzmannPrior(Sizes(8, D), exact=0).double()
    other.load_state_dict(copy.deepcopy(prior.state_dict()))
    assert torch.equal(other.chains, prior.chains)
    assert torch.equal(other.log_prob(states(prior)), prior.log_prob(states(prior)))
    assert other._is_known()


def test_a_log_z_annealed_after_loading_is_that_of_before(monkeypatch):
    monkeypatch.setattr("topicfactors.model.boltzmann.SUMMED", 1)
    prior = settled(prior_of(exact=0))
    other = BoltzmannPrior(Sizes(8, D), exact=0).double()
    other.load_state_dict(copy.deepcopy(prior.state_dict()))
    assert not other._is_known()
    with torch.no_grad():
        before, after = (each.eval().condition(None).log_partition() for each in (prior, other))
    assert torch.equal(before, after)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"chains": 1}, "chains must be a whole number of 2 or more"),
        ({"sweeps": 0}, "sweeps"),
        ({"decay": -1.0}, "decay"),
        ({"probability": 1.0}, "probability"),
        ({"exact": 21}, "exact must be at most 20"),
    ],
)
def test_options_that_cannot_be_are_refused(options, said):
    with pytest.raises(ConfigurationError, match=said):
        BoltzmannPrior(Sizes(8, D), **options)


def test_the_penalty_is_that_of_each_coupling_once():
    prior = prior_of(decay=0.1)
    pairs = prior.couplings()[~prior.right][:, prior.right]
    torch.testing.assert_close(prior.penalty(), 0.05 * pairs.square().sum())
