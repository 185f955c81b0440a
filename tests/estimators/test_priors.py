"""Coupled priors in a model: planted couplings are found and kept, or refused."""

import functools

import numpy as np
import pytest
import scipy.sparse
import torch

from tests.estimators.planted import BACKGROUND, BLOCK, STRENGTH, matched, model
from topicfactors import ConfigurationError, load, save
from topicfactors.model.boltzmann import BoltzmannPrior

D = 4
COUPLED = ["boltzmann", "boltzmann:exact=0,chains=300", "belief-network:units=3"]


@functools.cache
def together(documents=600, apart=0.06):
    """Documents in which factors 0 and 2 nearly always come together."""
    generator = np.random.default_rng(0)
    loadings = np.zeros((D, D * BLOCK + BACKGROUND))
    for factor in range(D):
        loadings[factor, factor * BLOCK : (factor + 1) * BLOCK] = STRENGTH
    truth = (generator.random((documents, D)) < 0.3).astype(int)
    alone = generator.random(documents) < apart
    truth[:, 2] = np.where(alone, 1 - truth[:, 0], truth[:, 0])
    weights, lengths = np.exp(truth @ loadings), generator.poisson(60, documents) + 5
    rows = [generator.multinomial(n, w / w.sum()) for n, w in zip(lengths, weights, strict=True)]
    return scipy.sparse.csr_matrix(np.array(rows, dtype=np.float64)), truth, loadings


def fitted(prior, inference="exact", **options):
    """A model that begins with the planted loadings, so that factors 0 and 2 are on two sides."""
    counts, _, loadings = together()
    chosen = {"max_iter": 20, "init": lambda counts, factors, seed: 0.4 * loadings} | options
    return model(D, inference=inference, prior=prior, **chosen).fit(counts)


@pytest.mark.parametrize("prior", COUPLED[:2])
@pytest.mark.parametrize("inference", ["exact", "truncated"])
def test_the_coupling_of_factors_that_come_together_is_found(inference, prior):
    found = fitted(prior, inference, max_iter=12)
    counts, truth, _ = together()
    posteriors = found.transform(counts)
    assert matched(posteriors, truth).min() > 0.95
    own = np.corrcoef(truth.T, posteriors.T)[:D, D:].argmax(1)
    couplings = found.couplings_[own][:, own]
    others = np.abs(np.triu(couplings)).ravel()
    others[2] = 0  # that of 0 and 2
    assert couplings[0, 2] > 2
    assert couplings[0, 2] > 3 * others.max()
    assert np.array_equal(found.couplings_, found.couplings_.T)


DRAWN = {
    "dvae:start=1,end=5": {"max_iter": 30, "kl_warmup": 0.7},
    "gumbel-softmax": {"max_iter": 20, "learning_rate": 0.02},
}


@pytest.mark.parametrize("inference", DRAWN)
def test_sampled_inferences_find_it_too(inference):
    """Where the two are apart more often: a mean-field posterior makes one factor of the others."""
    counts, truth, loadings = together(1500, 0.25)
    options = DRAWN[inference] | {"init": lambda counts, factors, seed: 0.4 * loadings}
    found = model(D, inference=inference, prior="boltzmann", **options).fit(counts)
    own = np.corrcoef(truth.T, found.transform(counts).T)[:D, D:].argmax(1)
    assert sorted(own) == list(range(D))
    couplings = found.couplings_[own][:, own]
    others = np.abs(np.triu(couplings)).ravel()
    others[2] = 0
    assert couplings[0, 2] > 0.6
    assert couplings[0, 2] > 2 * others.max()


def test_groups_that_come_together_are_predicted_better():
    counts, _, _ = together()
    factorial = fitted("bernoulli").score(counts)
    for prior in COUPLED:
        assert fitted(prior).score(counts) > factorial + 0.2


