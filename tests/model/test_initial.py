import numpy as np
import pytest
import scipy.sparse

from topicfactors.model.initial import INITIALS, background


def planted(documents=200, seed=0):
    """Four groups of documents, each with ten words of its own."""
    random = np.random.default_rng(seed)
    rates = np.full((4, 40), 0.05)
    for group in range(4):
        rates[group, group * 10 : group * 10 + 10] = 1.0
    return scipy.sparse.csr_matrix(random.poisson(rates[np.arange(documents) % 4]))


def test_background_frequencies_sum_to_one():
    counts = planted()
    found = background(counts)
    assert np.exp(found).sum() == pytest.approx(1.0)
    assert np.exp(found)[0] == pytest.approx((counts[:, 0].sum() + 0.5) / (counts.sum() + 20))


@pytest.mark.parametrize("name", ["clusters", "nmf"])
def test_a_start_finds_the_planted_groups(name):
    loadings = INITIALS[name](planted(), 4, 0)
    groups = {tuple(sorted(set(np.argsort(-row)[:8] // 10))) for row in loadings}
    assert groups == {(0,), (1,), (2,), (3,)}
    assert loadings.min() >= 0
    assert loadings.max() <= 0.4 * 3


@pytest.mark.parametrize("name", INITIALS)
@pytest.mark.parametrize("factors", [1, 3, 60])
def test_every_start_has_the_shape_asked_for(name, factors):
    loadings = INITIALS[name](planted(30), factors, 0)
    assert loadings.shape == (factors, 40)
    assert np.isfinite(loadings).all()


@pytest.mark.parametrize("name", INITIALS)
def test_the_same_seed_gives_the_same_start(name):
    one, other = (INITIALS[name](planted(), 5, 7) for _ in range(2))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", INITIALS)
@pytest.mark.parametrize(
    "counts",
    [
        scipy.sparse.csr_matrix((5, 4)),
        scipy.sparse.csr_matrix([[1, 0]]),
        scipy.sparse.csr_matrix([[2], [3], [1]]),
        scipy.sparse.csr_matrix(np.ones((6, 5))),
    ],
    ids=["empty", "one document", "one word", "all alike"],
)
def test_degenerate_corpora_still_have_a_start(name, counts):
    loadings = INITIALS[name](counts, 3, 0)
    assert loadings.shape == (3, counts.shape[1])
    assert np.isfinite(loadings).all()


@pytest.mark.parametrize("name", ["clusters", "nmf"])
def test_fractions_of_a_token_are_counts_too(name):
    """1 + log x is negative below 1/e; nothing may become NaN or turn around."""
    loadings = INITIALS[name](planted() * 0.01, 4, 0)
    assert np.isfinite(loadings).all()
    groups = {tuple(sorted(set(np.argsort(-row)[:8] // 10))) for row in loadings}
    assert groups == {(0,), (1,), (2,), (3,)}
