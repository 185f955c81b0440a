"""Pipelines, searches, clones, pickles and data frames."""

import pickle

import gensim
import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from tests.estimators.planted import model
from topicfactors import BinaryFactorModel, DocumentVectorizer, InputError

TEXTS = [
    "the steam engine moves the heavy train",
    "a train of wagons behind the steam engine",
    "violin and cello play a quiet sonata",
    "the cello answers the violin in the sonata",
] * 8


@pytest.fixture(scope="module")
def pipeline():
    steps = DocumentVectorizer(), model(2, max_iter=30)
    return make_pipeline(*steps).fit(TEXTS)


def test_words_come_through_a_pipeline(pipeline):
    vectorizer, fitted = pipeline
    assert fitted.feature_names_in_.tolist() == vectorizer.get_feature_names_out().tolist()
    lists = [{word for word, _ in listed} for listed in fitted.top_words(3)]
    assert {"violin", "cello", "sonata"} in lists or {"steam", "engine", "train"} in lists
    found = pipeline.transform(TEXTS)
    assert found.shape == (32, 2)
    np.testing.assert_allclose(found[:4], found[4:8], atol=1e-6)


def test_names_of_the_factors(pipeline):
    names = ["binaryfactormodel0", "binaryfactormodel1"]
    assert pipeline[-1].get_feature_names_out().tolist() == names
    assert pipeline.get_feature_names_out().tolist() == names


def test_pandas_output(pipeline):
    other = clone(pipeline)
    other[-1].set_output(transform="pandas")
    frame = other.fit_transform(TEXTS)
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns) == ["binaryfactormodel0", "binaryfactormodel1"]
    np.testing.assert_array_equal(frame.to_numpy(), pipeline.transform(TEXTS))
    assert isinstance(other.predict(TEXTS), np.ndarray)
    words = other[-1].inverse_transform(frame)
    np.testing.assert_allclose(words.sum(1), 1, atol=1e-5)


def test_a_search_scores_by_the_bound(corpus):
    search = GridSearchCV(model(max_iter=15, inference="exact"), {"n_components": [1, 4]}, cv=2)
    search.fit(corpus.counts[:200])
    assert search.best_params_ == {"n_components": 4}
    assert search.best_score_ == pytest.approx(search.cv_results_["mean_test_score"].max())


@pytest.mark.parametrize("how", ["pickle", "joblib"])
def test_round_trip(how, tmp_path, relaxed_model, corpus):
    if how == "pickle":
        again = pickle.loads(pickle.dumps(relaxed_model))
    else:
        joblib.dump(relaxed_model, tmp_path / "model.joblib")
        again = joblib.load(tmp_path / "model.joblib")
    some = corpus.counts[:20]
    np.testing.assert_array_equal(again.transform(some), relaxed_model.transform(some))
    np.testing.assert_array_equal(again.score_samples(some), relaxed_model.score_samples(some))
    assert again.history_ == relaxed_model.history_


def test_a_pickled_model_goes_on_as_the_original_does(corpus):
    first = model(inference="gumbel-softmax").partial_fit(corpus.counts)
    again = pickle.loads(pickle.dumps(first))
    first.partial_fit(corpus.counts)
    again.partial_fit(corpus.counts)
    np.testing.assert_array_equal(first.components_, again.components_)


def test_a_clone_has_the_parameters_and_nothing_learnt(relaxed_model, corpus):
    copy = clone(relaxed_model)
    assert copy.get_params() == relaxed_model.get_params()
    assert not [name for name in vars(copy) if name.endswith("_")]


def test_nothing_is_read_before_fit():
    bare = BinaryFactorModel()
    for name in ("components_", "intercept_", "prior_", "topic_word_"):
        with pytest.raises(AttributeError, match="not fitted"):
            getattr(bare, name)
    for call in (bare.top_words, bare.factors, bare.diversity, bare.get_feature_names_out):
        with pytest.raises(AttributeError, match="not fitted"):
            call()


def test_inverse_transform_refuses_another_number_of_factors(relaxed_model):
    with pytest.raises(InputError, match=r"each of the 4 factors, got shape \(2, 3\)"):
        relaxed_model.inverse_transform(np.zeros((2, 3)))


def test_a_gensim_corpus_goes_in_as_it_is():
    """Dictionary and bags of words; one document without words stays a row."""
    dictionary = gensim.corpora.Dictionary(text.split() for text in TEXTS)
    bags = [dictionary.doc2bow(text.split()) for text in TEXTS] + [[]]
    fitted = model(2, max_iter=3).fit(bags, id2word=dictionary)
    assert fitted.feature_names_in_.tolist() == [dictionary[n] for n in range(len(dictionary))]
    assert fitted.transform(bags).shape == (len(bags), 2)
    one = fitted.get_document_topics(bags[0], minimum_probability=0.0)
    assert [p for _, p in one] == pytest.approx(fitted.transform(bags[:1])[0].tolist())
    other = clone(fitted).partial_fit(bags, id2word=dictionary)
    assert other.feature_names_in_.tolist() == fitted.feature_names_in_.tolist()


def test_a_dictionary_belongs_to_bags_of_words(corpus):
    with pytest.raises(InputError, match="id2word names the words of a bag-of-words corpus"):
        model(2).fit(corpus.counts, id2word={0: "a"})
    fitted = model(2, max_iter=1).fit([[(0, 1), (1, 2)], [(1, 1)]] * 4)
    with pytest.raises(InputError, match="row 0"):
        fitted.transform([[(5, 1)]])


def test_a_generator_of_bags_is_refused_with_the_cure():
    with pytest.raises(InputError, match="got a generator; put it into a list"):
        model(2).fit(bag for bag in [[(0, 1)]])
