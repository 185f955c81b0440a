"""Tables of what covariates do."""

from topicfactors.estimators.effects import CovariateWords, Effect
from topicfactors.export.covariates import EFFECTS, covariate_words_table, effects_table


def test_a_row_for_each_effect():
    effect = Effect(2, "year", "+10", 0.5, 0.25, 0.01, 0.99)
    table = effects_table([effect])
    assert Effect._fields == EFFECTS
    assert list(table.blocks) == [[tuple(effect)]]


def test_a_row_for_each_word_from_the_most_raised_to_the_most_lowered():
    moved = CovariateWords(
        "field", "a", [("sun", 2.0), ("star", 1.0)], [("iron", -3.0), ("ore", -1.0)]
    )
    (rows,) = covariate_words_table([moved]).blocks
    assert [row[2] for row in rows] == ["sun", "star", "ore", "iron"]
    assert rows[0] == ("field", "a", "sun", 2.0)
