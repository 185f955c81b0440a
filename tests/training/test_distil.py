"""The encoder learns what the search has found, and nothing else changes."""

import pytest
import torch

from tests.training.objectives import counts, objective, same, weights_of
from topicfactors.training import distil as module
from topicfactors.training.distil import distil
from topicfactors.training.trainer import Schedule, Trainer


@pytest.fixture
def trained():
    made, documents = objective(inference="truncated"), counts(300)
    trainer = Trainer(made, Schedule(6, 32, 4e-2, 0.0), 0)
    trainer.fit(documents, None)
    return made, documents, trainer.memories[0]


def distance(made, documents, memory):
    """Mean difference between the encoder's probabilities and the marginals found."""
    made.eval()
    batch = documents.batch(torch.arange(len(documents.counts)), memory)
    with torch.no_grad():
        _, q = made.condition(batch)
        return float((made.posterior.amortised(batch).mean() - q.mean()).abs().mean())


def test_the_encoder_comes_to_guess_what_was_found(trained):
    made, documents, memory = trained
    before, joint = distance(made, documents, memory), weights_of(made.joint)
    distil(made, documents, memory, 16, 0)
    assert distance(made, documents, memory) < 0.35 * before
    assert same(joint, weights_of(made.joint))
    assert not made.training


def test_the_same_seed_teaches_the_same(trained):
    made, documents, memory = trained
    start, found = weights_of(made), []
    for seed in (1, 1, 2):
        made.load_state_dict(start)
        torch.manual_seed(5)
        distil(made, documents, memory, 2, seed)
        found.append(weights_of(made))
    assert same(found[0], found[1])
    assert not same(found[0], found[2])


def test_a_large_corpus_is_not_looked_at_for_ever(trained, monkeypatch):
    made, documents, memory = trained
    seen = []
    amortised = made.posterior.amortised
    monkeypatch.setattr(
        made.posterior, "amortised", lambda batch: seen.append(len(batch.rows)) or amortised(batch)
    )
    monkeypatch.setattr(module, "STEPS", 20)
    monkeypatch.setattr(module, "MOST", 100)
    distil(made, documents, memory, 16, 0)
    assert len(seen) <= 20
    assert sum(seen) <= 16 * 100
