"""Priors of fewer factors, against sums over all states."""

import pytest
import torch

from topicfactors.bits import all_states
from topicfactors.contracts import Sizes
from topicfactors.model.belief_network import BeliefNetworkPrior
from topicfactors.model.boltzmann import BoltzmannPrior
from topicfactors.model.folding import any_of, logistic, sum_out, unite
from topicfactors.model.priors import BernoulliPrior

UNTURNED = torch.zeros(4, dtype=torch.bool)


def machine(couplings):
    """Factors 0 and 1 on one side, 2 and 3 on the other."""
    prior = BoltzmannPrior(Sizes(1, 4))
    with torch.no_grad():
        prior.logits.copy_(torch.tensor([-0.4, -1.0, 0.3, -0.7]))
        for (one, other), value in couplings.items():
            prior.weights[one, other] = prior.weights[other, one] = value
    return prior


def layer(units=1):
    torch.manual_seed(1)
    prior = BeliefNetworkPrior(Sizes(1, 4), units=units, scale=1.5)
    with torch.no_grad():
        prior.logits.add_(torch.randn(4))
    return prior


def table(prior, factors):
    prior.refresh()
    return prior.log_prob(all_states(factors)).detach().double().exp()


def seen_as(prior, label):
    """The sum over the states of four factors that each new state stands for."""
    states = all_states(4)
    places = label(states) @ torch.tensor([1.0, 2.0, 4.0])
    return torch.zeros(8, dtype=torch.float64).index_add(0, places.long(), table(prior, 4))


def dropped(prior):
    sum_out(prior, 0)
    prior.arrange(torch.tensor([1, 2, 3]), UNTURNED)
    return table(prior, 3)


def merged(prior):
    unite(prior, [0, 1])
    prior.arrange(torch.tensor([0, 2, 3]), UNTURNED)
    return table(prior, 3)


def without_first(states):
    return states[:, 1:]


def either(states):
    return torch.cat([states[:, :2].amax(1, keepdim=True), states[:, 2:]], 1)


@pytest.mark.parametrize(
    "make",
    [lambda: machine({(0, 2): 1.7, (1, 3): -1.0}), layer, lambda: BernoulliPrior(Sizes(1, 4))],
)
def test_a_dropped_factor_is_summed_out(make):
    wanted = seen_as(make(), without_first)
    torch.testing.assert_close(dropped(make()), wanted, atol=1e-6, rtol=0)


@pytest.mark.parametrize("make", [lambda: machine({(0, 2): 1.7, (1, 2): -1.0}), layer])
def test_a_merged_factor_is_as_probable_as_any_of_the_group(make):
    wanted = seen_as(make(), either)
    torch.testing.assert_close(merged(make()), wanted, atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("edit", "label"), [(dropped, without_first), (merged, either)], ids=["drop", "merge"]
)
def test_what_pairs_cannot_say_is_nearly_said(edit, label):
    couplings = {(0, 2): 1.7, (0, 3): 1.1, (1, 2): -1.0, (1, 3): 0.6}
    wanted, found = seen_as(machine(couplings), label), edit(machine(couplings))
    plain = machine(couplings)
    plain.arrange(torch.tensor([1, 2, 3]), UNTURNED)  # given that it is off

    def apart(other):
        return float((wanted * (wanted / other).log()).sum())

    assert apart(found) < 0.01
    assert apart(found) < 0.1 * apart(table(plain, 3))


def test_a_merged_layer_with_several_units_keeps_what_is_likely():
    wanted, found = seen_as(layer(3), either), merged(layer(3))
    assert float((wanted * (wanted / found).log()).sum()) < 0.01


def test_any_of_independent_bits():
    logits = torch.tensor([[-2.0, 0.5], [30.0, -40.0]])
    wanted = 1 - (1 - torch.sigmoid(logits.double())).prod(1)
    torch.testing.assert_close(torch.sigmoid(any_of(logits, 1)).double(), wanted)


def test_a_logistic_regression_is_where_nothing_pulls():
    torch.manual_seed(0)
    features = torch.cat([torch.ones(50, 1), torch.randn(50, 2)], 1)
    targets, start, pull = torch.rand(50), torch.tensor([0.0, 1.0, -1.0]), torch.tensor([0.1, 1, 2])
    weights = torch.rand(50)
    found = logistic(features, targets, start, pull, weights)
    on = torch.sigmoid(features.double() @ found)
    slope = features.double().t() @ (weights * (on - targets)) + pull * (found - start)
    assert slope.abs().max() < 1e-5
