"""The classifier from few labels: what it reads as labels, what it learns, what it tells."""

import numpy as np
import pandas
import pytest
import scipy.sparse
from scipy.special import logsumexp

from tests.estimators.test_mixture import corpus
from topicfactors import ConfigurationError, InputError, SemiSupervisedClassifier
from topicfactors.estimators.advising import likeness
from topicfactors.estimators.class_learning import Setting
from topicfactors.estimators.labels import read_labels
from topicfactors.model.initial import clustered
from topicfactors.model.likelihoods import LIKELIHOODS


def model(**options):
    return SemiSupervisedClassifier(**({"device": "cpu", "n_jobs": 1, "random_state": 0} | options))


def hidden(truth, each, seed=0):
    """So many labels of each class, the others −1."""
    generator = np.random.default_rng(seed)
    labels = np.full(len(truth), -1)
    for label in np.unique(truth):
        rows = generator.choice(np.flatnonzero(truth == label), each, replace=False)
        labels[rows] = label
    return labels


@pytest.fixture(scope="module")
def planted():
    return corpus(400, 12)


@pytest.fixture(scope="module")
def fitted(planted):
    counts, truth, _ = planted
    return model().fit(counts, hidden(truth, 8))


def accuracy(made, counts, truth, labels):
    rows = np.flatnonzero(labels < 0)
    return (made.predict(counts[rows]) == truth[rows]).mean()


def test_documents_without_a_label_teach(planted):
    counts, truth, _ = planted
    labels = hidden(truth, 1, seed=4)
    some = np.flatnonzero(labels >= 0)
    alone = model().fit(counts[some], labels[some])
    both = model().fit(counts, labels)
    assert accuracy(both, counts, truth, labels) > 0.9
    assert accuracy(both, counts, truth, labels) > accuracy(alone, counts, truth, labels) + 0.05


def test_labels_of_every_kind_say_the_same(planted):
    counts, truth, _ = planted
    labels = hidden(truth, 2)
    whole = model().fit(counts, labels)
    names = np.array(["air", "earth", "fire"])
    texts = [None if label < 0 else str(names[label]) for label in labels]
    for given in (texts, np.array(texts, object), pandas.Series(texts)):
        named = model().fit(counts, given)
        assert named.classes_.tolist() == names.tolist()
        assert (named.predict(counts) == names[whole.predict(counts)]).all()
    halves = np.where(labels < 0, np.nan, labels)
    assert (model().fit(counts, halves).predict(counts) == whole.predict(counts)).all()
    assert whole.score(counts, truth) == (whole.predict(counts) == truth).mean()


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (None, "requires y to be passed"),
        ([-1, -1, -1], "y has no label"),
        ([0, 0, -1], "one class"),
        ([0, 1], "one label for each of the 3 rows"),
        (["a", 1, None], "mixes labels"),
        ([[0, 1], [1, 0], [0, 0]], "one label for each"),
    ],
)
def test_labels_that_cannot_be_used(labels, said):
    with pytest.raises(InputError, match=said):
        read_labels(labels, 3)


def test_a_class_that_fit_has_not_seen_is_refused(planted, fitted):
    counts = planted[0]
    with pytest.raises(InputError, match="the class 7, which fit has not seen"):
        fitted.calibration(counts[:2], [0, 7])


def test_without_discrimination_the_generative_posterior_answers(planted):
    counts, truth, _ = planted
    made = model(discriminative_weight=0, calibrate=False).fit(counts, hidden(truth, 2))
    evidence = made._evidence(made._observed(counts)).toarray()
    joint = evidence @ made.components_.T.astype(float) + np.log(made.weights_)
    expected = joint - logsumexp(joint, axis=1, keepdims=True)
    np.testing.assert_allclose(made.predict_log_proba(counts), expected, atol=1e-3)