@pytest.mark.parametrize("inference", ["exact", "truncated", "gumbel-softmax", "local-expectation"])
def test_without_couplings_the_run_is_the_factorial_one(inference, monkeypatch):
    def fixed(*sizes, **options):
        prior = BoltzmannPrior(*sizes, **options)
        prior.weights.requires_grad_(False)
        return prior

    factorial, same = (fitted(prior, inference, max_iter=2) for prior in ("bernoulli", fixed))
    for one, other in zip(factorial.history_, same.history_, strict=True):
        assert one.bound == pytest.approx(other.bound, rel=1e-4)
    np.testing.assert_allclose(same.components_, factorial.components_, atol=2e-3)
    np.testing.assert_allclose(same.prior_, factorial.prior_, atol=2e-3)
    assert not same.couplings_.any()


@pytest.mark.parametrize("inference", ["dvae", "gumbel-softmax", "nvil", "straight-through"])
@pytest.mark.parametrize("prior", COUPLED)
def test_every_sampled_inference_learns_it(prior, inference):
    found = fitted(prior, inference, max_iter=3)
    counts, _, _ = together()
    learnt = found.objective_.joint.prior.weights
    assert bool((learnt != 0).any())
    assert np.isfinite(found.score(counts))
    elbo, exact = (found.score_samples(counts, bound=bound).mean() for bound in ("elbo", "exact"))
    assert elbo < exact


@pytest.mark.parametrize("prior", COUPLED)
def test_it_is_saved_whole(prior, tmp_path):
    counts, _, _ = together()
    before = fitted(prior, "gumbel-softmax", max_iter=2, init="clusters")
    save(before, tmp_path / "model")
    after = load(tmp_path / "model")
    for name, part in before.objective_.joint.prior.state_dict().items():
        assert torch.equal(part, after.objective_.joint.prior.state_dict()[name]), name
    assert np.array_equal(before.score_samples(counts), after.score_samples(counts))
    assert np.array_equal(before.prior_, after.prior_)


@pytest.mark.parametrize("prior", COUPLED)
def test_explanations_have_the_prior_of_the_state(prior):
    found, (counts, _, _) = fitted(prior, "truncated", max_iter=3), together()
    told = found.explain(counts[:2])[0]
    state = torch.zeros(1, D, dtype=torch.float64)
    state[0, told.state] = 1
    odds = found.objective_.joint.prior.double().log_odds(state)[0].detach()
    for factor in told.factors:
        assert factor.prior == pytest.approx(float(odds[factor.factor]), abs=1e-4)


@pytest.mark.parametrize("prior", COUPLED)
def test_training_goes_on(prior):
    counts, _, _ = together()
    found = fitted(prior, max_iter=3, warm_start=True)
    before = found.score(counts)
    assert found.fit(counts).score(counts) > before


@pytest.mark.parametrize("prior", ["boltzmann", "belief-network"])
def test_covariates_and_a_number_to_be_found_are_refused(prior):
    counts, truth, _ = together()
    with pytest.raises(ConfigurationError, match=f"'{prior}' reads no covariates; use"):
        model(D, prior=prior).fit(counts, covariates=truth[:, :1].astype(float))
    with pytest.raises(ConfigurationError, match=f"prior='{prior}' depend on each other; use"):
        model("auto", prior=prior).fit(counts)
    model(D, prior=prior, covariates=["0:content"], max_iter=1).fit(
        counts, covariates=truth[:, :1].astype(float)
    )


def test_every_score_of_a_fit_has_a_fresh_log_z(monkeypatch):
    monkeypatch.setattr("topicfactors.model.boltzmann.SUMMED", 1)  # so that it is annealed
    counts, _, _ = together()
    found = fitted("boltzmann:exact=0,chains=300", "gumbel-softmax", max_iter=3)
    prior = found.objective_.joint.prior
    assert 0 < float(prior.spread) < 0.05
    before, annealed = found.score(counts), prior.log_z.clone()
    assert found.score(counts) == before  # not annealed again
    monkeypatch.setattr("topicfactors.model.boltzmann.SUMMED", 20)
    prior.spread.fill_(torch.nan)
    assert found.score(counts) == pytest.approx(before, abs=0.02)
    assert float(prior.log_z) == pytest.approx(float(annealed), abs=0.02)
    assert float(prior.spread) == 0


def test_a_prior_without_couplings_has_none():
    found = fitted("bernoulli", max_iter=1)
    assert not hasattr(found, "couplings_")
