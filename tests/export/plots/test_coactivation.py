"""Which factors come together."""

import numpy as np
import pytest
import scipy.sparse

from tests.estimators.planted import model
from tests.export.plots.reading import said
from topicfactors import ConfigurationError, plot_coactivation
from topicfactors.insight.coactivation import coactivation


def test_cells_are_those_of_the_posteriors(fitted, counts):
    figure = plot_coactivation(fitted, counts)
    expected = coactivation(fitted.transform(counts)).doublings
    order = [_number(fitted, name) for name in figure.layout.xaxis.ticktext]
    assert sorted(order) == [0, 1, 2, 3]
    shown = np.array(figure.data[0].z, float)
    assert np.allclose(shown, expected[np.ix_(order, order)], atol=1e-3, equal_nan=True)


def _number(fitted, name):
    return int(name.split()[0]) if name[0].isdigit() else fitted.factor_names_.index("<i>own</i>")


def test_colours_are_centred(fitted, counts):
    cells = plot_coactivation(fitted, counts).data[0]
    assert cells.zmid == 0
    assert cells.zmin == -cells.zmax


def test_cells_tell_the_documents_and_the_words(fitted, counts):
    cells = plot_coactivation(fitted, counts, factors=[0, 1]).data[0]
    found = coactivation(fitted.transform(counts)[:, :2])
    together, chance, times, words = cells.customdata[0][1]
    assert together == pytest.approx(found.together[0, 1], abs=0.06)
    assert chance == pytest.approx(found.expected[0, 1], abs=0.06)
    assert times == f"{2 ** found.doublings[0, 1]:.2g}×"
    assert words.count(", ") == 8


def test_large_figures_stay_small(counts):
    many = model(80, inference="gumbel-softmax", max_iter=1).fit(counts)
    figure = plot_coactivation(many, counts, factors=range(80))
    assert np.shape(figure.data[0].z) == (80, 80)
    assert len(figure.to_json()) < 5e5


def test_documents_without_words_are_left_out_and_that_is_said(fitted, counts):
    more = scipy.sparse.vstack([counts, scipy.sparse.csr_matrix((2, counts.shape[1]))]).tocsr()
    figure = plot_coactivation(fitted, more)
    assert figure.data[0].z == plot_coactivation(fitted, counts).data[0].z
    assert "2 documents are left out" in said(figure)


def test_components_exclude_each_other(mixture, classifier, counts):
    with pytest.raises(ConfigurationError, match="components exclude each other"):
        plot_coactivation(mixture, counts)
    with pytest.raises(ConfigurationError, match="classes exclude each other"):
        plot_coactivation(classifier, counts)
