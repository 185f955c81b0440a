"""Factors as points of a plane."""

import numpy as np
import pytest

from tests.estimators.planted import model
from topicfactors import ConfigurationError, plot_map
from topicfactors.insight.layout import jensen_shannon, plane


def test_points_are_where_the_words_say(fitted):
    points = plot_map(fitted).data[-1]
    expected = plane(jensen_shannon(fitted.topic_word_))
    assert np.allclose(np.column_stack([points.x, points.y]), expected, atol=1e-5)


def test_area_goes_with_prevalence(mixture):
    sizes = np.array(plot_map(mixture).data[-1].marker.size)
    ratio = np.sqrt(mixture.prevalence_ / mixture.prevalence_.max())
    assert sizes / sizes.max() == pytest.approx(ratio, abs=1e-6)


def test_a_point_tells_its_words(fitted):
    told = plot_map(fitted, 3).data[-1].customdata
    for number, (_, prevalence, status, words) in enumerate(told):
        assert words.count(", ") == 2
        assert status == fitted.status_[number]
        assert prevalence == f"{fitted.prevalence_[number]:.1%}"


def test_both_axes_have_the_same_scale(fitted):
    layout = plot_map(fitted).layout
    across = layout.width - layout.margin.l - layout.margin.r
    up = layout.height - layout.margin.t - layout.margin.b
    assert np.ptp(layout.xaxis.range) / across == pytest.approx(np.ptp(layout.yaxis.range) / up)


def test_couplings_are_lines(counts):
    coupled = model(3, prior="boltzmann", inference="gumbel-softmax", max_iter=3).fit(counts)
    traces = plot_map(coupled).data
    lines = [trace for trace in traces if trace.mode == "lines"]
    couplings = coupled.couplings_[np.triu_indices(3, 1)]
    strong = np.abs(couplings) > 0.1 * np.abs(couplings).max()
    assert len(lines) == strong.sum() > 0
    strongest = couplings[np.abs(couplings).argmax()]
    assert f"{strongest:+.2f} nats" in traces[len(lines)].customdata[0]


def test_no_couplings_no_lines(fitted):
    assert len(plot_map(fitted).data) == 1


def test_words_are_counted(fitted):
    with pytest.raises(ConfigurationError, match="n_words"):
        plot_map(fitted, 0)
