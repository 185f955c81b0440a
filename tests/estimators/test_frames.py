"""gensim's habits, data frames, pyLDAvis."""

import sys

import numpy as np
import pandas
import pytest
import scipy.sparse

from tests.estimators.planted import model, planted
from tests.estimators.test_mixture import corpus
from topicfactors import (
    ConfigurationError,
    InputError,
    MixtureModel,
    SemiSupervisedClassifier,
)

CORPUS = planted(documents=200)
WORDS = [f"w{column:02}" for column in range(CORPUS.counts.shape[1])]


@pytest.fixture(scope="module")
def fitted():
    return model(max_iter=15).fit(CORPUS.counts, feature_names=WORDS)


def test_show_topics_lists_the_most_prevalent_first(fitted):
    shown = fitted.show_topics(2, 3, formatted=False)
    order = np.argsort(-fitted.prevalence_)
    assert [factor for factor, _ in shown] == order[:2].tolist()
    assert shown[0][1] == fitted.top_words(3)[order[0]]
    assert len(fitted.show_topics(-1)) == 4
    text = dict(fitted.show_topics(-1, 2))[0]
    (first, score), (second, _) = fitted.top_words(2)[0]
    assert text.startswith(f'{score:.3f}*"{first}" + ')
    assert text.endswith(f'*"{second}"')
    with pytest.raises(ConfigurationError, match="num_topics must be"):
        fitted.show_topics(-2)


def test_get_topics_are_distributions_under_every_likelihood(fitted):
    for found in (fitted, model(likelihood="bernoulli", max_iter=1).fit(CORPUS.counts)):
        topics = found.get_topics()
        assert topics.shape == (4, 48)
        assert topics.sum(1) == pytest.approx(np.ones(4), abs=1e-5)


def test_get_document_topics_agrees_with_transform(fitted):
    row = CORPUS.counts[0]
    bow = [(int(v), float(x)) for v, x in zip(row.indices, row.data, strict=True)]
    probabilities = fitted.transform(row)[0]
    found = fitted.get_document_topics(bow, minimum_probability=0.0)
    assert [factor for factor, _ in found] == [0, 1, 2, 3]
    assert [p for _, p in found] == pytest.approx(probabilities.tolist(), abs=1e-5)
    some = fitted.get_document_topics(bow, minimum_probability=0.5)
    assert [factor for factor, _ in some] == np.flatnonzero(probabilities >= 0.5).tolist()
    several = fitted.get_document_topics([bow, []], minimum_probability=0.0)
    assert len(several) == 2
    assert [p for _, p in several[0]] == pytest.approx([p for _, p in found])
    assert len(fitted.get_document_topics(CORPUS.counts[:3])) == 3


def test_topics_frame(fitted):
    frame = fitted.topics_frame(5)
    assert list(frame.columns) == [
        "factor",
        "prevalence",
        "prior",
        "status",
        "words",
        "suppressed",
    ]
    assert frame.words[1] == [word for word, _ in fitted.top_words(5)[1]]
    assert frame.prevalence.to_numpy() == pytest.approx(fitted.prevalence_)


def test_documents_frame_keeps_the_rows(fitted):
    ids = [f"doc-{row}" for row in range(200)]
    frame = fitted.documents_frame(CORPUS.counts, ids)
    assert frame.index.tolist() == ids
    found = fitted.transform(CORPUS.counts)
    assert frame[[f"factor_{d}" for d in range(4)]].to_numpy() == pytest.approx(found)
    assert frame.strongest.tolist() == found.argmax(1).tolist()
    assert frame.on.iloc[0] == np.flatnonzero(found[0] > 0.5).tolist()
    with pytest.raises(InputError, match="ids must name each of the 200 rows"):
        fitted.documents_frame(CORPUS.counts, ids[:3])


def test_frames_say_what_is_missing(fitted, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ConfigurationError, match="pip install pandas"):
        fitted.topics_frame()


