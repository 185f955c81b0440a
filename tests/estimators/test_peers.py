"""Inputs on which other topic models fail, or abort the interpreter; ours must not.

BERTopic on words that never occur, tomotopy on an empty document, CTM on fewer documents than a
batch, TopMost and CTM on SciPy's sparse arrays.
"""

import numpy as np
import pytest
import scipy.sparse

from tests.estimators.planted import model
from topicfactors.model.likelihoods import LIKELIHOODS


def everything(fitted, counts):
    """All that is read off a model, as plain numbers."""
    yield fitted.transform(counts)
    yield fitted.score_samples(counts)
    yield fitted.coherence(counts)
    yield fitted.get_topics()
    yield fitted.entropy(counts)
    yield [score for words in fitted.top_words(5) for _, score in words]
    yield [score for words in fitted.suppressed_words(5) for _, score in words]
    yield [p for rows in fitted.representative_documents(counts) for _, p in rows]
    yield [factor.log_odds for found in fitted.explain(counts[:3]) for factor in found.factors]
    yield fitted.documents_frame(counts)[["factor_0", "factor_1"]].to_numpy()


@pytest.mark.parametrize("likelihood", sorted(LIKELIHOODS))
def test_words_that_never_occur(likelihood, corpus):
    counts = scipy.sparse.hstack([corpus.counts[:80], scipy.sparse.csr_matrix((80, 7))]).tocsr()
    fitted = model(likelihood=likelihood, max_iter=2).fit(counts)
    for found in everything(fitted, counts):
        assert np.isfinite(found).all()
    unheard = {str(column) for column in range(48, 55)}
    assert not unheard & {word for words in fitted.top_words(5) for word, _ in words}


@pytest.mark.parametrize("inference", ["truncated", "gumbel-softmax", "nvil", "exact"])
def test_empty_documents(inference, corpus):
    empty = scipy.sparse.csr_matrix((3, corpus.counts.shape[1]))
    counts = scipy.sparse.vstack([empty[:1], corpus.counts[:60], empty[:2]]).tocsr()
    fitted = model(inference=inference, max_iter=2).fit(counts)
    for found in everything(fitted, counts):
        assert np.isfinite(found).all()
    assert fitted.transform(empty).shape == (3, 4)


def test_fewer_documents_than_a_batch(corpus):
    fitted = model(batch_size=512, max_iter=2).fit(corpus.counts[:9])
    for found in everything(fitted, corpus.counts[:9]):
        assert np.isfinite(found).all()


def test_sparse_arrays_go_all_the_way(corpus):
    counts = scipy.sparse.csr_array(corpus.counts[:60])
    fitted = model(max_iter=2).fit(counts)
    again = model(max_iter=2).fit(scipy.sparse.csr_matrix(counts))
    for found, same in zip(
        everything(fitted, counts),
        everything(again, scipy.sparse.csr_matrix(counts)),
        strict=True,
    ):
        np.testing.assert_array_equal(found, same)


@pytest.mark.parametrize("inference", ["truncated", "gumbel-softmax"])
def test_a_document_without_words_has_the_prior(inference, corpus):
    """Exactly: a set of states holds little of so broad a posterior, an encoder guesses."""
    fitted = model(12, inference=inference, max_iter=2).fit(corpus.counts)
    empty = scipy.sparse.csr_matrix((2, corpus.counts.shape[1]))
    mixed = scipy.sparse.vstack([corpus.counts[:3], empty]).tocsr()
    np.testing.assert_array_equal(fitted.transform(mixed)[3:], [fitted.prior_] * 2)
    absent = model(inference=inference, likelihood="bernoulli", max_iter=2).fit(corpus.counts)
    assert np.abs(absent.transform(empty) - absent.prior_).max() > 1e-3


def test_probabilities_are_at_most_one(corpus):
    fitted = model(max_iter=12).fit(corpus.counts)
    assert fitted.transform(corpus.counts).max() <= 1.0
    assert fitted.pairwise(corpus.counts[:50]).max() <= 1.0
