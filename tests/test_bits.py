import pytest
import torch

from topicfactors.bits import EMPTY, LEAST, distinct, marginals, masks, pack, unpack, words_of


@pytest.mark.parametrize("factors", [1, 5, 62, 63, 64, 130])
def test_packing_and_unpacking_gives_the_bits_back(factors):
    torch.manual_seed(0)
    bits = (torch.rand(3, 4, factors) < 0.5).float()
    words = pack(bits)
    assert words.shape == (3, 4, words_of(factors))
    assert torch.equal(unpack(words, factors), bits)
    assert bool((words >= 0).all())  # so that no state is mistaken for an empty place
    assert EMPTY < 0


@pytest.mark.parametrize("factors", [5, 70])
def test_a_mask_flips_one_bit(factors):
    torch.manual_seed(0)
    bits = (torch.rand(factors) < 0.5).float()
    flipped = unpack(pack(bits)[None] ^ masks(factors), factors)
    expected = torch.where(torch.eye(factors) > 0, 1 - bits, bits)
    assert torch.equal(flipped, expected)


@pytest.mark.parametrize("factors", [4, 70])
def test_distinct_states_and_their_places(factors):
    torch.manual_seed(0)
    bits = (torch.rand(5, 40, factors) < 0.1).float()
    found, places = distinct(bits)
    assert torch.equal(found[places], bits)
    assert len(found) >= LEAST
    different = {tuple(state) for state in bits.flatten(0, 1).tolist()}
    assert {tuple(state) for state in found.tolist()} == different
    assert len(found) == max(LEAST, len(different))


@pytest.mark.parametrize("factors", [1, 8, 50, 63, 64, 130])
def test_marginals_are_the_weighted_sums_of_the_bits(factors):
    torch.manual_seed(0)
    bits, weights = (torch.rand(3, 9, factors) < 0.3).double(), torch.rand(3, 9).double()
    words = pack(bits)
    words[:, 4], weights[:, 4] = EMPTY, 0.0
    bits[:, 4] = 0
    expected = (weights[..., None] * bits).sum(1)
    torch.testing.assert_close(marginals(words, weights, factors), expected)
