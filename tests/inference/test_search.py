"""Sets of states: distinct, never worse, exact when they hold every state."""

import math

import numpy as np
import pytest
import torch

from tests.estimators.planted import planted
from tests.model.test_parts import some_batch
from tests.problems import FACTORS, make_problem
from topicfactors.bits import EMPTY, all_states, masks, pack, unpack
from topicfactors.contracts import Batch, Sizes
from topicfactors.corpus.counts import Counts
from topicfactors.inference import bounds
from topicfactors.inference.search import evaluated, improved, neighbours, settled, started
from topicfactors.model.decoders import LogLinearDecoder
from topicfactors.model.joint import Joint
from topicfactors.model.likelihoods import LIKELIHOODS
from topicfactors.model.logits import Logits
from topicfactors.model.priors import BernoulliPrior

CASES = [(name, decoder) for name in LIKELIHOODS for decoder in ("log-linear", "mlp")]


def wide(factors, likelihood="multinomial", documents=60, dtype=torch.float32, seed=0, rows=None):
    """A target of many factors, some of which explain the documents; of some ``rows`` of them."""
    corpus = planted(min(factors, 8), documents, seed=seed)
    words = corpus.counts.shape[1]
    sizes = Sizes(words, factors)
    joint = Joint(sizes, BernoulliPrior(sizes), LogLinearDecoder(sizes), LIKELIHOODS[likelihood]())
    generator = torch.Generator().manual_seed(seed)
    joint.decoder.raw.data = torch.randn(words, factors, generator=generator) * 0.3
    planted_loadings = torch.from_numpy(corpus.loadings.T).float()
    joint.decoder.raw.data[:, : planted_loadings.shape[1]] += planted_loadings
    joint.decoder.bias.data.fill_(
        {"poisson": -math.log(2 * words), "bernoulli": -1.5}.get(likelihood, 0)
    )
    rows = torch.arange(documents) if rows is None else rows
    batch = Batch(Counts.from_scipy(corpus.counts).select(rows), None, None, rows)
    return joint.to(dtype).condition(batch)


def nothing_on(target, dtype=torch.float32):
    return torch.zeros(1, len(target.counts), target.factors, dtype=dtype)


def distinct_in(words):
    """Are the states of every document different, empty places aside?"""
    for states in words.tolist():
        kept = [tuple(state) for state in states if state[0] != EMPTY]
        if len(set(kept)) < len(kept):
            return False
    return True


@pytest.mark.parametrize(("name", "decoder"), CASES)
def test_a_set_of_all_states_has_the_exact_bound(name, decoder):
    target = make_problem(decoder=decoder, likelihood=name).joint.condition(some_batch()[0])
    sets = started(target.landscape(), nothing_on(target, torch.float64), 2**FACTORS)
    torch.testing.assert_close(sets.bound(), bounds.exact(target).detach())


@pytest.mark.parametrize(("name", "decoder"), CASES)
def test_rounds_find_every_state_where_there_is_room(name, decoder):
    """One place too few: the search has to find the states, and leaves out the least of them."""
    target = make_problem(decoder=decoder, likelihood=name).joint.condition(some_batch()[0])
    landscape, room = target.landscape(), 2**FACTORS - 1
    sets = started(landscape, nothing_on(target, torch.float64), room)
    sets = improved(landscape, sets, 40, FACTORS)
    table = target.table().detach()
    expected = table.topk(room, 0).values.logsumexp(0)
    torch.testing.assert_close(sets.bound(), expected)


@pytest.mark.parametrize("name", LIKELIHOODS)
@pytest.mark.parametrize("factors", [9, 70])
def test_the_bound_never_falls_and_states_stay_distinct(name, factors):
    target = wide(factors, name)
    landscape = target.landscape()
    sets = started(landscape, nothing_on(target), 12)
    for _ in range(15):
        better = improved(landscape, sets, 1, 4)
        assert bool((better.bound() >= sets.bound() - 1e-4).all())
        assert bool((better.log_joint.amax(1) >= sets.log_joint.amax(1)).all())
        assert distinct_in(better.words)
        sets = better
    again = evaluated(landscape, sets.words)  # what was added up is what is there
    torch.testing.assert_close(again.log_joint, sets.log_joint, atol=2e-3, rtol=1e-5)
    empty = started(landscape, nothing_on(target), 12).bound()
    assert (sets.bound() - empty).mean() > 3


@pytest.mark.parametrize("factors", [5, 63, 64, 130])
def test_neighbours_are_the_states_one_flip_away(factors):
    generator = torch.Generator().manual_seed(0)
    current = (torch.rand(20, 1, factors, generator=generator) < 0.3).float()
    states = (torch.rand(20, 7, factors, generator=generator) < 0.3).float()
    for document in range(20):
        for place in (0, 2, 4):
            states[document, place] = current[document, 0]
            bit = int(torch.randint(factors, (1,), generator=generator))
            states[document, place, bit] = 1 - current[document, 0, bit]
    words, here = pack(states), pack(current)
    for place in range(7):  # different states, as those of a set are
        twice = (words[:, :place] == words[:, place, None]).all(-1).any(-1)
        words[:, place] = torch.where(twice[:, None] | (place == 1), EMPTY, words[:, place])
    flips = here[:, :, None] ^ masks(factors)[None, None]  # (B, 1, D, P)
    expected = (flips[:, 0][:, :, None] == words[:, None]).all(-1).any(-1)
    found = neighbours(words.transpose(0, 1), here[:, 0])
    assert torch.equal(unpack(found, factors, torch.bool), expected)
    assert 30 < int(expected.sum()) <= 140


