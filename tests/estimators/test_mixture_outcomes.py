"""Mixtures with covariates in front of the component and responses behind it."""

import numpy as np
import pytest

from tests.estimators.test_mixture import COMPONENTS, corpus, model
from topicfactors import ConfigurationError, InputError


def by_year(documents=900):
    """Documents whose component follows their year, and a place that does nothing."""
    generator = np.random.default_rng(7)
    years = generator.uniform(1700, 1900, documents)
    scaled = (years - years.mean()) / years.std()
    logits = np.stack([0 * scaled, 1.0 * scaled, -1.0 * scaled], 1)
    chances = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = np.array([generator.choice(3, p=row) for row in chances])
    _, _, words = corpus(10)
    counts = np.array([generator.multinomial(20, words[k]) for k in labels], float)
    places = generator.choice(["mill", "hall"], documents)
    return counts, labels, {"year": years, "place": places}


@pytest.fixture(scope="module")
def fitted():
    counts, _, table = by_year()
    return model(max_iter=60, batch_size=100).fit(counts, covariates=table)


def order_of(made, counts, labels):
    """Which component stands for each true one."""
    found = made.predict(counts, covariates=by_year()[2])
    return [int(np.bincount(found[labels == label]).argmax()) for label in range(COMPONENTS)]


def test_planted_effects_come_back(fitted):
    counts, labels, _ = by_year()
    places = order_of(fitted, counts, labels)
    assert fitted.inference_ == "exact"
    effects = {(e.factor, e.column, e.level): e for e in fitted.effects()}
    slopes = [next(e for key, e in effects.items() if key[:2] == (k, "year")) for k in places]
    ends = np.exp([0.0, 1.0, -1.0])
    chances = ends / ends.sum()  # a standard deviation above the mean, where all are a third
    planted = np.log(chances / (1 - chances)) - np.log(1 / 2)
    for effect, true in zip(slopes, planted, strict=True):
        assert effect.log_odds == pytest.approx(true, abs=0.25)
        assert effect.low < true < effect.high
    halls = [e for key, e in effects.items() if key[1] == "place"]
    assert max(abs(e.log_odds) for e in halls) < 0.35


def test_prevalence_follows_the_year(fitted):
    counts, labels, table = by_year()
    places = order_of(fitted, counts, labels)
    early, late = fitted.prevalence(at={"year": [1700, 1900]})
    np.testing.assert_allclose([early.sum(), late.sum()], 1, rtol=1e-5)
    assert late[places[1]] > 0.7 > 0.2 > early[places[1]]
    nothing = np.zeros((2, counts.shape[1]))
    told = {"year": [1700.0, 1900.0], "place": ["mill", "hall"]}
    found = fitted.predict_proba(nothing, covariates=told)
    assert found[1, places[1]] > 0.6 > found[0, places[1]]
    with pytest.raises(InputError, match="fitted with covariates"):
        fitted.predict(counts)
    assert table.keys() == {"year", "place"}


def test_covariates_can_move_the_words():
    counts, _, table = by_year(600)
    counts = np.hstack([counts, np.random.default_rng(0).poisson(0.5, (600, 2))])
    counts[:, -1] += 3.0 * (np.asarray(table["place"]) == "mill")
    made = model(covariates=["place:content"], max_iter=60, batch_size=100, tempering="none")
    made.fit(counts, covariates={"place": table["place"]})
    moved = {told.level: told.words[0][0] for told in made.covariate_words(2) if told.words}
    assert moved["mill"] == str(counts.shape[1] - 1)


def test_em_has_no_step_for_covariates():
    counts, _, table = by_year(100)
    with pytest.raises(ConfigurationError, match="use inference='exact'"):
        model(inference="em").fit(counts, covariates=table)


@pytest.mark.parametrize("inference", ["em", "exact"])
@pytest.mark.parametrize("family", ["gaussian", "poisson"])
def test_each_component_has_its_response(inference, family):
    counts, labels, words = corpus(300, seed=2)
    means = np.array([20.0, 60.0, 100.0])
    numbers = np.random.default_rng(0).poisson(means[labels]).astype(float)
    told = numbers.copy()
    told[::3] = np.nan
    options = {"max_iter": 80} if inference == "exact" else {}
    made = model(inference=inference, response=family, **options).fit(counts, response=told)
    found = made.predict(counts)
    places = [np.bincount(found[labels == label]).argmax() for label in range(COMPONENTS)]
    np.testing.assert_allclose(made.response_means_[places], means, rtol=0.12)
    expected = made.predict_proba(counts) @ made.response_means_
    np.testing.assert_allclose(made.predict_response(counts), expected)
    hidden = np.arange(0, 300, 3)
    error = np.abs(made.predict_response(counts[hidden]) - numbers[hidden]).mean()
    assert error < 15
    spread = made.response_deviations_[places]
    if family == "poisson":
        np.testing.assert_allclose(spread, np.sqrt(made.response_means_[places]), rtol=1e-5)
    assert words.shape[0] == 3


def test_a_model_of_words_alone_has_no_response():
    counts, _, _ = corpus(60)
    made = model().fit(counts)
    assert made.response_means_.tolist() == []
    with pytest.raises(ConfigurationError, match="fitted without a response"):
        made.predict_response(counts)
    with pytest.raises(InputError, match="below 0, and a poisson response"):
        model(response="poisson").fit(counts, response=np.full(60, -1.0))