@pytest.mark.parametrize(
    ("options", "tried"),
    [({}, set(range(4))), ({"smoothing": 0.3, "tempering": "length", "calibrate": False}, {0, 1})],
)
def test_auto_is_decided_on_labels_that_are_hidden(planted, options, tried):
    counts, truth, _ = planted
    made = model(**options).fit(counts, hidden(truth, 6))
    first, *others = made.cross_validation_
    moved = {
        place
        for trial in others
        for place, (a, b) in enumerate(zip(trial.setting, first.setting, strict=True))
        if a != b
    }
    order = ["unlabelled_weight", "discriminative_weight", "smoothing", "tempering"]
    assert {place for place in moved if order[place] not in options} == tried
    assert not any(order[place] in options for place in moved)
    assert max(t.accuracy for t in made.cross_validation_) > 0.8
    few = model().fit(counts, hidden(truth, 4))
    assert [trial.setting for trial in few.cross_validation_] == [Setting()]
    assert model().fit(counts, hidden(truth, 1)).cross_validation_ == []
    for name, value in options.items():
        if name in made.chosen_:
            assert made.chosen_[name] == value


def test_probabilities_are_true_or_nearly(planted, fitted):
    counts, truth, _ = planted
    found = fitted.calibration(counts, truth)
    assert sum(found.documents) == 400
    assert found.expected_calibration_error < 0.12
    assert fitted.reliability_.expected_calibration_error < 0.2
    raw = model(calibrate=False).fit(counts, hidden(truth, 8)).calibration(counts, truth)
    assert found.expected_calibration_error < raw.expected_calibration_error


def test_the_prior_is_what_was_asked_for(planted):
    counts, truth, _ = planted
    labels = hidden(truth, 4)
    labels[np.flatnonzero(truth == 0)[:40]] = 0
    shares = np.bincount(labels[labels >= 0]) / (labels >= 0).sum()
    quick = {"calibrate": False, "smoothing": 0.3, "unlabelled_weight": 0.3, "tempering": "unit"}
    quick["discriminative_weight"] = 0
    fixed = model(class_prior="labelled", **quick).fit(counts, labels)
    np.testing.assert_allclose(fixed.weights_, shares, rtol=1e-5)
    given = model(class_prior=[0.2, 0.3, 0.5], **quick).fit(counts, labels)
    np.testing.assert_allclose(given.weights_, [0.2, 0.3, 0.5], rtol=1e-5)
    uniform = model(class_prior="uniform", **quick).fit(counts, labels)
    np.testing.assert_allclose(uniform.weights_, 1 / 3, rtol=1e-5)
    assert model(**quick).fit(counts, hidden(truth, 1)).class_prior_ == "balanced"
    assert model(**quick).fit(counts, hidden(truth, 5)).class_prior_ == "labelled"
    balanced = model(class_prior="balanced", max_iter=60, **quick).fit(counts, labels)
    np.testing.assert_allclose(balanced.predict_proba(counts).mean(0), shares, atol=0.03)
    with pytest.raises(ConfigurationError, match="class_prior must have a probability"):
        model(class_prior=[0.5, 0.5], **quick).fit(counts, labels)
    with pytest.raises(ConfigurationError, match="did you mean 'uniform'"):
        model(class_prior="unifrom", **quick).fit(counts, labels)


