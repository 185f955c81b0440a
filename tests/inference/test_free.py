"""Posteriors without an encoder: what is kept of each document, and what becomes of it."""

import torch

from tests.inference.test_refine import brute_force, enumerated, starts_of
from tests.model.test_parts import some_batch
from tests.problems import FACTORS, WORDS, make_problem
from topicfactors.contracts import Sizes
from topicfactors.gradients import LocalExpectation
from topicfactors.inference.free import FreePosterior
from topicfactors.inference.memory import LogitMemory

SIZES = Sizes(WORDS, FACTORS)


def visited(posterior, times, seed=0):
    """The memory of six documents after so many visits, and what they were asked of."""
    torch.manual_seed(seed)
    batch, _ = some_batch()
    memory = posterior.memory(6)
    batch = batch._replace(memory=memory)
    target = make_problem().joint.condition(batch)
    for _ in range(times):
        q = posterior(batch, target)
    return memory, q, target


def test_it_comes_near_the_best_factorised_posterior_of_each_document():
    _, q, target = visited(FreePosterior(SIZES).double(), 12)
    with torch.no_grad():
        best = brute_force(target, starts_of(target, 12, 6), 30)
        found = enumerated(target, q.logits)
    assert (best - found).min() > -1e-3
    assert (best - found).mean() < 0.3


def test_the_memory_has_what_the_posterior_was():
    memory, q, _ = visited(FreePosterior(SIZES).double(), 2)
    torch.testing.assert_close(memory.read(torch.arange(6)), q.logits.detach().float())
    assert not memory.fresh


def test_its_logits_are_leaves_and_the_model_learns():
    posterior = FreePosterior(SIZES).double()
    _, q, target = visited(posterior, 2)
    assert q.logits.is_leaf
    assert q.logits.requires_grad
    assert not list(posterior.parameters())
    loss = LocalExpectation(SIZES)(target, q, 1.0).loss.mean()
    loss.backward()
    assert all(bool((p.grad != 0).any()) for p in target.joint.parameters())
    assert not visited(posterior.eval(), 2)[1].logits.requires_grad


def test_the_start_follows_the_documents_and_is_arranged():
    posterior = FreePosterior(SIZES).double()
    visited(posterior, 3)
    start = posterior.start.clone()
    assert (start != -2).any()
    posterior.arrange(torch.tensor([2, 0]), torch.tensor([True, False, False, False, False]))
    torch.testing.assert_close(posterior.start, torch.stack([start[2], -start[0]]))


def test_other_documents_are_ascended_whatever_is_beside_them():
    posterior, (batch, _) = FreePosterior(SIZES).double().eval(), some_batch()
    joint = make_problem().joint
    rows = torch.tensor([3, 5])
    part = batch._replace(counts=batch.counts.select(rows), rows=rows)
    whole, some = (posterior(one, joint.condition(one)).logits for one in (batch, part))
    torch.testing.assert_close(whole[rows], some)


def test_a_large_memory_is_a_mapped_file():
    start = torch.tensor([-1.0, 2.0])
    memories = LogitMemory(1000, start), LogitMemory(1000, start, in_memory=100)
    assert [memory.mapped for memory in memories] == [False, True]
    rows = torch.tensor([999, 3])
    for memory in memories:
        assert memory.fresh
        assert torch.equal(memory.read(torch.arange(1000)), start.expand(1000, -1))
        assert not memory.fresh
        memory.write(rows, torch.tensor([[5.0, 6.0], [7.0, 8.0]]).double())
        assert memory.read(torch.tensor([3, 999, 4])).tolist() == [[7, 8], [5, 6], [-1, 2]]
