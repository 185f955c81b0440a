"""Several runs: the one most like the others is kept, and what did not come back is marked."""

import warnings

import numpy as np
import pytest

from tests.estimators.planted import matched, model, planted
from topicfactors import ConfigurationError, FitWarning, load, save
from topicfactors.estimators.consensus import MATCHED, matched_rows, run_seed
from topicfactors.insight.matching import lost

RUNS = 3


def several(factors=5, **options):
    return model(factors, **({"n_runs": RUNS, "max_iter": 8} | options))


@pytest.fixture(scope="module")
def corpus():
    return planted(factors=4, documents=200)


def unsteady(counts, factors, seed):
    """Every run begins with the four factors of the corpus and another fifth one."""
    loadings = np.zeros((factors, counts.shape[1]))
    loadings[:4] = planted(factors=4, documents=1).loadings
    words = np.random.default_rng(seed).choice(np.arange(32, 48), 4, replace=False)
    loadings[4, words] = 2.5
    return loadings


@pytest.fixture(scope="module")
def fitted(corpus):
    return several(init=unsteady, max_iter=4).fit(corpus.counts)


def test_the_factor_that_is_in_no_other_run_is_marked(corpus, fitted):
    found = fitted.transform(corpus.counts)
    assert matched(found, corpus.truth).min() > 0.9
    table = np.corrcoef(found.T, corpus.truth.T)[:5, 5:]
    planted_ones = table.max(1) > 0.9
    assert planted_ones.sum() == 4
    assert (fitted.came_back_[planted_ones] == 1).all()
    assert fitted.agreement_[planted_ones].min() > 0.9
    assert lost(fitted.came_back_).tolist() == np.flatnonzero(~planted_ones).tolist()
    assert fitted.agreement_[~planted_ones].max() < 0.5


def test_the_model_is_one_of_the_runs(corpus, fitted):
    told = fitted.consensus_
    assert told.seeds == [0, 1, 2]
    assert told.agreements[told.chosen] == max(told.agreements)
    assert told.chance < 0.3 < told.agreement < 1
    seed = told.seeds[told.chosen]
    alone = several(n_runs=1, random_state=seed, init=unsteady, max_iter=4).fit(corpus.counts)
    np.testing.assert_array_equal(alone.components_, fitted.components_)
    assert not hasattr(alone, "agreement_")
    assert fitted.n_runs == RUNS
    assert fitted.random_state == 0


def test_it_is_stored_and_listed(corpus, tmp_path):
    fitted = several(max_iter=2).fit(corpus.counts)
    save(fitted, tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.consensus_ == fitted.consensus_
    np.testing.assert_array_equal(again.came_back_, fitted.came_back_)
    np.testing.assert_array_equal(again.agreement_, fitted.agreement_)
    assert again.topics_frame()["came_back"].tolist() == fitted.came_back_.tolist()


def test_one_run_says_nothing_of_agreement(corpus, fitted, tmp_path):
    once = several(n_runs=1, max_iter=2).fit(corpus.counts)
    once.n_runs = 2
    once.fit(corpus.counts)
    assert hasattr(once, "consensus_")
    once.set_params(n_runs=1).fit(corpus.counts)
    assert not hasattr(once, "consensus_")
    assert "came_back" not in once.topics_frame()
    save(once, tmp_path / "model")
    assert not hasattr(load(tmp_path / "model"), "agreement_")


def test_the_number_of_factors_may_differ_between_runs(corpus):
    with pytest.warns(FitWarning, match="the most it may try") as heard:
        found = several("auto:most=8", n_runs=2, max_iter=4).fit(corpus.counts)
    assert len(heard) <= 2
    assert found.agreement_.shape == found.prevalence_.shape == (found.n_components_,)
    assert found.tried_


def test_nothing_is_left_of_the_model_before(corpus):
    found = several(5, n_runs=1, max_iter=2).partial_fit(corpus.counts)
    found = found.drop(0, corpus.counts).partial_fit(corpus.counts)
    found.set_params(n_components=3, n_runs=2).fit(corpus.counts)
    assert not hasattr(found, "edits_")
    found.set_params(n_runs=1).partial_fit(corpus.counts)
    assert found.prevalence_.shape == (3,)


def test_what_was_tried_is_forgotten_where_a_number_is_given(corpus):
    with pytest.warns(FitWarning, match="the most it may try"):
        found = several("auto:most=8", n_runs=1, max_iter=2).fit(corpus.counts)
    assert found.tried_
    assert not hasattr(found.set_params(n_components=3).fit(corpus.counts), "tried_")


def test_it_reads_what_is_known_beside_the_words(corpus):
    years = {"year": np.linspace(1700, 1800, 200)}
    ratings = corpus.truth @ [5.0, -3.0, 1.0, 0.0]
    found = several(4, n_runs=2, max_iter=3).fit(corpus.counts, covariates=years, response=ratings)
    assert found.came_back_.shape == found.response_coef_.shape == (4,)


@pytest.mark.parametrize(("epoch", "runs"), [(2, 0), (4, 0), (9, 2)])
def test_an_interruption_keeps_the_runs_that_were_finished(corpus, epoch, runs):
    """Of three passes each; an interrupted first run is a model, of a later one nothing is kept."""
    heard = []

    def stop(event):
        heard.append(event)
        if len(heard) == epoch:
            raise KeyboardInterrupt

    found = several(max_iter=3, callbacks=[stop])
    with pytest.raises(KeyboardInterrupt):
        found.fit(corpus.counts)
    assert found.transform(corpus.counts).shape == (200, 5)
    assert len(getattr(found, "consensus_", [[]])[0]) == runs
    assert found.stopped_ == ("interrupted" if epoch == 2 else "")


def test_a_warning_of_every_run_is_given_once():
    counts = planted(factors=2, documents=6).counts
    with pytest.warns(FitWarning, match="more factors than documents") as heard:
        several(8, max_iter=1).fit(counts)
    assert len(heard) == 1


def test_only_one_run_goes_on(corpus, fitted):
    with pytest.raises(ConfigurationError, match=r"partial_fit makes one run, got n_runs=3"):
        fitted.partial_fit(corpus.counts)
    with pytest.raises(ConfigurationError, match=r"partial_fit makes one run, got n_runs=3"):
        several().partial_fit(corpus.counts)
    going_on = several(n_runs=2, max_iter=2, warm_start=True).fit(corpus.counts)
    with pytest.raises(ConfigurationError, match=r"warm_start=True makes one run"):
        going_on.fit(corpus.counts)
    assert hasattr(going_on, "consensus_")
    going_on.set_params(n_runs=1).partial_fit(corpus.counts)
    assert not hasattr(going_on, "consensus_")


@pytest.mark.parametrize("value", [0, 1.5, "two", None])
def test_numbers_of_runs_that_make_no_sense(corpus, value):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ConfigurationError, match="n_runs must be a whole number of 1 or more"):
            several(n_runs=value).fit(corpus.counts)


def test_factors_are_matched_by_the_same_documents():
    assert matched_rows(5).tolist() == [0, 1, 2, 3, 4]
    assert len(set(matched_rows(10 * MATCHED))) == MATCHED
    assert run_seed(2**32 - 1, 0, 1) == 0
    assert run_seed(None, 5, 1) == 6
