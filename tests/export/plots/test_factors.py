"""The words of each factor as bars."""

import html

import numpy as np
import pytest

from tests.export.plots.reading import said
from topicfactors import ConfigurationError, plot_factors
from topicfactors.insight.topics import RANKINGS, SORTING


def test_bars_are_the_top_words(fitted):
    figure = plot_factors(fitted, 6)
    order = np.argsort(-fitted.prevalence_, kind="stable")
    for number, panel in zip(order, figure.data, strict=True):
        words = fitted.top_words(6)[number]
        assert [html.unescape(word) for word in panel.text] == [word for word, _ in words]
        assert list(panel.x) == pytest.approx([score for _, score in words])


def test_titles_have_name_and_prevalence(fitted):
    figure = plot_factors(fitted, factors=["<i>own</i>", 0])
    place = fitted.factor_names_.index("<i>own</i>")
    own, first = (html.unescape(note.text) for note in figure.layout.annotations[:2])
    assert f"<i>own</i></b> <span style='color:#5c6370'>{fitted.prevalence_[place]:.1%}" in own
    assert "factor 0" in first


def test_another_ranking_has_its_own_unit(fitted):
    figure = plot_factors(fitted, 3, ranking="probability")
    assert figure.layout.annotations[-1].text == "probability of the word"
    shown = fitted.top_words(3, ranking="probability")[0]
    assert list(figure.data[0].x) == pytest.approx([score for _, score in shown])


@pytest.mark.parametrize("ranking", [*RANKINGS, "root"])
def test_every_ranking_is_drawn(fitted, ranking, monkeypatch):
    monkeypatch.setitem(RANKINGS, "root", lambda factors: np.sqrt(factors.on))
    unit = plot_factors(fitted, 3, ranking=ranking).layout.annotations[-1].text
    assert unit.startswith("evidence") == (ranking in ("evidence", *SORTING))
    assert (unit == "root") == (ranking == "root")


def test_classes_have_their_names(classifier):
    titles = [note.text for note in plot_factors(classifier).layout.annotations[:2]]
    assert {"on", "off"} == {title.split("</b>")[0].removeprefix("<b>") for title in titles}
    assert sum(float(title.split(">")[-2].split("%")[0]) for title in titles) == pytest.approx(
        100, abs=0.2
    )


def test_what_is_left_out_is_said(fitted):
    assert "2 of 4 factors" in said(plot_factors(fitted, factors=[0, 1]))
    assert " of 4 factors" not in said(plot_factors(fitted))


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ([9], "from 0 to 3"),
        (["<i>owm</i>"], "did you mean '<i>own</i>'"),
        (3, "must be a list"),
        ([], "at least one"),
    ],
)
def test_factors_that_are_not_there_are_refused(fitted, factors, message):
    with pytest.raises(ConfigurationError, match=message):
        plot_factors(fitted, factors=factors)


def test_no_name_where_none_has_one(mixture):
    with pytest.raises(ConfigurationError, match="none has a name"):
        plot_factors(mixture, factors=["steam"])


@pytest.mark.parametrize("options", [{"n_words": 0}, {"ranking": "evidense"}])
def test_other_mistakes_are_refused(fitted, options):
    with pytest.raises(ConfigurationError):
        plot_factors(fitted, **options)
