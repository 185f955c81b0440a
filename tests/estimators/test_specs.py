"""How covariates are asked for."""

import pytest

from topicfactors import ConfigurationError
from topicfactors.estimators.specs import Spec, parsed


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("year", Spec("year")),
        ("year:spline", Spec("year", "spline")),
        ("year:spline=8:both", Spec("year", "spline", "both", 8)),
        ("section:content", Spec("section", None, "content")),
        ("decade:category:prevalence", Spec("decade", "category")),
        ("dc:date", Spec("dc:date")),
        ("dc:date:number", Spec("dc:date", "number")),
    ],
)
def test_a_column_is_named_and_described(text, spec):
    assert parsed(text) == parsed([text]) == [spec]


@pytest.mark.parametrize(
    ("specs", "said"),
    [
        (7, "None or a list of columns"),
        ([7], "None or a list of columns"),
        (["year:spline=1"], "2 or more knots"),
        (["year:spline=many"], "2 or more knots"),
        (["year:spline:category"], "two things of one"),
        ([":spline"], "names no column"),
        (["year", "year:content"], "say 'year:both'"),
    ],
)
def test_what_cannot_be_read_is_refused(specs, said):
    with pytest.raises(ConfigurationError, match=said):
        parsed(specs)


def test_none_is_left_to_the_table():
    assert parsed(None) is None
