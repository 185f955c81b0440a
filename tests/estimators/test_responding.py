"""Responses: fitted beside the words, predicted from them, and kept."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.metrics import r2_score
from sklearn.pipeline import Pipeline

from tests.estimators.planted import joint_table, model, states_of
from topicfactors import BinaryFactorModel, ConfigurationError, InputError, load, save
from topicfactors.estimators.observed import Observed, stacked
from topicfactors.model.responses import Gaussian

SLOPES = np.array([40.0, -25.0, 10.0, 0.0])
INFERENCES = ["exact", "truncated", "gumbel-softmax"]


@pytest.fixture(scope="module")
def years(corpus):
    """1700 and what each planted factor adds, with noise of 5; a third are unknown."""
    generator = np.random.default_rng(1)
    whole = 1700 + corpus.truth @ SLOPES + generator.normal(0, 5, len(corpus.truth))
    return np.where(generator.random(len(whole)) < 1 / 3, np.nan, whole), whole


@pytest.fixture(scope="module")
def rates(corpus):
    generator = np.random.default_rng(2)
    return generator.poisson(np.exp(1 + corpus.truth @ [1.5, -1.0, 0.5, 0.0])).astype(float)


@pytest.fixture(scope="module")
def fitted(corpus, years):
    return {
        inference: model(inference=inference, max_iter=40).fit(corpus.counts, response=years[0])
        for inference in INFERENCES
    }


@pytest.mark.parametrize("inference", INFERENCES)
def test_years_that_were_unknown_are_predicted(inference, fitted, corpus, years):
    told, whole = years
    found = fitted[inference].predict_response(corpus.counts)
    unknown = np.isnan(told)
    assert found.shape == (400,)
    assert found.dtype == np.float64
    assert r2_score(whole[unknown], found[unknown]) > (0.8 if "gumbel" in inference else 0.9)
    slopes = np.sort(fitted[inference].response_coef_)
    np.testing.assert_allclose(slopes, np.sort(SLOPES), atol=12 if "gumbel" in inference else 4)
    assert fitted[inference].response_intercept_ == pytest.approx(1700, abs=10)


@pytest.mark.parametrize("inference", ["exact", "truncated"])
def test_rates_that_factors_multiply_are_found(inference, corpus, rates):
    found = model(inference=inference, max_iter=30, response="poisson")
    found.fit(corpus.counts, response=rates.astype(int))
    np.testing.assert_allclose(np.sort(found.response_coef_), [-1, 0, 0.5, 1.5], atol=0.25)
    assert found.response_intercept_ == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize("family", ["gaussian", "poisson"])
@pytest.mark.parametrize("inference", ["exact", "truncated"])
def test_the_prediction_is_the_mean_over_the_posterior_of_the_words(
    inference, family, corpus, rates
):
    found = model(inference=inference, response=family, max_iter=3)
    found.fit(corpus.counts, response=rates)
    few = corpus.counts[:20]
    table = joint_table(found, few)
    weights = np.exp(table - np.logaddexp.reduce(table, axis=0))
    linear = states_of(4) @ found.response_coef_ + found.response_intercept_
    expected = weights.T @ (linear if family == "gaussian" else np.exp(linear))
    np.testing.assert_allclose(found.predict_response(few), expected, rtol=1e-3)


@pytest.mark.parametrize("family", ["gaussian", "poisson"])
def test_an_encoder_predicts_by_the_product_over_its_bits(family, corpus, rates):
    found = model(inference="gumbel-softmax", response=family, max_iter=3)
    found.fit(corpus.counts, response=rates)
    on, slopes = found.transform(corpus.counts[:20]).astype(float), found.response_coef_
    expected = on @ slopes + found.response_intercept_
    if family == "poisson":
        expected = np.exp(found.response_intercept_) * (1 + on * np.expm1(slopes)).prod(1)
    np.testing.assert_allclose(found.predict_response(corpus.counts[:20]), expected, rtol=1e-5)
    searched = found.predict_response(corpus.counts[:20], refine=3)
    assert not np.allclose(searched, expected)


def test_a_document_without_words_has_what_the_prior_expects(fitted, corpus):
    found = fitted["gumbel-softmax"]
    expected = found.prior_ @ found.response_coef_ + found.response_intercept_
    assert found.predict_response(0 * corpus.counts[:1])[0] == pytest.approx(expected, rel=1e-5)


def test_a_heavy_response_makes_the_factors_its_own():
    """Words that say nothing: with weight the factors follow the response, without they do not."""
    generator = np.random.default_rng(0)
    counts = generator.poisson(1.0, (200, 20))
    told = np.repeat([0.0, 1.0], 100)
    misses = {}
    for weight in (1, 100):
        found = model(1, inference="exact", response=f"gaussian:weight={weight}", max_iter=40)
        found.fit(counts, response=told)
        misses[weight] = abs(np.corrcoef(found.transform(counts)[:, 0], told)[0, 1])
    assert misses[100] > misses[1] + 0.1


def test_scores_are_of_the_words_alone(fitted, corpus):
    """``score`` is the log-probability of counts: it does not know of the responses."""
    found = fitted["exact"]
    expected = np.logaddexp.reduce(joint_table(found, corpus.counts[:30]), axis=0)
    np.testing.assert_allclose(found.score_samples(corpus.counts[:30]), expected, rtol=1e-4)
    assert set(found.held_out_) == {"exact"}


def test_training_without_a_response_is_as_it_was(corpus):
    """No response: the parts, their parameters and the random numbers are those of before."""
    plain = model(max_iter=2).fit(corpus.counts)
    again = model(max_iter=2, response="poisson").fit(corpus.counts)
    np.testing.assert_array_equal(plain.components_, again.components_)
    assert not [name for name in plain.objective_.state_dict() if "response" in name]


@pytest.mark.parametrize(
    "told",
    [
        lambda years: years.tolist(),
        lambda years: [None if np.isnan(year) else year for year in years],
        lambda years: pd.Series(years, index=np.arange(len(years))[::-1]),
        lambda years: pd.Series(years.round()).astype("Int64"),
        lambda years: years.astype(np.float32),
    ],
    ids=["list", "None", "Series", "Int64 with NA", "float32"],
)
def test_responses_come_in_every_form(told, corpus, years):
    rounded = years[0].round()
    expected = model(max_iter=1).fit(corpus.counts, response=rounded)
    found = model(max_iter=1).fit(corpus.counts, response=told(rounded))
    np.testing.assert_allclose(found.response_coef_, expected.response_coef_, rtol=1e-5)


MISTAKES = {
    "too few": (lambda years: years[:-1], r"for each of 400 documents, got shape \(399,\)"),
    "a table": (lambda years: years[:, None], r"got shape \(400, 1\)"),
    "a name": (lambda years: "year", r"got shape \(\)"),
    "a text": (lambda years: [*years[:-1], "soon"], "row 399: 'soon' is no finite number"),
    "infinity": (lambda years: [np.inf, *years[1:]], "row 0: inf is no finite number"),
    "nothing": (lambda years: years * np.nan, "unknown for all 400 documents"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_what_cannot_be_a_response_is_refused_in_a_line(name, corpus, years):
    made, said = MISTAKES[name]
    unfitted = model()
    with pytest.raises(InputError, match=said) as refused:
        unfitted.fit(corpus.counts, response=made(years[0]))
    assert "\n" not in str(refused.value)
    assert not hasattr(unfitted, "objective_")


def test_a_poisson_response_below_zero_is_refused_with_its_row(corpus, rates):
    told = rates.copy()
    told[7] = -2
    with pytest.raises(InputError, match="row 7: -2 is below 0, and a poisson response is 0"):
        model(response="poisson").fit(corpus.counts, response=told)


def test_a_model_of_words_alone_predicts_no_response(exact_model, corpus):
    with pytest.raises(ConfigurationError, match="fitted without a response"):
        exact_model.predict_response(corpus.counts)
    with pytest.raises(ConfigurationError, match="fitted without a response"):
        exact_model.response_coef_  # noqa: B018


def test_partial_fit_takes_responses_as_they_come(corpus, years):
    found = model(inference="truncated", max_iter=30)
    for _ in range(8):
        for part in (slice(0, 200), slice(200, 400)):
            found.partial_fit(corpus.counts[part], response=years[0][part])
    found.partial_fit(corpus.counts)  # nothing is known of these
    assert r2_score(years[1], found.predict_response(corpus.counts)) > 0.9


def test_a_model_begun_without_a_response_does_not_go_on_with_one(corpus, years):
    found = model(max_iter=1, warm_start=True).fit(corpus.counts)
    with pytest.raises(ConfigurationError, match="begun without a response"):
        found.fit(corpus.counts, response=years[0])
    with pytest.raises(ConfigurationError, match="begun without a response"):
        found.partial_fit(corpus.counts, response=years[0])


def test_a_warm_start_keeps_the_units(corpus, years):
    found = model(max_iter=1, warm_start=True).fit(corpus.counts, response=years[0])
    centre = found.objective_.joint.response.centre.item()
    found.fit(corpus.counts, response=years[0] + 50)
    assert found.objective_.joint.response.centre.item() == centre


def test_shrinkage_pulls_the_coefficients_too(corpus, years):
    little, much = (
        model(inference="exact", max_iter=10, shrinkage=strength).fit(
            corpus.counts, response=years[0]
        )
        for strength in (0.0, 300.0)
    )
    assert abs(much.response_coef_).max() < 0.7 * abs(little.response_coef_).max()


@pytest.mark.parametrize("family", ["gaussian:weight=2", "poisson"])
def test_a_saved_model_predicts_the_same(family, corpus, rates, tmp_path):
    found = model(response=family, max_iter=2).fit(corpus.counts, response=rates)
    save(found, tmp_path / "model")
    again = load(tmp_path / "model")
    np.testing.assert_array_equal(
        again.predict_response(corpus.counts), found.predict_response(corpus.counts)
    )
    assert again.response == family
    assert again.objective_.joint.response.weight == found.objective_.joint.response.weight


def test_a_constructor_of_ones_own_is_a_response(corpus, rates):
    class Halved(Gaussian):
        def log_prob(self, predictor, responses):
            return 0.5 * super().log_prob(predictor, responses)

        def changes(self, predictor, responses, steps):
            return 0.5 * super().changes(predictor, responses, steps)

    found = model(response=Halved, max_iter=2).fit(corpus.counts, response=rates)
    assert np.isfinite(found.predict_response(corpus.counts)).all()


def test_a_name_with_a_slip_is_corrected_before_anything_is_computed(corpus):
    with pytest.raises(ConfigurationError, match="did you mean 'poisson'"):
        model(response="poison").fit(corpus.counts)
    with pytest.raises(ConfigurationError, match="weight must be a number above 0"):
        model(response="poisson:weight=0").fit(corpus.counts, response=np.ones(400))


def test_a_pipeline_routes_the_response(corpus, years):
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline = Pipeline([("model", model(max_iter=1).set_fit_request(response=True))])
        routed = clone(pipeline).fit(corpus.counts, response=years[0])
    assert routed[-1]._responds()
    by_step = clone(pipeline).fit(corpus.counts, model__response=years[0])
    np.testing.assert_array_equal(by_step[-1].response_coef_, routed[-1].response_coef_)


def test_the_parameter_is_cloned_as_it_is():
    assert clone(BinaryFactorModel(response="poisson:weight=3")).response == "poisson:weight=3"


def test_rows_of_counts_keep_what_is_known_of_their_documents():
    known = np.array([1712.0, np.nan, 1698.0])
    counts = Observed(np.eye(3), covariates=np.eye(3, 2), responses=known)
    some = counts[np.array([2, 0])].astype(np.float32)
    np.testing.assert_array_equal(some.responses, [1698, 1712])
    np.testing.assert_array_equal(some.covariates, [[0, 0], [1, 0]])
    np.testing.assert_array_equal(stacked([some, counts[1]]).responses, [1698, 1712, np.nan])
    assert some.without_responses().responses is None
    np.testing.assert_array_equal(some.without_responses().covariates, some.covariates)


def test_responses_and_covariates_together(corpus, years):
    told, whole = years
    table = {"place": np.where(corpus.truth[:, 0] > 0, "mill", "hall")}
    fitted = model(inference="exact", max_iter=20)
    fitted.fit(corpus.counts, covariates=table, response=told)
    found = fitted.predict_response(corpus.counts, covariates=table)
    assert r2_score(whole, found) > 0.8
    empty = np.zeros((2, corpus.counts.shape[1]))
    mill, hall = fitted.predict_response(empty, covariates={"place": ["mill", "hall"]})
    assert mill > hall + 10
    with pytest.raises(InputError, match="fitted with covariates 'place'"):
        fitted.predict_response(corpus.counts)


def test_a_refit_whose_responses_are_refused_loses_nothing(corpus, years):
    fitted = model(max_iter=1).fit(corpus.counts, response=years[0])
    before = fitted.predict_response(corpus.counts)
    with pytest.raises(InputError, match="one number for each"):
        fitted.fit(corpus.counts[:, :5], response=[1.0])
    np.testing.assert_array_equal(fitted.predict_response(corpus.counts), before)