def test_pyldavis_takes_what_is_prepared(fitted):
    import pyLDAvis

    empty = scipy.sparse.vstack([CORPUS.counts, CORPUS.counts[:1] * 0]).tocsr()
    prepared = pyLDAvis.prepare(**fitted.prepare_ldavis(empty), n_jobs=1, sort_topics=False)
    assert len(prepared.topic_coordinates) == 4
    assert set(prepared.topic_info.Term) <= set(WORDS)
    with pytest.raises(InputError, match="no document with words"):
        fitted.prepare_ldavis(empty[200:])


def test_representative_documents_have_the_factor_on(fitted):
    listed = fitted.representative_documents(CORPUS.counts, 4)
    found = fitted.transform(CORPUS.counts)
    assert [len(rows) for rows in listed] == [4, 4, 4, 4]
    for factor, rows in enumerate(listed):
        for row, probability in rows:
            assert probability == pytest.approx(found[row, factor])
            assert probability > 0.5
    with pytest.raises(ConfigurationError, match="n must be"):
        fitted.representative_documents(CORPUS.counts, 0)


def test_suppressed_words_are_those_that_make_the_factor_less_likely(fitted):
    """The words of the other blocks, not the factor's own eight."""
    top, low = fitted.top_words(8), fitted.suppressed_words(8)
    for own, against in zip(top, low, strict=True):
        assert not {word for word, _ in own} & {word for word, _ in against}
        assert all(score > 0 for _, score in against)
        assert [score for _, score in against] == sorted((s for _, s in against), reverse=True)


def test_frames_are_made_of_plain_columns(fitted):
    assert isinstance(fitted.documents_frame(CORPUS.counts[:2]), pandas.DataFrame)


COUNTS, TRUTH, _ = corpus(120)
NAMES = np.array(["air", "earth", "fire"])[TRUTH].tolist()
OWN = {"device": "cpu", "n_jobs": 1, "random_state": 0}


@pytest.fixture(scope="module")
def mixture():
    return MixtureModel(3, **OWN).fit(COUNTS)


@pytest.fixture(scope="module")
def classifier():
    """Two components in each of three classes."""
    labels = [name if row < 30 else None for row, name in enumerate(NAMES)]
    options = {"components_per_class": 2, "calibrate": False, "smoothing": 0.3}
    return SemiSupervisedClassifier(**options, **OWN).fit(COUNTS, labels)


class TestMixtures:
    def test_topics_are_components_and_share_out_a_document(self, mixture):
        shown = mixture.show_topics(-1, 3, formatted=False)
        assert [number for number, _ in shown] == np.argsort(-mixture.prevalence_).tolist()
        assert shown[0][1] == mixture.top_words(3)[shown[0][0]]
        assert mixture.get_topics() == pytest.approx(np.exp(mixture.components_), abs=1e-6)
        listed = mixture.get_document_topics(COUNTS[:2], minimum_probability=0.0)
        assert [p for _, p in listed[1]] == pytest.approx(mixture.predict_proba(COUNTS[1])[0])
        assert sum(p for _, p in listed[0]) == pytest.approx(1)

    def test_topics_frame(self, mixture):
        frame = mixture.topics_frame(4)
        assert list(frame.columns) == [
            *("component", "prevalence", "weight", "status", "words", "suppressed")
        ]
        assert frame.component.tolist() == [0, 1, 2]
        assert frame.weight.to_numpy() == pytest.approx(mixture.weights_)
        assert frame.words[2] == [word for word, _ in mixture.top_words(4)[2]]

    def test_documents_frame(self, mixture):
        ids = [f"doc-{row}" for row in range(120)]
        frame = mixture.documents_frame(COUNTS, ids)
        assert list(frame.columns) == ["component", "component_0", "component_1", "component_2"]
        assert frame.index.tolist() == ids
        assert frame.component.tolist() == mixture.predict(COUNTS).tolist()
        assert frame.iloc[:, 1:].to_numpy() == pytest.approx(mixture.predict_proba(COUNTS))
        with pytest.raises(InputError, match="ids must name each of the 120 rows"):
            mixture.documents_frame(COUNTS, ids[:3])

    def test_covariates_reach_every_listing(self):
        year = {"year": np.where(TRUTH == 0, 0.0, 30.0)}
        made = MixtureModel(3, max_iter=20, **OWN).fit(COUNTS, covariates=year)
        expected = made.predict_proba(COUNTS, covariates=year)
        frame = made.documents_frame(COUNTS, covariates=year)
        assert frame.iloc[:, 1:].to_numpy() == pytest.approx(expected)
        topics = made.get_document_topics(COUNTS[:1], 0.0, covariates={"year": year["year"][:1]})
        assert [p for _, p in topics[0]] == pytest.approx(expected[0])
        drawn = made.prepare_ldavis(COUNTS, covariates=year)["doc_topic_dists"]
        assert drawn == pytest.approx(expected, abs=1e-9)
        rows = made.representative_documents(COUNTS, 2, covariates=year)
        for component, listed in enumerate(rows):
            for row, probability in listed:
                assert probability == pytest.approx(expected[row, component])
        again = MixtureModel(3, max_iter=20, **OWN).fit_transform(COUNTS, covariates=year)
        assert again == pytest.approx(expected)
        with pytest.raises(InputError, match="covariates"):
            made.documents_frame(COUNTS)


