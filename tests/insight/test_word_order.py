"""The order of reading, against a plain restatement and on planted companies."""

import math

import numpy as np
import pytest
import scipy.sparse

from tests.insight.test_topics import some_factors
from topicfactors.insight.topics import evidence, exclusive, top_columns
from topicfactors.insight.word_order import company, word_order


def told(log_odds):
    """Factors whose evidence is these log-odds, but for one support that all words share."""
    log_odds = np.asarray(log_odds, float)
    factors = some_factors(*log_odds.shape)
    many = np.full(log_odds.shape[1], 1e9)
    return factors._replace(log_odds=log_odds, document_frequency=many)


def slow_company(counts, left, right):
    there = counts > 0
    documents, both = len(there), int((there[:, left] & there[:, right]).sum())
    if both == 0:
        return -1.0
    alone = there[:, left].mean() * there[:, right].mean()
    joint = both / documents
    npmi = 1.0 if joint == 1 else math.log(joint / alone) / -math.log(joint)
    return (1 - math.exp(-both)) * npmi - math.exp(-both)


def slow_order(counts, factors, words, candidates):
    scores = np.maximum(evidence(factors), 0)
    lists = []
    for d, row in enumerate(scores):
        strength = {
            v: row[v] * (row[v] / scores[:, v].max()) ** 4 for v in range(len(row)) if row[v] > 0
        }
        chosen = sorted(strength, key=lambda v: (-strength[v], v))[:candidates]
        most = max(strength[v] for v in chosen)

        def near(v, chosen=chosen):
            found = sorted((slow_company(counts, v, w) for w in chosen if w != v), reverse=True)
            return np.mean(found[:9]) if found else 0.0

        order = [max(chosen, key=lambda v: strength[v] / most + near(v))]
        while len(order) < min(words, len(chosen)):
            order.append(
                max(
                    (v for v in chosen if v not in order),
                    key=lambda v: (
                        strength[v] / most + np.mean([slow_company(counts, v, w) for w in order])
                    ),
                )
            )
        rest = top_columns(exclusive(factors), words)[d]
        lists.append([*order, *(v for v in rest if v not in order)][:words])
    return lists


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("words", "candidates"), [(5, 12), (12, 12), (8, 4), (1, 1)])
def test_it_is_its_definition(seed, words, candidates):
    generator = np.random.default_rng(seed)
    counts = generator.poisson(0.4, (60, 12))
    factors = told(generator.normal(size=(3, 12)))
    found = word_order(scipy.sparse.csr_matrix(counts), factors, words, candidates)
    assert found.tolist() == slow_order(counts, factors, words, candidates)


def test_words_that_are_never_seen_together_are_not_listed_together():
    """Two circles of words speak for a factor; the strongest word chooses its own circle."""
    first, second = [1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]
    nothing = [[0] * 6] * 40
    counts = scipy.sparse.csr_matrix([first] * 20 + [second] * 20 + nothing)
    factors = told([[2.0, 1.0, 1.0, 1.9, 1.9, 1.9]])
    assert top_columns(exclusive(factors), 3).tolist() == [[0, 3, 4]]
    assert word_order(counts, factors, 6).tolist() == [[0, 1, 2, 3, 4, 5]]
    factors = told([[1.0, 1.9, 1.9, 1.0, 1.0, 2.0]])
    assert word_order(counts, factors, 6).tolist() == [[5, 3, 4, 1, 2, 0]]


def test_the_first_words_do_not_depend_on_how_many_are_asked_for():
    generator = np.random.default_rng(1)
    counts = scipy.sparse.csr_matrix(generator.poisson(0.4, (60, 12)))
    factors = told(generator.normal(size=(3, 12)))
    assert (word_order(counts, factors, 4) == word_order(counts, factors, 10)[:, :4]).all()


def test_a_factor_that_says_nothing_has_the_words_of_exclusive():
    counts = scipy.sparse.csr_matrix(np.random.default_rng(0).poisson(0.5, (30, 8)))
    factors = told(np.stack([np.zeros(8), np.linspace(-1, 1, 8)]))
    order = word_order(counts, factors, 5)
    assert order[0].tolist() == top_columns(exclusive(factors), 5)[0].tolist()
    assert len(set(order[1].tolist())) == 5


def test_company_of_a_pair_seen_once_is_hardly_believed():
    together = np.array([[10.0, 1.0, 5.0], [1.0, 10.0, 0.0], [5.0, 0.0, 10.0]])
    found = company(together, 1000)
    assert found[1, 2] == -1
    once = math.log(0.001 / 0.01**2) / -math.log(0.001)
    assert found[0, 1] == pytest.approx((1 - math.exp(-1)) * once - math.exp(-1))
    assert found[0, 2] > 0.6
    assert company(np.full((2, 2), 50.0), 50) == pytest.approx(np.ones((2, 2)))


def test_pairs_of_a_large_corpus_are_counted_in_a_part_of_it(monkeypatch):
    monkeypatch.setattr("topicfactors.insight.word_order.DOCUMENTS", 20)
    generator = np.random.default_rng(3)
    counts, factors = generator.poisson(0.4, (60, 12)), told(generator.normal(size=(3, 12)))
    found = word_order(scipy.sparse.csr_matrix(counts), factors, 5)
    assert found.tolist() == slow_order(counts[::3], factors, 5, 12)
