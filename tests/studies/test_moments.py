"""Bias, variance and their errors from draws whose mean and variance are known."""

import math

import pytest
import torch

from topicfactors.studies.moments import Moments, Reference

DOCUMENTS, ENTRIES, DEVIATION = 3, 4, 2.0


def drawn(draws=4000, shift=0.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    moments, truth = Moments(), torch.arange(12.0, dtype=torch.float64).view(DOCUMENTS, ENTRIES)
    for _ in range(draws):
        noise = torch.randn(DOCUMENTS, ENTRIES, generator=generator, dtype=torch.float64)
        moments.add(truth + shift + DEVIATION * noise)
    return moments, Reference(truth, torch.zeros_like(truth))


def test_the_variance_is_summed_over_entries_with_its_error():
    found = [drawn(1000, seed=seed) for seed in range(20)]
    each = [moments.figures(reference) for moments, reference in found]
    variances = torch.tensor([figures.variance for figures in each])
    assert float(variances.mean()) == pytest.approx(ENTRIES * DEVIATION**2, rel=0.01)
    said = sum(figures.variance_error for figures in each) / len(each)
    assert said == pytest.approx(float(variances.std()), rel=0.5)


def test_chance_adds_nothing_to_the_bias():
    squares = []
    for seed in range(30):
        moments, reference = drawn(20, seed=seed)
        found = moments.figures(reference)
        squares.append(found.bias**2)
        assert found.bias <= found.bias_most
    chance = ENTRIES * DEVIATION**2 / 20  # what the plain squared distance would say
    assert sum(squares) / len(squares) < 0.5 * chance


def test_a_bias_is_found_and_bounded():
    moments, reference = drawn(shift=0.5)
    found = moments.figures(reference)
    assert found.bias == pytest.approx(math.sqrt(ENTRIES) * 0.5, rel=0.05)
    assert found.bias < found.bias_most < 1.2 * found.bias
    assert found.cosine > 0.99
    mean = reference.mean + 0.5
    assert found.signal == pytest.approx(float(mean.square().sum(-1).mean().sqrt()), rel=0.01)


def test_the_error_of_a_reference_is_no_bias():
    squares, ranges = [], []
    for seed in range(30):
        moments, _ = drawn(200, seed=seed)
        other, truth = drawn(50, seed=1000 + seed)
        reference = other.reference()
        expected = torch.full_like(truth.mean, DEVIATION**2 / 50)
        assert float(reference.error.mean()) == pytest.approx(float(expected.mean()), rel=0.3)
        found = moments.figures(reference)
        squares.append(found.bias**2)
        ranges.append(found.bias_most**2 - found.bias**2)
    assert any(squares)
    assert sum(square > span for square, span in zip(squares, ranges, strict=True)) <= 3


def test_what_cannot_be_told_from_zero_has_no_direction():
    generator, reference = (
        torch.Generator().manual_seed(0),
        Reference(*torch.ones(2, 1, 4).double()),
    )
    reference = reference._replace(error=torch.zeros(1, 4, dtype=torch.float64))
    found, clear = Moments(), Moments()
    for _ in range(50):
        noise = torch.randn(1, 4, generator=generator, dtype=torch.float64)
        found.add(100 * noise)
        clear.add(1 + noise)
    assert math.isnan(found.figures(reference).cosine)
    assert found.figures(reference).signal_most > 10
    assert clear.figures(reference).cosine == pytest.approx(1.0, abs=0.05)
