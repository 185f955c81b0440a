"""What a factor is worth, against enumeration."""

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, logsumexp

from tests.estimators.planted import exact_log_prob, model, planted, states_of
from topicfactors.training.worth import _without, worth


@pytest.fixture(scope="module")
def fitted():
    corpus = planted(factors=3, documents=60, length=30)
    return corpus.counts, model(3).fit(corpus.counts)


def without(fitted, counts, factor):
    """Log p(x) of the model that has lost a factor, by hand, ``(N,)``."""
    rest = np.delete(np.arange(3), factor)
    weights, prior = fitted.components_[rest].astype(float), fitted.prior_[rest].astype(float)
    states = states_of(2)
    words = log_softmax(states @ weights + fitted.intercept_.astype(float), axis=1)
    log_prior = states @ np.log(prior) + (1 - states) @ np.log1p(-prior)
    return logsumexp(log_prior[:, None] + words @ np.asarray(counts.todense()).T, axis=0)


def test_the_gain_is_what_is_lost_without_the_factor(fitted):
    counts, trained = fitted
    found = worth(trained.objective_, trained._documents(trained._observed(counts)), seed=0)
    whole = exact_log_prob(trained, counts).sum()
    assert found.bound == pytest.approx(whole, rel=1e-5)
    lost = [whole - without(trained, counts, factor).sum() for factor in range(3)]
    np.testing.assert_allclose(found.gain, lost, rtol=0.02, atol=1.0)


def test_the_cost_is_that_of_the_loadings(fitted):
    counts, trained = fitted
    found = worth(trained.objective_, trained._documents(trained._observed(counts)), seed=0)
    tokens = trained.transform(counts).T @ counts
    variance = np.square(trained.components_).mean(1, keepdims=True)
    cost = 0.5 * np.log1p(tokens * variance).sum(1) + 0.5 * counts.shape[1]
    np.testing.assert_allclose(found.cost, cost, rtol=1e-3)
    assert found.evidence == pytest.approx(found.bound - cost.sum(), rel=1e-4)


def test_many_documents_are_sampled_and_scaled(fitted, monkeypatch):
    counts, trained = fitted
    documents = trained._documents(trained._observed(counts))
    all_of_them = worth(trained.objective_, documents, seed=0)
    monkeypatch.setattr("topicfactors.training.worth.MOST", 30)
    half = worth(trained.objective_, documents, seed=0)
    assert half.bound == pytest.approx(all_of_them.bound, rel=0.1)
    assert torch.equal(half.gain, worth(trained.objective_, documents, seed=0).gain)


def test_the_gain_knows_what_is_known_of_each_document(fitted):
    counts, _ = fitted
    year = np.linspace(0, 1, counts.shape[0])
    ratings = np.random.default_rng(0).normal(size=counts.shape[0])
    told = model(3, max_iter=20, covariate_shrinkage=0.01, prior="bernoulli:probability=0.3")
    told.fit(counts, covariates={"year": year}, response=ratings)
    documents = told._documents(told._observed(counts, {"year": year}).with_responses(ratings))
    found = worth(told.objective_, documents, seed=0)

    def exactly(joint):
        batch = documents.batch(torch.arange(counts.shape[0]))
        return float(joint.condition(batch).table().logsumexp(0).sum())

    with torch.no_grad():
        whole = exactly(told.objective_.joint)
        lost = [whole - exactly(_without(told.objective_.joint, factor)) for factor in range(3)]
    assert found.bound == pytest.approx(whole, rel=1e-4)
    np.testing.assert_allclose(found.gain, lost, rtol=0.02, atol=1.0)