def test_a_member_that_is_looked_at_again_shows_new_flips():
    target = wide(9)
    landscape = target.landscape()
    sets = started(landscape, nothing_on(target), 40)
    held = [int((sets.words[..., 0] != EMPTY).sum())]
    for _ in range(6):
        sets = improved(landscape, sets, 1, 4)
        held.append(int((sets.words[..., 0] != EMPTY).sum()))
    assert held[:3] == [60, 300, 540]  # four more of each document, each time
    assert (np.diff(held) >= 0).all()
    assert held[-1] > 700


def test_the_bound_is_below_log_p_and_near_it():
    target = wide(9)
    sets = started(target.landscape(), nothing_on(target), 64)
    sets = improved(target.landscape(), sets, 40, 4)
    gap = bounds.exact(target).detach() - sets.bound()
    assert gap.min() > -1e-3
    assert gap.mean() < 0.05


def test_the_same_seed_state_twice_is_one_state():
    target = wide(9)
    seeds = nothing_on(target).expand(3, -1, -1).clone()
    seeds[1, 0, 4] = 1
    sets = started(target.landscape(), seeds, 6)
    full = (sets.words[..., 0] != EMPTY).sum(1)
    assert full.tolist() == [2] + [1] * 59
    assert bool(torch.isinf(sets.log_joint).sum(1).eq(6 - full).all())


@pytest.mark.parametrize("name", LIKELIHOODS)
@pytest.mark.parametrize("size", [1, 7, 60, 300])
def test_a_set_does_not_depend_on_the_batch(name, size):
    """Bit by bit the same, whatever documents are searched together."""

    def found(target):
        landscape = target.landscape()
        return improved(landscape, started(landscape, nothing_on(target), 16), 12, 4)

    target = wide(20, name, documents=300)
    whole = found(target)
    for rows in torch.arange(300).split(size)[:20]:
        part = found(wide(20, name, documents=300, rows=rows))
        assert torch.equal(part.words, whole.words[rows])
        torch.testing.assert_close(part.log_joint, whole.log_joint[rows], atol=1e-3, rtol=1e-6)


def test_more_states_and_rounds_are_better():
    target = wide(20)

    def bound(states, rounds):
        landscape = target.landscape()
        sets = started(landscape, nothing_on(target), states)
        return improved(landscape, sets, rounds, 4).bound().mean()

    assert bound(8, 2) < bound(8, 12) < bound(64, 12) < bound(64, 40)


def test_states_in_float64():
    target = wide(9, dtype=torch.float64)
    sets = started(target.landscape(), nothing_on(target, torch.float64), 16)
    assert improved(target.landscape(), sets, 5, 4).log_joint.dtype == torch.float64


def test_words_of_all_states_are_theirs():
    assert pack(all_states(4))[:, 0].tolist() == list(range(16))
    assert np.unique(pack(all_states(8))[:, 0].numpy()).size == 256


def test_a_set_does_not_depend_on_the_batch_when_the_vocabulary_is_large():
    """129 states are two blocks of rows; the second is not of one."""
    torch.manual_seed(0)
    weights, bias = torch.randn(9000, 12) * 0.5, torch.randn(9000)
    bits = (torch.rand(129, 1, 12) < 0.3).float()
    whole, norms = Logits(bits, weights, bias).flip_terms()
    for rows in (slice(0, 128), slice(100, 129), slice(113, 129)):
        part, norm = Logits(bits[rows], weights, bias).flip_terms()
        assert torch.equal(part, whole[rows])
        assert torch.equal(norm, norms[rows])


def test_documents_whose_best_state_is_new_are_searched_longer():
    target = wide(20)
    landscape = target.landscape()
    begun = started(landscape, nothing_on(target), 16)
    short = improved(landscape, begun, 2, 4, first=8)
    longer = improved(landscape, begun, 8, 4, first=8)
    found = settled(landscape, begun, 2, 4, 8)
    assert distinct_in(found.words)
    assert bool((found.bound() >= short.bound() - 1e-4).all())
    assert found.bound().mean() > short.bound().mean() + 0.5
    assert bool((found.log_joint.amax(1) >= longer.log_joint.amax(1) - 1e-3).float().mean() > 0.9)
    again = evaluated(landscape, found.words)
    torch.testing.assert_close(again.log_joint, found.log_joint, atol=2e-3, rtol=1e-5)


def test_a_document_goes_on_whatever_its_neighbours_do():
    whole = wide(20, "polya", documents=60)
    found = settled(whole.landscape(), started(whole.landscape(), nothing_on(whole), 16), 2, 4, 8)
    for rows in torch.arange(60).split(7):
        part = wide(20, "polya", documents=60, rows=rows)
        landscape = part.landscape()
        alone = settled(landscape, started(landscape, nothing_on(part), 16), 2, 4, 8)
        assert torch.equal(alone.words, found.words[rows])
