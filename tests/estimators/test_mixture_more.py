"""Mixtures: rows of the lengths that were asked for, parameters that are free, blocks that fit."""

import numpy as np
import pytest
import scipy.sparse
import torch

from tests.estimators.test_mixture import COMPONENTS, WORDS, corpus, model
from tests.estimators.test_mixture_outcomes import by_year
from topicfactors import ConfigurationError, InputError, SemiSupervisedClassifier
from topicfactors.estimators import components
from topicfactors.estimators.class_parts import choose_classifier
from topicfactors.estimators.observed import Observed, stacked
from topicfactors.model.likelihoods import Bernoulli, Polya


@pytest.fixture(scope="module")
def moved():
    counts, _, table = by_year(200)
    options = {"covariates": ["year:both", "place:content"], "max_iter": 2}
    return model(**options).fit(counts, covariates=table), counts, table


def test_every_row_has_the_length_that_was_asked_for():
    made = model(max_iter=3).fit(corpus(100)[0])
    lengths = np.random.default_rng(0).permutation(np.arange(1, 61))
    drawn, labels = made.sample(60, lengths=lengths, random_state=0)
    np.testing.assert_array_equal(np.asarray(drawn.sum(1)).ravel(), lengths)
    assert (np.diff(labels) < 0).any()


def test_rows_that_are_drawn_are_of_their_component():
    counts = np.array([[9, 1, 0, 0]] * 20 + [[0, 0, 1, 9]] * 20, float)
    made = model(smoothing=0.001).set_params(n_components=2).fit(counts)
    drawn, labels = made.sample(50, lengths=np.full(50, 30), random_state=0)
    np.testing.assert_array_equal(made.predict(drawn), labels)


def test_only_free_parameters_are_counted(moved):
    made, _, _ = moved
    year, place = 1, made._joint().content.shape[1] - 1
    words = COMPONENTS * (WORDS - 1) + (WORDS - 1) * (year + place)
    assert made._n_parameters() == words + (COMPONENTS - 1) * (1 + year)


@pytest.mark.parametrize(("learnt", "own"), [(True, 1), (False, 0)])
def test_a_concentration_that_is_given_is_not_counted(learnt, own):
    made = model(likelihood=f"polya:learnt={learnt}", max_iter=1).fit(corpus(60)[0])
    assert made._n_parameters() == COMPONENTS * (WORDS - 1) + COMPONENTS - 1 + own


def test_blocks_of_urns_are_smaller(monkeypatch):
    counts = corpus(60)[0]
    made = model(likelihood="polya", max_iter=1).fit(counts)
    whole = made.score_samples(counts)
    monkeypatch.setattr(components, "BLOCK", 2000)
    sizes = [len(batch.counts) for batch in made._batches(made._observed(counts, None))]
    assert max(sizes) <= 2000 / (COMPONENTS * counts.nnz / 60)
    np.testing.assert_allclose(made.score_samples(counts), whole)


def test_factors_beside_components():
    counts, labels, _ = corpus(60)
    made = SemiSupervisedClassifier(n_factors=3, max_iter=1, device="cpu", random_state=0)
    made.fit(counts, labels)
    assert made._numbers(made._observed(counts, None)) == 2**3
    with pytest.raises(ConfigurationError, match="this model has factors too"):
        made.completion_perplexity(counts, counts)


@pytest.mark.parametrize("likelihood", ["bernoulli", Bernoulli])
def test_presence_is_not_tempered_however_it_is_named(likelihood):
    told = {"n_factors": 0, "inference": "auto", "decoder": "log-linear", "encoder": "bag-of-words"}
    found = choose_classifier(told | {"tempering": "auto", "likelihood": likelihood})
    assert found.tempering.name == "none"
    found = choose_classifier(told | {"tempering": "auto", "likelihood": Polya})
    assert found.tempering.name == "unit"


def test_one_component_has_nothing_to_be_compared_with():
    counts = corpus(40)[0]
    made = model(max_iter=1).set_params(n_components=1).fit(counts)
    with pytest.raises(ConfigurationError, match="this model has one alone"):
        made.explain(counts[:1])


def test_parts_that_know_different_things_do_not_stack():
    plain = scipy.sparse.csr_matrix(np.ones((2, 3)))
    known = Observed(plain, covariates=np.ones((2, 1)))
    assert stacked([known, known]).covariates.shape == (4, 1)
    with pytest.raises(InputError, match="covariates are known of 1 of 2 matrices"):
        stacked([known, plain])


def test_effects_are_changes_of_the_log_odds(moved):
    made, _, table = moved
    prior = made._joint().outermost()
    weight, start = prior.effects.weight.detach().clone(), prior.logits.detach().clone()
    with torch.no_grad():
        prior.logits.copy_(torch.tensor([0.5, -1.0, 0.2]))
        prior.effects.weight.copy_(torch.tensor([[0.3], [1.5], [-0.7]]))
    years = np.asarray(table["year"])
    middle = made.prevalence().astype(float)
    above = made.prevalence(at={"year": years.mean() + years.std()}).astype(float)
    found = [effect.log_odds for effect in made.effects()]
    with torch.no_grad():
        prior.logits.copy_(start)
        prior.effects.weight.copy_(weight)
    expected = np.log(above / (1 - above)) - np.log(middle / (1 - middle))
    np.testing.assert_allclose(found, expected, atol=1e-3)
