"""What gensim's own code makes of our topics."""

import numpy as np
import pytest
import scipy.sparse

from tests.estimators.planted import model
from topicfactors import ConfigurationError, InputError, MixtureModel, SemiSupervisedClassifier

THEMES = ("steam engine piston boiler", "comet star orbit moon", "bread flour oven dough")
TEXTS = [f"{THEMES[n % 3]} {THEMES[n % 3]} {THEMES[(n // 3) % 3]}".split() for n in range(36)]


@pytest.fixture(scope="module")
def known():
    """Counts, and the dictionary that gensim makes of the same texts."""
    from gensim.corpora import Dictionary

    dictionary = Dictionary(TEXTS)
    return [dictionary.doc2bow(text) for text in TEXTS], dictionary


@pytest.fixture(scope="module")
def fitted(known):
    bags, dictionary = known
    return model(3, max_iter=10).fit(bags, id2word=dictionary)


@pytest.fixture(scope="module", params=["factors", "mixture", "classes"])
def view(request, known, fitted):
    bags, dictionary = known
    own = {"device": "cpu", "n_jobs": 1, "random_state": 0}
    if request.param == "factors":
        return fitted.to_gensim()
    if request.param == "mixture":
        return MixtureModel(3, **own).fit(bags, id2word=dictionary).to_gensim()
    labels = [("air", "earth", "fire")[n % 3] if n < 18 else None for n in range(36)]
    made = SemiSupervisedClassifier(calibrate=False, **own)
    return made.fit(bags, labels, id2word=dictionary).to_gensim()


def test_coherence_model_takes_it_as_a_model(view, known):
    from gensim.models import CoherenceModel

    bags, dictionary = known
    asked = {"corpus": bags, "coherence": "u_mass", "topn": 3, "processes": 1}
    found = CoherenceModel(model=view, **asked)
    lists = [[word for word, _ in view.show_topic(topic, 3)] for topic in range(3)]
    by_hand = CoherenceModel(topics=lists, dictionary=dictionary, **asked)
    assert found.get_coherence() == pytest.approx(by_hand.get_coherence())
    assert np.isfinite(found.get_coherence())


def test_coherence_of_the_words_of_top_words_is_ours(fitted, known):
    from gensim.models import CoherenceModel

    listed = [[word for word, _ in words] for words in fitted.top_words(3)]
    asked = {"texts": TEXTS, "coherence": "c_v", "topn": 3, "processes": 1}
    found = CoherenceModel(topics=listed, dictionary=fitted.to_gensim().id2word, **asked)
    ours = fitted.coherence(TEXTS, 3, measure="c_v")
    assert found.get_coherence_per_topic() == pytest.approx(ours.tolist())


def test_the_dictionary_is_that_of_the_corpus(fitted, known):
    _, dictionary = known
    made = fitted.to_gensim().id2word
    assert made.token2id == dictionary.token2id
    assert dict(made.items()) == dict(dictionary.items())
    assert (made.dfs, made.cfs) == (dictionary.dfs, dictionary.cfs)
    assert (made.num_docs, made.num_pos) == (dictionary.num_docs, dictionary.num_pos)
    assert made.doc2bow(TEXTS[0]) == dictionary.doc2bow(TEXTS[0])


def test_topics_are_listed_as_gensim_lists_them(view):
    from gensim.models.basemodel import BaseTopicModel

    assert view.get_topics().shape == (view.num_topics, view.num_terms) == (3, 12)
    assert view.get_topics().sum(1) == pytest.approx(np.ones(3), abs=1e-5)
    terms = view.get_topic_terms(1, topn=4)
    assert [p for _, p in terms] == sorted((p for _, p in terms), reverse=True)
    assert view.show_topic(1, topn=4) == [(view.id2word[v], p) for v, p in terms]
    assert view.print_topic(1, 4) == BaseTopicModel.print_topic(view, 1, 4)
    assert view.print_topics(2, 3) == view.show_topics(2, 3)
    assert view.show_topics(-1, 2, formatted=False)[2] == (2, view.show_topic(2, 2))


def test_a_bag_of_words_has_topics(view, known):
    bags, _ = known
    one = view.get_document_topics(bags[0], minimum_probability=0.0)
    assert [topic for topic, _ in one] == [0, 1, 2]
    assert view[bags[0]] == [(d, p) for d, p in one if p >= 0.01]
    several = view.get_document_topics(bags[:2], 0.0)
    assert dict(several[0]) == pytest.approx(dict(one))


def test_counts_of_the_same_columns_go_in_too(fitted, known):
    row = scipy.sparse.csr_matrix(np.eye(12)[:1])
    assert fitted.to_gensim()[row] == [fitted.to_gensim()[[(0, 1.0)]]]


@pytest.mark.parametrize("topic", [3, -1, "steam", 0.5])
def test_a_topic_that_is_not_there(fitted, topic):
    with pytest.raises(InputError, match="there is no topic"):
        fitted.to_gensim().show_topic(topic)
    with pytest.raises(ConfigurationError, match="num_topics must be"):
        fitted.to_gensim().show_topics(-2)
