"""Names, merge and drop of components: what the smaller mixture says is its own."""

import math

import numpy as np
import pytest
from scipy.special import log_softmax

from tests.estimators.planted import planted
from topicfactors import ConfigurationError, InputError, MixtureModel, load, save
from topicfactors.insight.topics import status

EVERY = [
    {},
    {"inference": "exact"},
    {"inference": "gumbel-softmax"},
    {"likelihood": "poisson"},
    {"likelihood": "bernoulli"},
    {"decoder": "log-linear:nonnegative=true"},
    {"decoder": "mlp"},
]


@pytest.fixture(scope="module")
def counts():
    return planted(4, 200, seed=2).counts


@pytest.fixture(scope="module")
def fitted(counts):
    return MixtureModel(4, random_state=0, tempering="none").fit(counts)


def by_hand(weights, log_words, counts):
    """p(y | x) of the components ``(K,)`` and ``(K, V)``."""
    return np.exp(log_softmax(counts @ log_words.T + np.log(weights), axis=1))


@pytest.mark.parametrize("options", EVERY, ids=str)
def test_every_table_of_every_mixture_is_true(options, counts, tmp_path):
    model = MixtureModel(4, random_state=0, max_iter=2, n_init=1, **options)
    model.fit(counts, response=np.arange(200.0)).set_names({3: "last"})
    weights = model.weights_.copy()
    edited = [model.drop(0, counts)]
    if options != {"decoder": "mlp"}:
        edited.append(model.merge([1, 2], counts))
    for made in edited:
        found = made.predict_proba(counts)
        np.testing.assert_allclose(made.prevalence_, found.mean(0))
        np.testing.assert_allclose(made.posterior_variance_, found.var(0))
        assert made.status_ == status(found.mean(0), found.var(0))
        assert made.n_components == found.shape[1] == len(made.response_means_) == 3
        assert made.held_out_ == {}
        assert (made.converged_, math.isnan(made.objective_value_)) == (False, True)
        assert made.factor_names_ == [0, 1, "last"]
        assert made.get_feature_names_out()[2] == "last"
        assert made.documents_frame(counts[:2]).columns[-1] == "component_last"
    save(made, tmp_path / "model")
    again = load(tmp_path / "model")
    np.testing.assert_array_equal(again.predict_proba(counts), made.predict_proba(counts))
    assert (again.factor_names_, again.edits_) == (made.factor_names_, made.edits_)
    np.testing.assert_array_equal(model.weights_, weights)


def test_documents_of_a_dropped_component_go_to_the_others(fitted, counts):
    made = fitted.drop([1], counts)
    weights, words = np.delete(fitted.weights_, 1), np.delete(fitted.components_, 1, axis=0)
    np.testing.assert_allclose(made.weights_, weights / weights.sum(), rtol=1e-5)
    np.testing.assert_allclose(made.components_, words, atol=1e-5)
    wanted = by_hand(weights, words, counts)
    np.testing.assert_allclose(made.predict_proba(counts), wanted, atol=1e-5)


def test_merged_components_add_up(fitted, counts):
    made = fitted.merge([[0, 3]], counts)
    shares = fitted.weights_[[0, 3]] / fitted.weights_[[0, 3]].sum()
    assert made.weights_[0] == pytest.approx(fitted.weights_[[0, 3]].sum())
    words = shares @ fitted.topic_word_[[0, 3]]
    np.testing.assert_allclose(made.topic_word_[0], words, rtol=1e-4)
    np.testing.assert_allclose(made.topic_word_[1:], fitted.topic_word_[[1, 2]], rtol=1e-5)


def test_responses_of_merged_components_are_those_of_their_mixture(counts):
    response = np.arange(200.0)
    model = MixtureModel(3, random_state=0).fit(counts, response=response)
    made = model.merge([0, 1], counts)
    shares = model.weights_[:2] / model.weights_[:2].sum()
    means, deviations = model.response_means_[:2], model.response_deviations_[:2]
    mean = shares @ means
    assert made.response_means_[0] == pytest.approx(mean)
    wanted = np.sqrt(shares @ (deviations**2 + (means - mean) ** 2))
    assert made.response_deviations_[0] == pytest.approx(wanted)


def test_effects_of_merged_components_are_their_mean(counts):
    year = np.linspace(-1, 1, 200)
    model = MixtureModel(3, random_state=0, max_iter=3)
    model.fit(counts, covariates={"year": year})
    made = model.merge([0, 2], counts, covariates={"year": year})
    shares = model.weights_[[0, 2]] / model.weights_[[0, 2]].sum()
    weights = model._weights()
    np.testing.assert_allclose(made._weights()[0], shares @ weights[[0, 2]], rtol=1e-4)
    assert len(made.effects()) == 2


def test_another_fit_has_no_names(counts):
    model = MixtureModel(3, random_state=0, max_iter=1, n_init=1).fit(counts)
    made = model.set_names(["a", "b", "c"]).drop("b", counts)
    assert made.factor_names_ == ["a", "c"]
    made.fit(counts)
    assert made.factor_names_ == [0, 1]
    assert not hasattr(made, "edits_")


def test_what_cannot_be_edited_is_refused(fitted, counts):
    with pytest.raises(InputError, match="no component 9; this model has components 0 to 3"):
        fitted.merge([1, 9], counts)
    mlp = MixtureModel(2, decoder="mlp", random_state=0, max_iter=1).fit(counts)
    with pytest.raises(ConfigurationError, match="decoder='log-linear'"):
        mlp.merge([0, 1], counts)
