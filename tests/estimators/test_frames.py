"""gensim's habits, data frames, pyLDAvis."""

import sys

import numpy as np
import pandas
import pytest
import scipy.sparse

from tests.estimators.planted import model, planted
from topicfactors import ConfigurationError, InputError

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
