"""Names of factors, given after a fit."""

import numpy as np
import pytest

from tests.estimators.planted import model, planted
from topicfactors import ConfigurationError, InputError, load, save


@pytest.fixture(scope="module")
def counts():
    return planted(3, 60).counts


@pytest.fixture
def fitted(counts, _once=[]):  # noqa: B006
    if not _once:
        _once.append(model(3, max_iter=1, anchors={"anchor": ["0"]}).fit(counts))
    return _once[0].set_names([None] * 3)


def test_names_are_in_every_table(fitted, counts, tmp_path):
    place = fitted.anchored_["anchor"]
    others = [number for number in range(3) if number != place]
    assert fitted.set_names({others[0]: "steam engines"}) is fitted
    assert fitted.factor_names_[others[0]] == "steam engines"
    assert fitted.factor_names_[place] == "anchor"
    assert fitted.factor_names_[others[1]] == others[1]
    assert "steam engines" in fitted.topics_frame()["factor"].tolist()
    assert "steam engines" in fitted.documents_frame(counts[:2]).columns
    assert fitted.get_feature_names_out()[others[0]] == "steam engines"
    save(fitted, tmp_path / "model")
    assert load(tmp_path / "model").factor_names_ == fitted.factor_names_


def test_names_are_changed_swapped_and_taken_away(fitted):
    place = fitted.anchored_["anchor"]
    fitted.set_names({"anchor": "chains"})
    assert fitted.factor_names_[place] == "chains"
    fitted.set_names({"chains": None})
    assert fitted.factor_names_[place] == "anchor"
    one, two = (number for number in range(3) if number != place)
    fitted.set_names({one: "a", np.int64(two): "b"}).set_names({"a": "b", "b": "a"})
    assert (fitted.factor_names_[one], fitted.factor_names_[two]) == ("b", "a")
    fitted.set_names(fitted.factor_names_)  # a list of all, as it is
    fitted.set_names({str(one): None, two: None})
    assert fitted.factor_names_[one] == one


def test_the_anchors_keep_their_hold_under_another_name(fitted, counts):
    fitted.set_names({"anchor": "chains"})
    fitted.set_params(warm_start=True).fit(counts)
    assert "chains" in fitted.factor_names_
    assert "anchor" in fitted.anchored_
    fitted.set_params(warm_start=False)


@pytest.mark.parametrize(
    ("names", "error", "said"),
    [
        ({9: "a"}, InputError, "no factor 9; this model has factors 0 to 2, 'anchor'"),
        ({"ancor": "a"}, InputError, "did you mean 'anchor'"),
        (["a"], InputError, "one for each of the 3 factors, got 1"),
        ("abc", ConfigurationError, "dict such as"),
        ({0: ""}, ConfigurationError, "text on one line"),
        ({0: "a\nb"}, ConfigurationError, "text on one line"),
        ({0: "7"}, ConfigurationError, "not a number"),
        ({0: "id"}, ConfigurationError, "which tables use"),
        ({0: "factor_2"}, ConfigurationError, "which tables use"),
        ([1, None, None], ConfigurationError, "text on one line"),
        ({0: "same", 1: "same", 2: "same"}, ConfigurationError, "two factors would be called"),
        ({0: "a", "0": "b"}, ConfigurationError, "named twice"),
    ],
)
def test_what_is_no_name_is_refused_and_nothing_changes(fitted, names, error, said):
    before = fitted.factor_names_
    with pytest.raises(error, match=said):
        fitted.set_names(names)
    assert fitted.factor_names_ == before


def test_a_name_that_an_anchor_has_is_refused(fitted):
    other = next(number for number in range(3) if number != fitted.anchored_["anchor"])
    with pytest.raises(ConfigurationError, match="two factors would be called 'anchor'"):
        fitted.set_names({other: "anchor"})
