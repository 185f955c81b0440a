"""Gradient estimators: how the bound is differentiated through binary factors.

One file an algorithm. To add one: write its file, add its line here; the tests of unbiasedness and
variance, the command line and the documentation pick it up.
"""

from __future__ import annotations

from topicfactors.gradients.arms import ARMS
from topicfactors.gradients.base import Gradient
from topicfactors.gradients.disarm import DisARM
from topicfactors.gradients.dvae import DVAE
from topicfactors.gradients.exact import Exact
from topicfactors.gradients.gumbel_softmax import GumbelSoftmax
from topicfactors.gradients.local_expectation import LocalExpectation
from topicfactors.gradients.nvil import NVIL
from topicfactors.gradients.rao_blackwell import RaoBlackwell
from topicfactors.gradients.reinforce import Reinforce
from topicfactors.gradients.rloo import RLOO
from topicfactors.gradients.self_critical import SelfCritical
from topicfactors.gradients.straight_through import StraightThrough
from topicfactors.gradients.truncated import Truncated
from topicfactors.gradients.vimco import VIMCO
from topicfactors.gradients.wake_sleep import WakeSleep

GRADIENTS: dict[str, type[Gradient]] = {
    "arms": ARMS,
    "disarm": DisARM,
    "dvae": DVAE,
    "exact": Exact,
    "gumbel-softmax": GumbelSoftmax,
    "local-expectation": LocalExpectation,
    "nvil": NVIL,
    "rao-blackwell": RaoBlackwell,
    "reinforce": Reinforce,
    "rloo": RLOO,
    "self-critical": SelfCritical,
    "straight-through": StraightThrough,
    "truncated": Truncated,
    "vimco": VIMCO,
    "wake-sleep": WakeSleep,
}
