"""Covariates as numbers: centred, in order, the same after a round trip through JSON."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.interpolate import BSpline

from topicfactors import InputError
from topicfactors.estimators.design import Column, Design

GENERATOR = np.random.default_rng(0)
TABLE = {
    "year": GENERATOR.uniform(1700, 1900, 60),
    "section": GENERATOR.choice(["north", "south", "west"], 60).tolist(),
    "new": (GENERATOR.random(60) < 0.4).tolist(),
}


def test_coded_columns_are_centred_and_numbers_have_unit_variance():
    design = Design.fit(TABLE, None)
    coded = design.encode(TABLE)
    assert coded.shape == (60, design.width) == (60, 1 + 3 + 2)
    np.testing.assert_allclose(coded.mean(0), 0, atol=1e-6)
    assert coded[:, 0].std() == pytest.approx(1)
    assert (design.prior, design.content) == (6, 0)


def test_those_of_the_prior_come_first_and_those_of_the_words_last():
    design = Design.fit(TABLE, ["section:content", "year:both", "new"])
    assert design.names == ["new", "year", "section"]
    assert (design.prior, design.content, design.width) == (2 + 1, 1 + 3, 6)


def test_a_spline_is_that_of_its_knots_and_flat_beyond_them():
    design = Design.fit(TABLE, "year:spline=6")
    column = design.columns[0]
    knots = np.r_[[column.knots[0]] * 3, column.knots, [column.knots[-1]] * 3]
    basis = BSpline.design_matrix(TABLE["year"], knots, 3).toarray()
    np.testing.assert_allclose(design.encode(TABLE), basis - basis.mean(0), atol=1e-6)
    ends = design.encode({"year": [TABLE["year"].min(), 1000.0]})
    np.testing.assert_allclose(ends[0], ends[1])


def test_a_round_trip_through_json_codes_alike():
    design = Design.fit(TABLE, ["year:spline", "section:both", "new:content"])
    stored = json.loads(json.dumps(design.described()))
    again = Design([Column(*column) for column in stored])
    np.testing.assert_array_equal(design.encode(TABLE), again.encode(TABLE))
    assert (again.prior, again.content) == (design.prior, design.content)


def test_numbers_may_be_read_as_categories_and_rows_may_come_in_another_order():
    table = {"decade": ["1800", "1810", "1800", "1820"]}
    assert Design.fit(table, None).width == 1
    design = Design.fit(table, "decade:category")
    assert design.columns[0].levels == ["1800", "1810", "1820"]
    frame = pd.DataFrame({"other": [0, 0], "decade": [1820, 1800.0]})
    np.testing.assert_array_equal(design.encode(frame), design.encode(table)[[3, 0]])


def test_levels_that_a_categorical_names_are_known():
    column = pd.Categorical(["a", "b"] * 3, categories=["a", "b", "c"])
    design = Design.fit(pd.DataFrame({"x": column}), None)
    assert design.encode({"x": ["c"]}).shape == (1, 3)


@pytest.mark.parametrize(
    ("table", "specs", "said"),
    [
        ({}, None, "no columns"),
        (TABLE, "yaer", r"no column 'yaer'; they have .*; did you mean 'year'\?"),
        (TABLE, "section:number", "row 0: 'section' is '.*'; expected a finite number"),
        ({"x": [1, 1, 1]}, None, "'x' is 1 in every document"),
        ({"x": ["1543", "1687", "c. 1700"]}, None, "row 2: 'x' is 'c. 1700'; expected a finite"),
        ({"x": ["a", "a"]}, None, "'x' is a in every document"),
        ({"x": [1.0, np.inf]}, None, "row 1: 'x' is inf"),
        ({"x": [f"id-{n}" for n in range(20)]}, None, "a different value in each of 20 documents"),
    ],
)
def test_columns_that_tell_nothing_are_refused(table, specs, said):
    with pytest.raises(InputError, match=said):
        Design.fit(table, specs)


def test_a_category_that_fit_has_not_seen_is_refused_with_the_nearest():
    design = Design.fit(TABLE, ["section"])
    with pytest.raises(InputError, match=r"row 1: .* 'nroth', which no .*; did you mean 'north'\?"):
        design.encode({"section": ["west", "nroth"]})


def test_rows_at_values_have_the_others_at_their_mean():
    design = Design.fit(TABLE, ["year", "section"])
    rows, one = design.rows(None)
    assert one
    np.testing.assert_array_equal(rows, np.zeros((1, 4)))
    rows, one = design.rows({"year": [1800, 1850], "section": "west"})
    assert not one
    whole = design.encode({"year": [1800, 1850], "section": ["west"] * 2})
    np.testing.assert_array_equal(rows, whole)
    assert design.rows({"section": "west"})[1]
    with pytest.raises(InputError, match="no covariate 'yeer'; they are 'year', 'section'; did"):
        design.rows({"yeer": 1800})
    with pytest.raises(InputError, match="'year' has 2, 'section' has 3"):
        design.rows({"year": [1800, 1850], "section": ["west"] * 3})
    with pytest.raises(InputError, match="at must be a dict"):
        design.rows([1800])


def test_points_are_a_deviation_the_levels_and_the_knots():
    design = Design.fit(TABLE, ["section", "year", "new:content"])
    named = [(point.column, point.level) for point in design.points()]
    deviation = f"+{np.std(TABLE['year']):.6g}"
    assert named == [
        *(("section", level) for level in ("north", "south", "west")),
        ("year", deviation),
        *(("new", level) for level in ("False", "True")),
    ]
    for point in design.points():
        if point.column == "section":
            expected, _ = design.rows({"section": point.level})
            np.testing.assert_allclose(point.row, expected[0], atol=1e-6)
