"""The prior that anchors put on loadings."""

import pytest
import torch

from topicfactors.training.anchors import Anchor, Pull

TOTALS = torch.tensor([2.0, 3.0, 5.0, 7.0])


def test_words_are_pulled_up_and_barred_ones_pushed_down():
    pull = Pull([Anchor(1, [0, 2], [3])], 2.0, TOTALS)
    weights = torch.tensor([[0.0, 1.0], [9.0, 9.0], [0.0, 3.0], [9.0, 0.5]])
    missing, excess = 2.0 * 1.0**2, 7.0 * 0.5**2  # word 2 is above the strength already
    assert float(pull(weights)) == pytest.approx(0.5 * (missing + excess))


def test_nothing_is_taken_where_the_words_are_as_asked():
    pull = Pull([Anchor(0, [1], [0])], 2.0, TOTALS)
    assert float(pull(torch.tensor([[-3.0], [2.5], [9.0], [9.0]]))) == 0.0


def test_what_is_left_of_a_barred_word_goes():
    pull = Pull([Anchor(0, [1], [0, 2])], 2.0, TOTALS)
    raw = torch.tensor([[0.3], [2.5], [-1.0], [9.0]])
    pull.enforce(raw, 0.0)
    assert raw[:, 0].tolist() == [0.0, 2.5, -1.0, 9.0]
