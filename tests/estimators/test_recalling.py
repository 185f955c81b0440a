"""Documents that are told of and scored are searched for once."""

import numpy as np
import pytest

from tests.estimators.planted import model
from topicfactors.estimators import recalling


@pytest.fixture(scope="module")
def fitted(corpus):
    return model(8, inference="truncated", max_iter=2).fit(corpus.counts)


def searches(fitted, monkeypatch):
    made, explain = [], type(fitted.objective_).explain

    def counted(self, batch, *options):
        made.append(len(batch.counts))
        return explain(self, batch, *options)

    monkeypatch.setattr(type(fitted.objective_), "explain", counted)
    return made


def test_the_score_is_of_the_sets_that_transform_found(fitted, corpus, monkeypatch):
    alone = fitted.transform(corpus.counts), fitted.score_samples(corpus.counts, bound="own")
    made = searches(fitted, monkeypatch)
    with fitted._searching_once():
        told = fitted.transform(corpus.counts)
        scored = fitted.score_samples(corpus.counts, bound="own")
    np.testing.assert_array_equal(told, alone[0])
    np.testing.assert_array_equal(scored, alone[1])
    assert made == [len(told)]
    fitted.transform(corpus.counts)
    assert len(made) == 2  # nothing is remembered afterwards


def test_other_documents_or_rounds_are_searched_for(fitted, corpus, monkeypatch):
    expected = fitted.transform(corpus.counts[:50])
    made = searches(fitted, monkeypatch)
    with fitted._searching_once():
        fitted.transform(corpus.counts[50:100])
        np.testing.assert_array_equal(fitted.transform(corpus.counts[:50]), expected)
        fitted.transform(corpus.counts[:50], refine=3)
        fitted.score_samples(corpus.counts[:50], bound="truncated", samples=5)
    assert len(made) == 4


def test_what_has_no_room_is_searched_for_again(fitted, corpus, monkeypatch):
    monkeypatch.setattr(recalling, "MOST", 10)
    made = searches(fitted, monkeypatch)
    with fitted._searching_once():
        first, second = (fitted.transform(corpus.counts) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert len(made) == 2
