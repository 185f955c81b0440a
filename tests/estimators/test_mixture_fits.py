"""What a fit leaves where it fails, is interrupted, or is stopped."""

import numpy as np
import pytest

from tests.estimators.test_mixture import corpus, model
from tests.estimators.test_semisupervised import hidden
from tests.estimators.test_semisupervised import model as classifier
from topicfactors import BinaryFactorModel, ConfigurationError, InputError
from topicfactors.training import em


@pytest.fixture(scope="module")
def counts():
    return corpus()[0]


def test_a_refit_that_is_refused_leaves_the_old_model(counts):
    truth = corpus()[1]
    made = model().fit(counts)
    before = made.predict_proba(counts)
    with pytest.raises(InputError, match="response"):
        made.fit(counts[:, :5], response=["x"] * 300)
    np.testing.assert_array_equal(made.predict_proba(counts), before)
    told = classifier().fit(counts, hidden(truth, 1))
    before = told.predict_proba(counts)
    with pytest.raises(InputError, match="requires y"):
        told.fit(counts[:, :5])
    with pytest.raises(ConfigurationError, match="class_prior"):
        told.set_params(class_prior=[0.5, 0.5]).fit(counts, hidden(truth, 1))
    np.testing.assert_array_equal(told.predict_proba(counts), before)
    factors = BinaryFactorModel(2, max_iter=1, device="cpu", n_jobs=1).fit(counts)
    with pytest.raises(ConfigurationError, match="device"):
        factors.set_params(device="nowhere").fit(counts[:, :5])
    assert factors.transform(counts).shape == (300, 2)


def test_ctrl_c_in_a_later_start_keeps_the_first(counts, monkeypatch):
    begin, starts = em.begin, []

    def second_fails(*given):
        starts.append(1)
        if len(starts) == 2:
            raise KeyboardInterrupt
        return begin(*given)

    monkeypatch.setattr(em, "begin", second_fails)
    made = model()
    with pytest.raises(KeyboardInterrupt):
        made.fit(counts)
    assert made.stopped_ == "interrupted"
    assert made.predict(counts).shape == (300,)


def test_every_start_of_the_gradient_is_a_fresh_one(counts):
    seen = []

    def note(event):
        if event.number == 1:
            seen.append(float(made.objective_.joint.likelihood.log_concentration.detach()))

    options = {"likelihood": "polya", "init": "random", "n_init": 3, "max_iter": 4}
    made = model(callbacks=[note], **options)
    made.fit(counts)
    assert max(seen) - min(seen) < 0.3  # one pass from the same place
    assert not made.converged_


def test_responses_may_say_more_than_words(counts):
    numbers = np.round(np.exp(np.random.default_rng(0).normal(10, 2, 300)))
    made = model(response="poisson").fit(counts, response=numbers)
    assert np.isfinite([epoch.perplexity for epoch in made.history_]).all()


def test_a_response_of_documents_that_are_held_out_is_none(counts, monkeypatch):
    told = np.full(300, np.nan)
    told[0] = 5.0
    order = np.random.default_rng(0).permutation(300)
    made = model(validation_fraction=0.5)
    monkeypatch.setattr(type(made), "_split", lambda self, counts, seed: (order[order > 0], [0]))
    with pytest.raises(InputError, match="only for documents that were held out"):
        made.fit(counts, response=told)


def test_a_callback_stops_a_classifier(counts):
    truth, calls = corpus()[1], []

    def stop(event):
        calls.append(event.number)
        raise StopIteration

    made = classifier(callbacks=[stop]).fit(counts, hidden(truth, 6))
    assert len(calls) == 2  # once in cross-validation, once in the fit
    assert made.n_iter_ == 1
    assert made.cross_validation_ == []


def test_the_gradient_holds_the_balance_too(counts):
    truth = corpus()[1]
    quick = {"discriminative_weight": 0, "unlabelled_weight": 0.3, "smoothing": 0.3}
    made = classifier(class_prior="balanced", inference="exact", calibrate=False, **quick)
    made.set_params(tempering="length", max_iter=6).fit(counts, hidden(truth, 3))
    np.testing.assert_allclose(made.prevalence_, 1 / 3, atol=0.06)


def test_all_labels_leave_nothing_to_weigh(counts):
    made = classifier().fit(counts, corpus()[1])
    assert {trial.setting.unlabelled_weight for trial in made.cross_validation_} == {0.3}
    assert 0.02 < made.temperature_ < 5
