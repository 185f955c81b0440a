"""Factors of several fits are matched as well as can be, and told from what chance gives."""

import itertools

import numpy as np
import pytest

from topicfactors import ConfigurationError, InputError
from topicfactors.insight.matching import Described, agreement, lost, match, of_documents, of_words


def bits(documents=300, factors=4, seed=0):
    return (np.random.default_rng(seed).random((documents, factors)) < 0.3).astype(np.float32)


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 3)])
def test_no_other_matching_is_better(shape):
    table = np.random.default_rng(1).normal(size=shape)
    found = match(table)
    few = min(shape)
    wide = table if shape[0] == few else table.T
    best = max(
        sum(wide[row, column] for row, column in enumerate(columns))
        for columns in itertools.permutations(range(max(shape)), few)
    )
    assert found.similarity.sum() == pytest.approx(best)
    matched = found.partner >= 0
    assert matched.sum() == few
    assert len(set(found.partner[matched])) == few
    assert (found.similarity[~matched] == 0).all()


def test_similarity_of_bits_is_phi():
    first, second = bits(seed=0), bits(seed=1)
    expected = np.corrcoef(first.T, second.T)[:4, 4:]
    np.testing.assert_allclose(of_documents(Described(first), Described(second)), expected)


def test_a_factor_that_never_varies_is_like_no_other():
    still = np.full((300, 2), 0.999, np.float32)
    assert (of_documents(Described(still), Described(bits())) == 0).all()


def test_factors_in_another_order_all_come_back():
    documents, words = bits(), np.random.default_rng(0).normal(size=(4, 50))
    order = [2, 0, 3, 1]
    fits = [Described(documents, words), Described(documents[:, order], 3 * words[order])]
    for by in ("documents", "words"):
        found = agreement(fits, by=by)
        assert found.partners.tolist() == [[0, 1, 2, 3], [1, 3, 0, 2]]
        np.testing.assert_allclose(found.similarity, 1)
        np.testing.assert_allclose(found.by_words, 1)
        assert found.overall == pytest.approx(1)
        assert found.chance < 0.3
        assert (found.came_back == 1).all()


def test_what_is_noise_in_every_fit_does_not_come_back():
    shared = bits(factors=3)
    fits = [Described(np.c_[shared, bits(factors=1, seed=seed)]) for seed in (5, 6, 7)]
    found = agreement(fits)
    assert found.came_back.tolist() == [1, 1, 1, 0]
    assert lost(found.came_back).tolist() == [3]
    assert np.isnan(found.by_words).all()


def test_the_fit_that_is_like_the_others_is_chosen():
    shared, other = bits(), bits(seed=9)
    half = np.c_[shared[:, :2], other[:, 2:]]
    found = agreement([Described(other), Described(half), Described(shared)])
    assert found.chosen == 1
    assert found.between[0, 1] == pytest.approx(found.between[1, 0])


def test_a_factor_that_another_fit_does_not_have_counts_nothing():
    documents = bits()
    found = agreement([Described(documents), Described(documents[:, :3])])
    assert found.overall == pytest.approx(0.75)
    assert found.partners[1].tolist() == [0, 1, 2, -1]
    np.testing.assert_allclose(found.similarity, [1, 1, 1, 0])


def test_where_chance_alone_gets_far_more_is_asked():
    few = [Described(bits(documents=6, factors=4, seed=seed)) for seed in (0, 1)]
    found = agreement(few, threshold=0.1)
    assert found.threshold > 0.5
    assert agreement([Described(bits()), Described(bits())], threshold=0.9).threshold == 0.9


@pytest.mark.parametrize(
    ("fits", "options", "said"),
    [
        (2, {"by": "word"}, "did you mean 'words'"),
        (2, {"threshold": 2}, "threshold must be a number from 0 to 1"),
        (1, {}, "two or more"),
    ],
)
def test_what_cannot_be_matched_is_refused(fits, options, said):
    with pytest.raises(ConfigurationError, match=said):
        agreement([Described(bits())] * fits, **options)


def test_words_that_were_not_told_are_not_compared():
    with pytest.raises(InputError, match="use by='documents'"):
        of_words(Described(bits()), Described(bits()))
