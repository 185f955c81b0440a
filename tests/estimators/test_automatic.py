"""``n_components="auto"`` finds as many factors as a corpus was made from."""

import warnings

import numpy as np
import pytest
import torch

from tests.estimators.planted import matched, model, planted
from topicfactors import ConfigurationError, FitWarning, load, save
from topicfactors.estimators import parts
from topicfactors.estimators.automatic import AutomaticMixin, needed
from topicfactors.training.worth import Worth


def automatic(**options):
    return model("auto", **({"max_iter": None} | options))


@pytest.fixture(scope="module")
def five():
    corpus = planted(factors=5, documents=300, length=80, seed=1)
    return corpus, automatic().fit(corpus.counts)


@pytest.mark.parametrize(
    ("factors", "documents", "rate"),
    [
        pytest.param(12, 800, 0.2, marks=pytest.mark.slow),
        pytest.param(30, 1500, 0.1, marks=pytest.mark.slow),
    ],
)
def test_it_finds_the_factors_that_were_planted(factors, documents, rate):
    corpus = planted(factors, documents, length=80, rate=rate, seed=2)
    fitted = automatic().fit(corpus.counts)
    assert abs(fitted.n_components_ - factors) <= 2
    assert np.sort(matched(fitted.transform(corpus.counts), corpus.truth))[2:].min() > 0.8


def test_it_finds_five_factors(five):
    corpus, fitted = five
    assert abs(fitted.n_components_ - 5) <= 2
    assert matched(fitted.transform(corpus.counts), corpus.truth).min() > 0.9


def test_only_the_factors_that_were_kept_are_in_the_model(five):
    corpus, fitted = five
    found = fitted.n_components_
    assert fitted.n_components == "auto"
    assert fitted.components_.shape == (found, corpus.counts.shape[1])
    assert fitted.transform(corpus.counts).shape == (len(corpus.truth), found)
    assert len(fitted.get_feature_names_out()) == len(fitted.status_) == found
    assert "dead" not in fitted.status_
    assert fitted.tried_[0].begun == 8
    assert fitted.tried_[0].needed == found


def test_it_is_stored(five, tmp_path):
    corpus, fitted = five
    save(fitted, tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.n_components == "auto"
    assert again.tried_ == fitted.tried_
    np.testing.assert_array_equal(again.transform(corpus.counts), fitted.transform(corpus.counts))


def test_a_sampled_inference_can_be_used():
    corpus = planted(factors=3, documents=120, seed=2)
    fitted = model("auto", inference="gumbel-softmax", max_iter=20).fit(corpus.counts)
    found = fitted.transform(corpus.counts)
    assert found.shape[1] == fitted.n_components_
    assert 2 <= fitted.n_components_ <= 24
    assert matched(found, corpus.truth).mean() > 0.5


def test_training_goes_on_with_the_number_found(five):
    corpus, _ = five
    again = automatic(warm_start=True, max_iter=1)
    again.fit(corpus.counts[:50])
    found = again.n_components_
    again.fit(corpus.counts[:50]).partial_fit(corpus.counts[:50])
    assert again.n_components_ == found


def test_few_documents_have_few_factors():
    corpus = planted(factors=2, documents=15)
    with warnings.catch_warnings():
        warnings.simplefilter("error", FitWarning)
        fitted = automatic(max_iter=2).fit(corpus.counts)
    assert fitted.n_components_ <= 3


def test_the_most_is_kept_and_told_of():
    corpus = planted(factors=4, documents=100)
    with pytest.warns(FitWarning, match="the most it may try, 2 factors"):
        fitted = model("auto:most=2", max_iter=2).fit(corpus.counts)
    assert fitted.n_components_ <= 2


@pytest.mark.parametrize("value", ["auto:most=0", "auto:most=x", "auto:least=3", "automatic"])
def test_what_cannot_be_read_is_refused(value):
    with pytest.raises(ConfigurationError, match="'auto:most=200'"):
        model(value).fit(planted(documents=20).counts)


@pytest.mark.parametrize(
    ("options", "cure"),
    [
        ({"inference": "exact"}, "use inference='truncated'"),
        ({"decoder": "mlp"}, "use decoder='log-linear'"),
    ],
)
def test_parts_that_cannot_count_are_refused(options, cure):
    with pytest.raises(ConfigurationError, match=cure):
        automatic(**options).fit(planted(documents=20).counts)


def test_a_stream_cannot_say_how_many():
    with pytest.raises(ConfigurationError, match="call fit first"):
        automatic().partial_fit(planted(documents=20).counts)


def test_what_is_known_beside_the_words_is_fitted_too():
    corpus = planted(factors=3, documents=120)
    years = {"year": np.linspace(1700, 1800, 120)}
    ratings = corpus.truth @ [5.0, -3.0, 1.0]
    fitted = automatic(covariates="year").fit(corpus.counts, covariates=years, response=ratings)
    found = fitted.n_components_
    assert found < 8  # some were dropped, of the prior and of the response too
    assert fitted.response_coef_.shape == (found,)
    assert fitted.prevalence(years).shape == (120, found)
    predicted = fitted.predict_response(corpus.counts, covariates=years)
    assert np.corrcoef(predicted, ratings)[0, 1] > 0.9


def test_an_interrupted_search_leaves_the_best_so_far():
    epochs = []

    def stop(epoch):
        epochs.append(epoch)
        if len(epochs) == 3:
            raise KeyboardInterrupt

    corpus = planted(documents=100)
    fitted = automatic(callbacks=[stop])
    with pytest.raises(KeyboardInterrupt):
        fitted.fit(corpus.counts)
    assert fitted.transform(corpus.counts).shape == (100, 8)


@pytest.mark.parametrize("moment", ["2 begins", "1 begins", "1 drops"])
def test_an_interruption_between_two_trainings_leaves_one_that_is_whole(monkeypatch, moment):
    factors = 3 if moment.endswith("drops") else 12
    corpus = planted(factors, documents=300, length=80, seed=1)
    started, kept, number = parts.start, AutomaticMixin._keep, int(moment[0])
    begun = []

    def start(*arguments):
        begun.append(None)
        if len(begun) == number and moment.endswith("begins"):
            raise KeyboardInterrupt
        started(*arguments)

    def keep(self, factors):
        kept(self, factors[:3])
        raise KeyboardInterrupt

    monkeypatch.setattr(parts, "start", start)
    if moment.endswith("drops"):
        monkeypatch.setattr(AutomaticMixin, "_keep", keep)
    fitted = automatic(max_iter=10 if moment.endswith("drops") else 2)
    with pytest.raises(KeyboardInterrupt):
        fitted.fit(corpus.counts)
    assert hasattr(fitted, "objective_") == (number == 2)
    if number == 2:
        assert [tried.begun for tried in fitted.tried_] == [8]
        assert fitted.transform(corpus.counts).shape == (300, len(fitted.prevalence_))


def test_of_factors_that_are_alike_one_goes_at_a_time():
    net = torch.tensor([-2.0, -1.0, -3.0, 5.0])
    found = Worth(0.0, net, torch.zeros(4))
    apart = np.eye(4)
    np.testing.assert_array_equal(needed(found, apart), [False, False, False, True])
    apart[1] = apart[2]
    np.testing.assert_array_equal(needed(found, apart), [False, True, False, True])


def test_one_factor_is_kept_whatever_it_costs():
    found = Worth(0.0, torch.tensor([-2.0, -1.0]), torch.zeros(2))
    np.testing.assert_array_equal(needed(found, np.eye(2)), [False, True])
