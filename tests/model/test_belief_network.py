"""The belief network over the factors against sums over its units and over the factors."""

import itertools

import pytest
import torch

from topicfactors.bits import all_states
from topicfactors.contracts import Sizes
from topicfactors.errors import ConfigurationError
from topicfactors.inference.posteriors import MeanField
from topicfactors.model.belief_network import BeliefNetworkPrior

D, H = 5, 3
DTYPES = [torch.float64, torch.float32]
STATES = all_states(D)


def prior_of(dtype=torch.float64, factors=D):
    prior = BeliefNetworkPrior(Sizes(8, factors), units=H)
    generator = torch.Generator().manual_seed(0)
    for parameter in prior.parameters():
        parameter.data = 1.5 * torch.randn(parameter.shape, generator=generator)
    return prior.to(dtype)


def by_hand(prior, z):
    """Log p(z) with a loop over the units' states and over the bits."""
    total = torch.zeros(len(z), dtype=torch.float64)
    on = torch.sigmoid(prior.top.double())
    for units in itertools.product([0.0, 1.0], repeat=H):
        h = torch.tensor(units, dtype=torch.float64)
        chance = torch.sigmoid(prior.logits.double() + prior.weights.double() @ h)
        weight = torch.where(h > 0, on, 1 - on).prod()
        total = total + weight * torch.where(z > 0, chance, 1 - chance).prod(-1)
    return total.log().detach()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_log_prob_is_the_sum_over_the_units(dtype):
    prior = prior_of(dtype)
    found = prior.log_prob(STATES.to(dtype)).detach().double()
    torch.testing.assert_close(found, by_hand(prior, STATES), rtol=1e-5, atol=1e-5)
    assert float(found.logsumexp(0)) == pytest.approx(0.0, abs=1e-5)
    assert prior.normalised
    assert float(prior.log_partition()) == 0


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("scale", [1.0, 10.0, 60.0])
def test_log_odds_are_its_flips(scale, dtype):
    prior = prior_of(dtype)
    prior.weights.data *= scale
    z = STATES.to(dtype)
    for d in range(D):
        on, off = z.double().clone(), z.double().clone()
        on[:, d], off[:, d] = 1, 0
        expected = (prior.double().log_prob(on) - prior.log_prob(off)).detach()
        found = prior.to(dtype).log_odds(z)[:, d].detach()
        torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-4)


def test_the_kl_is_sampled():
    q = MeanField(torch.zeros(2, D))
    assert prior_of().kl(q) is None


def test_samples_and_probabilities_are_those_of_the_distribution():
    torch.manual_seed(0)
    prior, z = prior_of(), STATES.double()
    weights = prior.log_prob(z).exp().detach()
    torch.testing.assert_close(prior.probabilities(), weights @ z)
    bits = prior.sample(50, 1000).flatten(0, 1)
    pairs = bits.t() @ bits / len(bits)
    torch.testing.assert_close(pairs, (weights * z.t()) @ z, atol=0.01, rtol=0)


def test_arranging_leaves_the_distribution_as_it_was():
    prior, z = prior_of(), STATES.double()
    order, flipped = torch.tensor([3, 1, 4, 0, 2]), torch.tensor([1, 0, 1, 0, 1]).bool()
    before = prior.log_prob(z)
    prior.arrange(order, flipped)
    moved = torch.where(flipped, 1 - z, z)[:, order]
    torch.testing.assert_close(prior.log_prob(moved), before)


def test_what_is_dropped_is_summed_out():
    prior, z = prior_of(), STATES.double()
    whole = prior.log_prob(z)
    prior.arrange(torch.tensor([4, 0, 1, 3]), torch.zeros(D, dtype=torch.bool))
    kept = [4, 0, 1, 3]
    torch.testing.assert_close(
        prior.log_prob(z[z[:, 2] == 0][:, kept]),
        torch.logaddexp(whole[z[:, 2] == 0], whole[z[:, 2] == 1]),
    )


def test_it_draws_no_number_that_others_draw():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    BeliefNetworkPrior(Sizes(8, D))
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"units": 13}, "units must be at most 12"),
        ({"units": 0}, "units must be a whole number"),
        ({"probability": 0.0}, "probability"),
        ({"scale": 0.0}, "scale"),
    ],
)
def test_options_that_cannot_be_are_refused(options, said):
    with pytest.raises(ConfigurationError, match=said):
        BeliefNetworkPrior(Sizes(8, D), **options)
