"""Reliability curves of on/off probabilities against their definitions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topicfactors.insight.calibration import calibrated, log_losses


def drawn(documents=4000, factors=5, seed=0):
    """Probabilities that are true, and what was drawn with them."""
    generator = np.random.default_rng(seed)
    said = generator.beta(0.3, 0.7, (documents, factors))
    return said, (generator.random(said.shape) < said).astype(float)


@pytest.mark.parametrize("by", ["width", "count"])
def test_true_probabilities_are_on_the_diagonal(by):
    found = calibrated(*drawn(), by=by)
    assert sum(found.pairs) == 20000
    if by == "count":
        assert set(found.pairs) == {2000}
    bins = zip(found.predicted, found.observed, found.standard_error, strict=True)
    assert all(abs(p - o) < 4 * e + 1e-3 for p, o, e in bins)
    assert found.expected_calibration_error < 0.02
    assert found.brier < found.base_brier
    assert found.log_loss < found.base_log_loss


def test_probabilities_that_are_too_sure_show():
    said, was = drawn()
    odds = 3 * (np.log(said) - np.log1p(-said))
    found = calibrated(1 / (1 + np.exp(-odds)), was)
    assert found.expected_calibration_error > 0.05
    assert found.observed[0] > found.predicted[0] + 4 * found.standard_error[0]
    assert found.observed[-1] < found.predicted[-1] - 4 * found.standard_error[-1]
    assert found.log_loss > calibrated(said, was).log_loss


def test_scores_by_hand():
    said, was = np.array([[0.2, 0.9], [0.4, 1.0]]), np.array([[0.0, 1.0], [1.0, 0.0]])
    found = calibrated(said, was, bins=2)
    assert found.pairs == [2, 2]
    assert found.predicted == pytest.approx([0.3, 0.95])
    assert found.observed == [0.5, 0.5]
    assert found.expected_calibration_error == pytest.approx((0.2 + 0.45) / 2)
    assert found.brier == pytest.approx((0.04 + 0.01 + 0.36 + 1) / 4)
    expected = -(np.log(0.8) + np.log(0.9) + np.log(0.4) + np.log(1e-4)) / 4
    assert found.log_loss == pytest.approx(expected)
    assert found.base_brier == pytest.approx(0.25)
    assert log_losses(said, was).mean() == pytest.approx(found.log_loss)


def test_a_truth_that_is_a_probability_has_the_expected_score():
    said, chance = np.full((1, 1), 0.3), np.full((1, 1), 0.8)
    found = calibrated(said, chance)
    assert found.brier == pytest.approx(0.8 * 0.7**2 + 0.2 * 0.3**2)
    assert found.log_loss == pytest.approx(-0.8 * np.log(0.3) - 0.2 * np.log(0.7))


def test_errors_know_that_factors_of_a_document_go_together():
    """Five factors that are always alike are worth one."""
    generator = np.random.default_rng(0)
    once = (generator.random((3000, 1)) < 0.4).astype(float)
    said = np.full((3000, 1), 0.4)
    one = calibrated(said, once).standard_error[0]
    assert one == pytest.approx(np.sqrt(0.24 / 3000), rel=0.05)
    five = calibrated(np.repeat(said, 5, 1), np.repeat(once, 5, 1)).standard_error[0]
    assert five == pytest.approx(one)


def test_one_document_has_no_error():
    found = calibrated(np.array([[0.1, 0.2], [0.9, 0.8]]), np.eye(2), bins=2)
    assert np.isnan(found.standard_error).all()
    assert "0.150  0.500 ± ?" in str(found)


def test_the_text_has_the_curve_and_the_scores():
    text = str(calibrated(*drawn(200)))
    assert "said   was on" in text
    assert text.splitlines()[-2].startswith("expected calibration error 0.0")


@settings(max_examples=30, deadline=None)
@given(
    st.integers(1, 12), st.integers(1, 4), st.sampled_from(["width", "count"]), st.integers(1, 9)
)
def test_the_bins_share_out_all_pairs(documents, factors, by, bins):
    generator = np.random.default_rng(documents)
    said = generator.random((documents, factors)).round(1)
    was = (generator.random(said.shape) < 0.5).astype(float)
    found = calibrated(said, was, bins, by)
    assert sum(found.pairs) == said.size
    assert len(found.pairs) <= bins
    total = np.dot(found.pairs, found.observed)
    assert total == pytest.approx(was.sum())
    assert 0 <= found.expected_calibration_error <= 1