def test_several_components_a_class(planted):
    counts, truth, _ = planted
    classes = np.where(truth == 2, 1, truth)  # one class of two clusters
    labels = hidden(classes, 10)
    made = model(components_per_class=2, calibrate=False, tempering="length").fit(counts, labels)
    assert made.components_.shape == (4, 30)
    assert made.class_of_component_.tolist() == [0, 0, 1, 1]
    assert made.factor_names_ == ["0.0", "0.1", "1.0", "1.1"]
    words = [{int(word) // 10 for word, _ in listed} for listed in made.top_words(4)]
    assert words[2] != words[3]
    assert words[2] | words[3] == {1, 2}
    both = {int(word) // 10 for word, _ in made.top_words_of_classes(12)[1]}
    assert both == {1, 2}
    assert accuracy(made, counts, classes, labels) > 0.9


@pytest.mark.parametrize("likelihood", list(LIKELIHOODS))
def test_every_likelihood(planted, likelihood):
    counts, truth, _ = planted
    labels = hidden(truth, 10)
    made = model(likelihood=likelihood, calibrate=False, max_iter=10, smoothing=0.3)
    made.set_params(unlabelled_weight=0.3, discriminative_weight=1.0).fit(counts, labels)
    assert accuracy(made, counts, truth, labels) > 0.85
    assert str(made.tempering_).startswith("none" if likelihood == "bernoulli" else "unit")


def test_factors_are_shared_by_the_classes():
    """Words of a factor come in all classes; a model that knows it is not misled by them."""
    generator = np.random.default_rng(0)
    counts, truth, _ = corpus(400, 15, seed=1)
    on = generator.random(400) < 0.4
    extra = generator.poisson(np.where(on[:, None], 2.0, 0.05), (400, 6))
    both = scipy.sparse.csr_matrix(np.hstack([counts.toarray(), extra]))
    labels = hidden(truth, 10)
    made = model(n_factors=1, tempering="none", max_iter=40, calibrate=False, smoothing=0.1)
    made.set_params(unlabelled_weight=1.0, discriminative_weight=0).fit(both, labels)
    loadings = made.objective_.joint.decoder.loadings()[0].numpy()
    gap = abs(loadings[30:].mean() - loadings[:30].mean())
    assert gap > 5 * loadings[:30].std() / np.sqrt(30)
    assert accuracy(made, both, truth, labels) > 0.9
    assert made.inference_ == "exact"
    words = {int(word) for word, _ in made.top_words_of_factors(6)[0]}
    turned = loadings[30:].mean() < loadings[:30].mean()  # then it is on where they are not
    assert len(words & set(range(30, 36))) == (0 if turned else 6)
    assert made.evaluate(both).bound == "exact"
    with pytest.raises(ConfigurationError, match="no factors of its own"):
        model(calibrate=False).fit(counts, hidden(truth, 1)).top_words_of_factors()


def test_what_to_label_next(planted, fitted):
    counts, truth, _ = planted
    rows = np.flatnonzero(hidden(truth, 8) < 0)
    proba = np.sort(fitted.predict_proba(counts[rows]), axis=1)
    margins = proba[:, -1] - proba[:, -2]
    plain = fitted.most_informative(counts[rows], 5, strategy="margin")
    assert margins[plain].max() <= np.sort(margins)[4] + 1e-12
    asked = fitted.most_informative(counts[rows], 5)
    assert len(set(asked.tolist())) == 5
    groups = clustered(counts[rows], 5, 0)
    assert len(set(groups[asked].tolist())) == 5
    near = likeness(fitted._evidence(fitted._observed(counts[rows])), groups)
    worth = near * np.sqrt(1 - margins)
    assert worth[asked].mean() > worth.mean()
    with pytest.raises(ConfigurationError, match="did you mean 'margin'"):
        fitted.most_informative(counts, 5, strategy="margins")
    with pytest.raises(InputError, match="fewer than n=3"):
        fitted.most_informative(counts[:2], 3)


@pytest.mark.parametrize("alpha", ["auto", 0])
def test_explanations_add_up_to_what_predict_compares(planted, alpha):
    counts, truth, _ = planted
    made = model(discriminative_weight=alpha).fit(counts, hidden(truth, 6))
    logs = made.predict_log_proba(counts[:5])
    for row, found in enumerate(made.explain(counts[:5])):
        best = found.factors[0]
        first, second = np.sort(logs[row])[::-1][:2]
        assert best.log_odds == pytest.approx(first - second, abs=1e-6)
        parts = best.prior + best.rest + sum(word.nats for word in best.words)
        assert parts == pytest.approx(best.log_odds, abs=1e-9)
        assert best.factor == str(made.classes_[logs[row].argmax()])
        assert f"most probable class: {best.factor}" in str(found)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"inference": "nvil"}, "is for factors, and n_factors=0 has none"),
        ({"n_factors": 2, "inference": "truncated"}, "not for every class"),
        ({"n_factors": 20, "inference": "exact"}, "use inference='gumbel-softmax'"),
        ({"components_per_class": 0}, "components_per_class must be"),
        ({"unlabelled_weight": -1}, "unlabelled_weight must be"),
        ({"calibrate": "yes"}, "calibrate must be True or False"),
    ],
)
def test_what_cannot_be_is_refused(planted, options, said):
    counts, truth, _ = planted
    with pytest.raises(ConfigurationError, match=said):
        model(**options).fit(counts, hidden(truth, 2))
