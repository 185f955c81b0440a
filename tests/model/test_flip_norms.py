"""Norms that are remembered are those that are computed."""

import pytest
import torch

from tests.inference.test_search import wide
from topicfactors.model import flip_norms
from topicfactors.model.flip_norms import FlipNorms


@pytest.mark.parametrize("factors", [20, 70])
@pytest.mark.parametrize("held", [2**24, 500])
def test_what_is_remembered_is_what_is_computed(factors, held, monkeypatch):
    monkeypatch.setattr(flip_norms, "HELD", held)
    joint = wide(factors).joint
    known = FlipNorms(joint)
    torch.manual_seed(0)
    for _ in range(4):
        bits = (torch.rand(50, factors) < 0.1).float()
        after, norm = known(bits)
        logits = joint.logits(bits[:, None])
        expected, before = joint.likelihood.flip_norms(logits, factors)
        torch.testing.assert_close(after, expected[:, 0], atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(norm, before[:, 0], atol=1e-5, rtol=1e-5)


def test_a_state_is_computed_once(monkeypatch):
    joint, asked = wide(20).joint, []
    known = FlipNorms(joint)
    computed = known._computed

    def counted(words, dtype):
        asked.extend(words[:, 0].tolist())
        return computed(words, dtype)

    monkeypatch.setattr(known, "_computed", counted)
    torch.manual_seed(0)
    for _ in range(6):
        known((torch.rand(80, 20) < 0.05).float())
    assert len(asked) == len(set(asked)) > 50
