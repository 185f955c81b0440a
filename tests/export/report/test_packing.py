import base64

import numpy as np
import pytest

from topicfactors.export.report.packing import limit_for, packed, quantised


def test_bytes_come_back_lowest_first():
    found = np.frombuffer(base64.b64decode(packed(np.array([1, 300], np.uint16))), "<u2")
    assert found.tolist() == [1, 300]


@pytest.mark.parametrize("budget", [3, 10, 47, 1000])
def test_the_limit_is_the_largest_that_fits(budget):
    sizes = np.array([1, 5, 9, 30, 30])
    limit = limit_for(sizes, budget)
    assert np.minimum(sizes, limit).sum() <= budget
    assert limit == sizes.max() or np.minimum(sizes, limit + 1).sum() > budget


def test_what_is_quantised_errs_by_half_a_step():
    nats = np.random.default_rng(0).normal(size=200)
    step, small = quantised(nats)
    np.testing.assert_allclose(step * small, nats, atol=0.51 * step)
    assert quantised(np.zeros(3))[0] == 0
