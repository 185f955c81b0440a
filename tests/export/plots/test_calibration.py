"""The numbers in the figure are those of the curve."""

import numpy as np
import pytest

from topicfactors import InputError, plot_calibration
from topicfactors.insight.calibration import calibrated


def curve(seed=0):
    generator = np.random.default_rng(seed)
    said = generator.random((100, 3))
    found = calibrated(said, (generator.random(said.shape) < said).astype(float))
    return found._replace(how="simulated", documents=100)


def test_the_curve_and_its_errors_are_drawn():
    found = curve()
    diagonal, drawn = plot_calibration(found).data
    assert list(diagonal.x) == list(diagonal.y) == [0, 1]
    assert (list(drawn.x), list(drawn.y)) == (found.predicted, found.observed)
    assert list(drawn.error_y.array) == [2 * each for each in found.standard_error]
    assert list(drawn.customdata) == found.pairs
    assert drawn.name == f"simulated (error {found.expected_calibration_error:.3f})"


def test_several_curves_have_their_names():
    figure = plot_calibration({"as it is": curve(), "<b>tempered</b>": curve(1)})
    names = [trace.name for trace in figure.data[1:]]
    assert names[0].startswith("as it is (error")
    assert names[1].startswith("&lt;b&gt;tempered&lt;/b&gt;")
    assert len({trace.line.color for trace in figure.data}) == 3


@pytest.mark.parametrize("found", [0.5, {}, {"a": None}])
def test_something_else_is_refused(found):
    with pytest.raises(InputError, match="draws what model"):
        plot_calibration(found)
