"""What a search asks of a model, against evaluation one state at a time."""

import pytest
import torch

from tests.model.test_parts import some_batch
from tests.problems import FACTORS, make_problem
from topicfactors.model.likelihoods import LIKELIHOODS

CASES = [(name, decoder) for name in LIKELIHOODS for decoder in ("log-linear", "mlp")]


def evaluated(target, bits):
    return target.log_likelihood(bits) + target.log_prior(bits)


@pytest.mark.parametrize(("name", "decoder"), CASES)
def test_log_joint_computes_a_state_once_and_right(name, decoder):
    target = make_problem(decoder=decoder, likelihood=name).joint.condition(some_batch()[0])
    bits = torch.randint(0, 2, (7, 6, FACTORS)).double()
    expected = evaluated(target, bits)
    torch.testing.assert_close(target.log_joint(bits), expected)
    torch.testing.assert_close(target.landscape().log_joint(bits), expected.detach())


@pytest.mark.parametrize(("name", "decoder"), CASES)
def test_the_changes_of_the_best_flips_are_exact(name, decoder):
    target = make_problem(decoder=decoder, likelihood=name).joint.condition(some_batch()[0])
    bits = torch.randint(0, 2, (6, FACTORS)).double()
    change, factor = target.landscape().best_flips(bits, 3)
    assert change.shape == factor.shape == (6, 3)
    for place in range(3):
        flipped = bits.clone()
        rows = torch.arange(6)
        flipped[rows, factor[:, place]] = 1 - flipped[rows, factor[:, place]]
        expected = evaluated(target, flipped[None]) - evaluated(target, bits[None])
        torch.testing.assert_close(change[:, place], expected[0].detach())
    assert all(len(set(row)) == 3 for row in factor.tolist())


@pytest.mark.parametrize("name", ["multinomial", "poisson"])
def test_the_best_flips_are_the_best(name):
    target = make_problem(likelihood=name).joint.condition(some_batch()[0])
    bits = torch.randint(0, 2, (6, FACTORS)).double()
    change, _ = target.landscape().best_flips(bits, FACTORS)
    torch.testing.assert_close(
        change, ((1 - 2 * bits) * target.flips(bits[None])[0]).sort(1, descending=True).values
    )


@pytest.mark.parametrize("name", ["polya", "bernoulli"])
def test_a_guess_finds_a_flip_that_is_nearly_the_best(name):
    """On average the best of two guesses is most of the way to the best of all flips."""
    target = make_problem(likelihood=name).joint.condition(some_batch(200)[0])
    bits = torch.randint(0, 2, (200, FACTORS)).double()
    guessed = target.landscape().best_flips(bits, 2)[0].amax(1)
    every = ((1 - 2 * bits) * target.flips(bits[None])[0]).amax(1)
    assert bool((guessed <= every + 1e-9).all())
    assert guessed.mean() > 0.8 * every.mean()
