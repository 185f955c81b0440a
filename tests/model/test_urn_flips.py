"""Flips of an urn among the words that occur again, against evaluation of every state."""

import pytest
import scipy.sparse
import torch

from topicfactors.contracts import Batch, Sizes
from topicfactors.corpus.counts import Counts
from topicfactors.model.decoders import LogLinearDecoder
from topicfactors.model.joint import Joint
from topicfactors.model.likelihoods import Polya
from topicfactors.model.priors import BernoulliPrior

FACTORS, WORDS = 6, 12
COUNTS = {
    "small": [[2, 3, 1, 0, 7], [0, 1, 1, 0, 1], [0, 0, 0, 0, 0], [4, 2, 2, 2, 9]],
    "large": [[2, 15, 16, 17, 900], [5, 0, 1, 400, 1], [18, 0, 0, 0, 0], [2, 2, 2, 2, 2]],
    "broken": [[2.5, 0.5, 1, 0, 7], [0, 1.5, 1, 40, 1], [0, 3, 0, 0, 0], [2, 2, 2, 2.25, 2]],
}


def target_of(counts, concentration, dtype=torch.float64):
    torch.manual_seed(0)
    sizes = Sizes(WORDS, FACTORS)
    likelihood = Polya(concentration=concentration)
    joint = Joint(sizes, BernoulliPrior(sizes), LogLinearDecoder(sizes), likelihood)
    joint.decoder.raw.data = torch.randn(WORDS, FACTORS)
    matrix = scipy.sparse.csr_matrix(torch.tensor(counts, dtype=torch.float64).numpy())
    matrix.resize(len(counts), WORDS)
    known = Counts.from_scipy(matrix)
    known = known.with_values(known.values.to(dtype))
    return joint.to(dtype).condition(Batch(known, None, None, torch.arange(len(counts))))


@pytest.mark.parametrize("concentration", [0.01, 3.0, 1e6])
@pytest.mark.parametrize("counts", COUNTS)
def test_every_change_is_the_difference_of_two_states(counts, concentration):
    target = target_of(COUNTS[counts], concentration)
    bits = (torch.rand(4, FACTORS) < 0.4).double()
    change, factor = target.landscape().best_flips(bits, FACTORS)
    found = torch.empty_like(change).scatter(1, factor, change)
    expected = (1 - 2 * bits) * target.flips(bits[None])[0]
    torch.testing.assert_close(found, expected, atol=1e-8, rtol=1e-8)


def test_the_first_guess_is_that_of_the_likelihood():
    target = target_of(COUNTS["large"], 3.0)
    landscape = target.landscape()
    bits = (torch.rand(4, FACTORS) < 0.4).double()
    logits = target.logits(bits[None])
    after, norm = landscape.norms(bits)
    near = landscape.near
    found = near.guess(logits, near.log_masses(logits, norm), after, norm)
    expected = target.joint.likelihood.changes(
        target.counts, logits, landscape.evidence, after[None], norm[None]
    )[0]
    torch.testing.assert_close(found, expected)


def test_single_precision_keeps_the_digits_that_matter():
    precise, rough = (target_of(COUNTS["large"], 5.0, each) for each in (torch.double, torch.float))
    bits = (torch.rand(4, FACTORS) < 0.4).double()
    exact = (1 - 2 * bits) * precise.flips(bits[None])[0]
    change, factor = rough.landscape().best_flips(bits.float(), FACTORS)
    found = torch.empty_like(change).scatter(1, factor, change)
    torch.testing.assert_close(found.double(), exact, atol=2e-3, rtol=1e-5)
