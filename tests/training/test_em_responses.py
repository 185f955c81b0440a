"""Closed forms of a mixture's responses against scipy and numerical maximisation."""

import numpy as np
import pytest
import scipy.optimize
import scipy.stats

from topicfactors.errors import InputError
from topicfactors.model.responses import RESPONSES
from topicfactors.training.em_responses import (
    Overall,
    ResponseComponents,
    moments,
    update,
)

NUMBERS = np.array([3.0, np.nan, 0.0, 7.0, 2.5, 11.0, 4.0, np.nan, 6.0])


def shares(components=3, seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(components), len(NUMBERS))


def objective(components, overall, pseudo):
    """What the M-step maximises."""
    expected = (shares() * components.log_prob(NUMBERS)).sum()
    return expected + components.log_prior(overall, pseudo)


@pytest.mark.parametrize("family", list(RESPONSES))
def test_log_prob_is_scipys_and_zero_where_nothing_is_seen(family):
    means, variances = np.array([2.0, 5.0]), np.array([1.0, 4.0])
    found = ResponseComponents(family, means, variances).log_prob(NUMBERS)
    whole = np.array([3.0, 0.0, 7.0, 11.0])
    rows = [0, 2, 3, 5]
    if family == "gaussian":
        expected = scipy.stats.norm.logpdf(whole[:, None], means, np.sqrt(variances))
    else:
        expected = scipy.stats.poisson.logpmf(whole[:, None], means)
    np.testing.assert_allclose(found[rows], expected)
    assert (found[[1, 7]] == 0).all()


@pytest.mark.parametrize("pseudo", [0.1, 1.0, 5.0])
@pytest.mark.parametrize("family", list(RESPONSES))
def test_the_update_is_the_maximum(family, pseudo):
    overall = Overall.of(NUMBERS, family)
    best = update(family, moments(NUMBERS, shares(), overall), overall, pseudo)

    def missed(parameters):
        means, logs = np.split(parameters, 2)
        moved = ResponseComponents(family, np.maximum(means, 1e-9), np.exp(logs))
        return -objective(moved, overall, pseudo)

    start = np.concatenate([best.means + 0.3, np.log(best.variances) + 0.2])
    found = scipy.optimize.minimize(missed, start, method="BFGS")
    assert objective(best, overall, pseudo) == pytest.approx(-found.fun, abs=1e-6)
    np.testing.assert_allclose(np.split(found.x, 2)[0], best.means, atol=1e-3)


@pytest.mark.parametrize("family", list(RESPONSES))
def test_blocks_add_up(family):
    overall = Overall.of(NUMBERS, family)
    whole = moments(NUMBERS, shares(), overall)
    first = moments(NUMBERS[:4], shares()[:4], overall)
    both = first.plus(moments(NUMBERS[4:], shares()[4:], overall))
    for one, other in zip(whole, both, strict=True):
        np.testing.assert_allclose(one, other)


@pytest.mark.parametrize("family", list(RESPONSES))
def test_a_component_without_documents_is_as_the_corpus(family):
    overall = Overall.of(NUMBERS, family)
    empty = shares() * [1.0, 1.0, 0.0]
    found = update(family, moments(NUMBERS, empty, overall), overall)
    assert found.means[2] == pytest.approx(np.nanmean(NUMBERS))
    if family == "gaussian":
        assert found.variances[2] == pytest.approx(np.nanvar(NUMBERS))


def test_two_eras_are_told_apart_by_em():
    """A mixture of Poissons over years, from a poor start, with a tenth of the years unknown."""
    generator = np.random.default_rng(0)
    truth = generator.random(400) < 0.4
    years = generator.poisson(np.where(truth, 1600, 1850)).astype(float)
    years[generator.random(400) < 0.1] = np.nan
    overall = Overall.of(years, "poisson")
    weights, responsibilities, before = np.full(2, 0.5), np.zeros((400, 2)), -np.inf
    components = ResponseComponents("poisson", np.array([1700.0, 1720.0]), np.ones(2))
    for _ in range(30):
        joint = components.log_prob(years) + np.log(weights)
        total = np.logaddexp(joint[:, 0], joint[:, 1])
        now = total.sum() + components.log_prior(overall)
        assert now >= before - 1e-6
        before, responsibilities = now, np.exp(joint - total[:, None])
        components = update("poisson", moments(years, responsibilities, overall), overall)
        weights = responsibilities.mean(0)
    np.testing.assert_allclose(components.means, [1600, 1850], rtol=5e-3)
    seen = ~np.isnan(years)
    assert ((responsibilities[:, 0] > 0.5) == truth)[seen].mean() > 0.99
    expected = components.expected(responsibilities)
    assert abs(expected - np.where(truth, 1600, 1850))[seen].mean() < 5


def test_all_responses_alike_have_a_variance_and_all_zero_a_rate():
    for family, numbers in (("gaussian", [4.0, 4.0]), ("poisson", [0.0, 0.0])):
        overall = Overall.of(np.array(numbers), family)
        found = update(family, moments(np.array(numbers), np.ones((2, 1)), overall), overall)
        assert np.isfinite(found.log_prob(np.array(numbers))).all()


def test_a_poisson_refuses_what_is_below_zero_and_names_the_row():
    with pytest.raises(InputError, match="row 2: -3 is below 0, and a poisson response"):
        Overall.of(np.array([1.0, np.nan, -3.0]), "poisson")
    assert Overall.of(np.array([1.0, -3.0]), "gaussian").mean == -1


def test_no_response_at_all_is_refused():
    with pytest.raises(InputError, match="unknown for all documents"):
        Overall.of(np.full(3, np.nan), "gaussian")