class TestClassifiers:
    def test_topics_are_classes_by_name(self, classifier):
        shown = classifier.show_topics(-1, 3, formatted=False)
        assert sorted(name for name, _ in shown) == ["air", "earth", "fire"]
        assert dict(shown) == classifier.top_words_of_classes(3)
        topics = classifier.get_topics()
        assert topics.shape == (3, 30)
        weights = classifier.weights_[:2] / classifier.weights_[:2].sum()
        assert topics[0] == pytest.approx(weights @ np.exp(classifier.components_[:2]), abs=1e-6)
        listed = dict(classifier.get_document_topics(COUNTS[:1], 0.0)[0])
        expected = classifier.predict_proba(COUNTS[:1])[0].tolist()
        assert listed == pytest.approx(dict(zip(["air", "earth", "fire"], expected, strict=True)))

    def test_topics_frame_has_the_components_of_each_class(self, classifier):
        frame = classifier.topics_frame(4)
        assert frame.component.tolist() == classifier.factor_names_
        assert frame["class"].tolist() == ["air", "air", "earth", "earth", "fire", "fire"]
        assert frame.words[3] == [word for word, _ in classifier.top_words(4)[3]]

    def test_documents_frame(self, classifier):
        frame = classifier.documents_frame(COUNTS)
        assert list(frame.columns) == ["predicted", "class_air", "class_earth", "class_fire"]
        assert frame.predicted.tolist() == classifier.predict(COUNTS).tolist()
        assert frame.iloc[:, 1:].to_numpy() == pytest.approx(classifier.predict_proba(COUNTS))

    def test_representative_documents_are_of_their_class(self, classifier):
        listed = classifier.representative_documents(COUNTS, 5)
        assert [len(rows) for rows in listed] == [5, 5, 5]
        for name, rows in zip(classifier.classes_, listed, strict=True):
            assert [NAMES[row] for row, _ in rows] == [name] * 5

    def test_no_search_to_refine(self, mixture, classifier):
        for made in (mixture, classifier):
            with pytest.raises(TypeError, match="refine"):
                made.documents_frame(COUNTS, refine=3)


@pytest.mark.parametrize("name", ["mixture", "classifier"])
def test_pyldavis_takes_components_and_classes(name, request):
    import pyLDAvis

    prepared = request.getfixturevalue(name).prepare_ldavis(COUNTS)
    drawn = pyLDAvis.prepare(**prepared, n_jobs=1, sort_topics=False)
    assert len(drawn.topic_coordinates) == 3
