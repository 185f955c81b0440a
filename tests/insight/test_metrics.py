"""Scores against the slowest way to compute them."""

import math
from itertools import combinations

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from topicfactors.insight.metrics import c_v, diversity, npmi, perplexity


def slow_npmi(dense, columns):
    scores = []
    for words in columns:
        pairs = []
        for one, two in combinations(words, 2):
            documents = len(dense)
            together = sum(row[one] > 0 and row[two] > 0 for row in dense) / documents
            first = sum(row[one] > 0 for row in dense) / documents
            second = sum(row[two] > 0 for row in dense) / documents
            if together == 0:
                pairs.append(-1.0)
            elif together == 1:
                pairs.append(1.0)
            else:
                pairs.append(math.log(together / (first * second)) / -math.log(together))
        scores.append(sum(pairs) / len(pairs))
    return scores


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    documents=st.integers(1, 25),
    words=st.integers(3, 12),
    factors=st.integers(1, 4),
    rate=st.floats(0.05, 3.0),
)
def test_npmi_is_the_mean_over_all_pairs(seed, documents, words, factors, rate):
    generator = np.random.default_rng(seed)
    dense = generator.poisson(rate, (documents, words)) * generator.choice([0.5, 1, 3])
    listed = int(generator.integers(2, words + 1))
    columns = np.stack([generator.permutation(words)[:listed] for _ in range(factors)])
    found = npmi(scipy.sparse.csr_matrix(dense), columns)
    np.testing.assert_allclose(found, slow_npmi(dense, columns), atol=1e-12)
    assert ((found >= -1) & (found <= 1)).all()


@pytest.mark.parametrize("kind", [scipy.sparse.csr_matrix, scipy.sparse.csr_array])
def test_pairs_that_never_meet_count_minus_one_and_those_that_always_do_one(kind):
    counts = kind(np.array([[3, 2, 0, 0, 1], [0, 0, 5, 0, 1], [2, 1, 0, 0, 4]]))
    assert npmi(counts, np.array([[0, 2]])) == -1
    assert npmi(counts, np.array([[0, 3]])) == -1  # a word that is nowhere
    assert npmi(counts, np.array([[0, 1]])) == pytest.approx(1)
    assert npmi(counts, np.array([[4, 4]])) == 1  # in every document
    assert npmi(counts, np.array([[0, 1, 2]])) == pytest.approx((1 - 1 - 1) / 3)


def test_npmi_reads_presence_and_leaves_the_counts_alone():
    counts = scipy.sparse.csr_matrix(np.array([[3.0, 2.0, 0.0], [0.0, 4.0, 1.0], [1.0, 0.0, 0.0]]))
    zeros = counts.copy()
    zeros.data[0] = 0  # an explicit zero is an absence
    before = counts.toarray()
    columns = np.array([[0, 1], [1, 2]])
    np.testing.assert_allclose(npmi(counts, columns), npmi(counts * 7, columns))
    np.testing.assert_allclose(npmi(zeros, columns), slow_npmi(zeros.toarray(), columns))
    np.testing.assert_array_equal(counts.toarray(), before)


def test_one_word_makes_no_pair():
    counts = scipy.sparse.csr_matrix(np.eye(3))
    np.testing.assert_array_equal(npmi(counts, np.array([[0], [2]])), [0, 0])


@pytest.mark.parametrize(
    ("columns", "share"),
    [([[0, 1], [2, 3]], 1), ([[0, 1], [1, 0]], 0.5), ([[0, 1, 2], [0, 1, 3]], 4 / 6)],
)
def test_diversity(columns, share):
    assert diversity(np.array(columns)) == pytest.approx(share)


def test_diversity_of_nothing():
    assert diversity(np.zeros((3, 0), int)) == 0


def test_perplexity_by_hand():
    found = perplexity(np.array([-6.0, -20.0, 0.0, -3.0]), np.array([2.0, 5.0, 0.0, 3.0]))
    each = np.array([3.0, 4.0, 1.0])
    assert found.per_document == pytest.approx(math.exp(8 / 3))
    assert found.corpus == pytest.approx(math.exp(29 / 10))
    assert found.standard_error == pytest.approx(math.exp(8 / 3) * each.std() / math.sqrt(3))
    assert (found.documents, found.left_out) == (3, 1)


def test_perplexity_is_that_of_equal_words():
    found = perplexity(np.full(4, -6 * math.log(50)), np.full(4, 6))
    assert found.per_document == pytest.approx(50)
    assert found.corpus == pytest.approx(50)
    assert found.standard_error == pytest.approx(0, abs=1e-9)


def test_perplexity_of_empty_documents_is_not_a_number():
    found = perplexity(np.zeros(2), np.zeros(2))
    assert all(math.isnan(value) for value in found[:3])
    assert (found.documents, found.left_out) == (0, 2)


def test_c_v_is_gensims_and_nan_where_a_word_is_unknown():
    generator = np.random.default_rng(0)
    texts = [
        list(generator.permutation(["steam", "engine", "piston"] if row % 2 else ["star", "orbit"]))
        for row in range(30)
    ]
    together, apart, unknown = c_v(
        texts, [["steam", "engine"], ["steam", "orbit"], ["steam", "elephant"]]
    )
    assert together == pytest.approx(1.0, abs=0.01)
    assert apart < 0.1
    assert np.isnan(unknown)


def test_c_v_of_nothing_known_or_of_one_word_is_nan():
    assert np.isnan(c_v([["a", "b"]], [["x", "y"]])).all()
    assert np.isnan(c_v([["a", "b"]], [["a"]])).all()
