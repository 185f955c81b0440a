"""Logits of hard states are those of any other, by another way."""

import pytest
import torch

from topicfactors.model.logits import Logits
from topicfactors.model.state_logits import StateLogits


def logits_of(words, dtype=torch.float64, extra=0):
    torch.manual_seed(0)
    bits = (torch.rand(70, 1, 9) < 0.3).to(dtype)
    bits[3], bits[4] = 0, 1
    h = torch.cat([bits, torch.randn(70, 1, extra, dtype=dtype)], -1)
    return Logits(h, torch.randn(words, 9 + extra, dtype=dtype), torch.randn(words, dtype=dtype))


@pytest.mark.parametrize(("words", "extra"), [(30, 0), (5000, 0), (30, 3)])
def test_they_are_those_of_the_products(words, extra):
    plain = logits_of(words, extra=extra)
    states = StateLogits(*plain)
    torch.testing.assert_close(states.logsumexp(), plain.logsumexp())
    for found, expected in zip(states.flip_terms(9), plain.flip_terms(9), strict=True):
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("words", [30, 5000])
def test_a_row_is_bit_by_bit_the_same_whatever_its_neighbours(words):
    plain = logits_of(words, torch.float32)
    whole = StateLogits(*plain).logsumexp()
    for rows in (slice(0, 16), slice(30, 70), slice(20, 53)):
        part = StateLogits(plain.h[rows], plain.weights, plain.bias)
        assert torch.equal(part.logsumexp(), whole[rows])
