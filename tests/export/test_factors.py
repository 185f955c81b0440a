"""The tables of a fitted model."""

import numpy as np
import pytest

from topicfactors.export.factors import (
    factor_rows,
    factors_table,
    posteriors_table,
    top_words_table,
)
from topicfactors.insight.topics import RANKINGS, Factors, rank

WORDS = ["steam", "engine", "clock", "pendulum", "bread"]


@pytest.fixture
def factors():
    rng = np.random.default_rng(0)
    loadings = rng.normal(size=(3, 5))
    on = np.exp(loadings) / np.exp(loadings).sum(1, keepdims=True)
    documents, prevalence = np.array([50.0, 40, 30, 20, 10]), np.array([0.5, 0.3, 0.1])
    return Factors(loadings, on, np.full(5, 0.2), documents, prevalence, loadings - 0.5)


def rows_of(factors, **options):
    prior, status = np.array([0.4, 0.2, 0.1]), ["active", "dead", "always-on"]
    return factor_rows(
        factors, prior, status, WORDS, **{"ranking": "weight", "words": 2, **options}
    )


def test_each_factor_has_a_row_with_its_best_words(factors):
    rows = rows_of(factors)
    assert [row.factor for row in rows] == [0, 1, 2]
    assert [row.status for row in rows] == ["active", "dead", "always-on"]
    assert [row.prevalence for row in rows] == [0.5, 0.3, 0.1]
    assert [row.prior for row in rows] == [0.4, 0.2, 0.1]
    for row, loadings in zip(rows, factors.loadings, strict=True):
        assert row.words == [WORDS[column] for column in np.argsort(-loadings)[:2]]
        assert row.coherence is None


def test_rows_hold_plain_numbers(factors):
    row = rows_of(factors, coherence=np.array([0.1, 0.2, 0.3], np.float32))[1]
    assert [type(value) for value in row[1:3]] == [float, float]
    assert type(row.coherence) is float


def test_more_words_than_there_are_gives_all(factors):
    assert sorted(rows_of(factors, words=100)[0].words) == sorted(WORDS)


def test_the_factor_table_has_a_row_a_factor(factors):
    table = factors_table(rows_of(factors))
    (block,) = table.blocks
    assert table.columns[0] == "factor"
    assert [len(row) for row in block] == [len(table.columns)] * 3
    assert block[0][-2:] == (rows_of(factors)[0].words, rows_of(factors)[0].suppressed)


@pytest.mark.parametrize("ranking", sorted(RANKINGS))
def test_the_word_table_has_the_score_of_every_ranking(factors, ranking):
    table = top_words_table(factors, WORDS, ranking=ranking, words=3)
    (block,) = table.blocks
    assert len(block) == 9
    assert [row[:2] for row in block] == [(f, place) for f in range(3) for place in (1, 2, 3)]
    for row in block:
        for name, score in zip(table.columns[3:], row[3:], strict=True):
            assert score == pytest.approx(rank(factors, name)[row[0], WORDS.index(row[2])])


def test_posteriors_are_streamed_with_their_ids():
    taken = []

    def blocks():
        for start in (0, 2):
            taken.append(start)
            yield ["a", "b"], np.array([[0.25, 0.5], [0.75, 1.0]], np.float32)

    table = posteriors_table(blocks(), [0, "steam"])
    assert table.columns == ("id", "factor_0", "steam")
    assert taken == []
    assert next(iter(table.blocks)) == [("a", 0.25, 0.5), ("b", 0.75, 1.0)]
    assert taken == [0]


def test_a_missing_id_is_no_silent_shift():
    table = posteriors_table([(["a"], np.zeros((2, 2)))], [0, 1])
    with pytest.raises(ValueError):
        list(table.blocks)


def test_what_factors_add_to_a_response_is_the_last_column(factors):
    table = factors_table(rows_of(factors, responses=[1.5, -2.0, 0.0]))
    assert table.columns[-1] == "response"
    assert [row[-1] for block in table.blocks for row in block] == [1.5, -2.0, 0.0]
    assert "response" not in factors_table(rows_of(factors)).columns


def test_the_expected_response_is_the_last_number_of_a_document():
    blocks = [(["a", "b"], np.array([[0.5, 0.25, 1712.0], [1.0, 0.0, 1698.5]]))]
    table = posteriors_table(blocks, [0, 1], ["x", None], responds=True)
    assert list(table.columns) == ["id", "label", "factor_0", "factor_1", "response"]
    first, second = next(iter(table.blocks))
    assert first == ("a", "x", 0.5, 0.25, 1712.0)
    assert second == ("b", None, 1.0, 0.0, 1698.5)
