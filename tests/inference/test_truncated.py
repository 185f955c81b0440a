"""The truncated posterior: q on a set of states, and the memory of a corpus."""

import pytest
import torch

from tests.inference.test_search import distinct_in, nothing_on, wide
from tests.model.test_parts import some_batch
from tests.problems import FACTORS, make_problem
from topicfactors.bits import EMPTY
from topicfactors.contracts import Batch, Sizes
from topicfactors.inference.encoders import BagOfWordsEncoder
from topicfactors.inference.memory import StateMemory
from topicfactors.inference.posteriors import EnumeratedPosterior
from topicfactors.inference.search import improved, started
from topicfactors.inference.truncated import Search, Truncated, TruncatedPosterior


@pytest.fixture
def both():
    """The posterior of six documents on all states, and the exact one."""
    problem = make_problem()
    batch, _ = some_batch()
    target = problem.joint.condition(batch)
    sets = started(target.landscape(), nothing_on(target, torch.float64), 2**FACTORS)
    return Truncated(sets, FACTORS), EnumeratedPosterior(Sizes(8, FACTORS))(batch, target)


def test_on_all_states_it_is_the_exact_posterior(both):
    found, exact = both
    torch.testing.assert_close(found.bound(), exact.bound())
    torch.testing.assert_close(found.mean(), exact.mean())
    torch.testing.assert_close(found.pairwise(), exact.pairwise())
    torch.testing.assert_close(found.entropy(), exact.entropy())
    torch.testing.assert_close(found.logits, exact.logits)
    bits, logs = found.best(3)
    others, other_logs = exact.best(3)
    torch.testing.assert_close(logs, other_logs)
    assert torch.equal(bits, others)


def test_pairs_are_probabilities(both):
    for q in both:
        pairs = q.pairwise()
        torch.testing.assert_close(pairs.diagonal(dim1=1, dim2=2), q.mean())
        torch.testing.assert_close(pairs, pairs.transpose(1, 2))
        by_hand = torch.einsum(
            "sb,sbd,sbe->bde", both[0].log_weights.exp(), both[0].states, both[0].states
        )
        torch.testing.assert_close(pairs, by_hand)


def test_draws_come_by_weight_and_know_their_probability():
    target = wide(20)
    sets = improved(target.landscape(), started(target.landscape(), nothing_on(target), 8), 6, 4)
    q = Truncated(sets, 20)
    torch.manual_seed(0)
    draw = q.sample(4000)
    torch.testing.assert_close(draw.bits.mean(0), q.mean(), atol=0.04, rtol=0)
    log_prob = q.log_prob(draw)
    joint = target.log_joint(draw.bits[:3]).detach()
    torch.testing.assert_close(joint - log_prob[:3], q.bound().expand(3, -1), atol=2e-3, rtol=1e-5)
    outside = draw._replace(bits=1 - draw.bits)
    assert bool(torch.isinf(q.log_prob(outside)).all())
    with pytest.raises(ValueError, match="relaxation"):
        q.sample(1, lambda logits, noise: (logits, noise))


def posterior(factors, search=None, words=80):
    torch.manual_seed(0)
    return TruncatedPosterior(
        Sizes(words, factors), BagOfWordsEncoder(Sizes(words, factors), width=8), search
    )


@pytest.mark.parametrize("in_memory", [2**29, 0])
def test_visits_improve_what_the_memory_holds(in_memory):
    target = wide(20)
    made = posterior(20)
    memory = StateMemory(60, 12, 20, in_memory=in_memory)
    assert memory.mapped == (in_memory == 0)
    batch = Batch(target.counts, None, None, torch.arange(60), memory)
    before = None
    for visit in range(5):
        assert memory.fresh == (visit == 0)
        q = made(batch, target)
        assert distinct_in(q.sets.words)
        assert torch.equal(memory.read(batch.rows), q.sets.words)
        if before is not None:
            assert bool((q.bound() >= before - 1e-3).all())
        before = q.bound()
    rows = torch.tensor([7, 3])
    fewer = wide(20, rows=rows)
    part = Batch(fewer.counts, None, None, rows, memory)
    found = made(part, fewer).bound()
    assert bool((found >= before[rows] - 1e-3).all())


def test_a_memory_keeps_documents_apart():
    memory = StateMemory(5, 3, 70)
    words = torch.arange(2 * 3 * 2).view(2, 3, 2)
    memory.write(torch.tensor([4, 1]), words)
    assert torch.equal(memory.read(torch.tensor([1, 4])), words.flip(0))
    untouched = memory.read(torch.tensor([0]))
    assert untouched[0, 0].tolist() == [0, 0]
    assert bool((untouched[0, 1:] == EMPTY).all())


def test_a_document_without_memory_is_searched_from_the_guess():
    target = wide(20)
    made = posterior(20, Search(final_states=16, final_rounds=10)).eval()
    batch = Batch(target.counts, None, None, torch.arange(60))
    q = made(batch, target)
    assert q.states.shape == (16, 60, 20)
    from_nothing = improved(
        target.landscape(), started(target.landscape(), nothing_on(target), 16), 10, 4
    )
    assert q.bound().mean() > from_nothing.bound().mean() - 1.0
    assert made.memory(60).words.shape == (60, 12, 1)
    assert made.amortised(batch).logits.shape == (60, 20)


def test_arranging_moves_the_guess():
    target = wide(20)
    made = posterior(20).eval()
    batch = Batch(target.counts, None, None, torch.arange(60))
    before = made.amortised(batch).logits
    order = torch.arange(20).flip(0)
    made.arrange(order, torch.zeros(20, dtype=torch.bool))
    torch.testing.assert_close(made.amortised(batch).logits, before[:, order])


def test_new_documents_are_searched_longer_where_there_are_more_factors():
    assert [Search().new_rounds(factors) for factors in (5, 50, 200)] == [6, 12, 31]
    assert Search(final_rounds=3).new_rounds(200) == 3
