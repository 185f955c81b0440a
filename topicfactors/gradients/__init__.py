"""Gradient estimators: how the bound is differentiated through binary factors.

One file an algorithm. To add one: write its file, add its line here; the tests of unbiasedness and
variance, the command line and the documentation pick it up.
"""

from __future__ import annotations

from topicfactors.gradients.base import Gradient
from topicfactors.gradients.dvae import DVAE
from topicfactors.gradients.exact import Exact
from topicfactors.gradients.gumbel_softmax import GumbelSoftmax
from topicfactors.gradients.local_expectation import LocalExpectation
from topicfactors.gradients.nvil import NVIL
from topicfactors.gradients.straight_through import StraightThrough
from topicfactors.gradients.truncated import Truncated

GRADIENTS: dict[str, type[Gradient]] = {
    "dvae": DVAE,
    "exact": Exact,
    "gumbel-softmax": GumbelSoftmax,
    "local-expectation": LocalExpectation,
    "nvil": NVIL,
    "straight-through": StraightThrough,
    "truncated": Truncated,
}
