"""Gradient estimators: how the bound is differentiated through binary factors.

One file an algorithm. To add one: write its file, add its line here; the tests of unbiasedness and
variance, the command line and the documentation pick it up.
"""

from __future__ import annotations

from topicfactors.gradients.arms import ARMS
from topicfactors.gradients.base import Gradient
from topicfactors.gradients.disarm import DisARM
from topicfactors.gradients.double_cv import DoubleCV
from topicfactors.gradients.dvae import DVAE
from topicfactors.gradients.exact import Exact
from topicfactors.gradients.gumbel_rao import GumbelRao
from topicfactors.gradients.gumbel_softmax import GumbelSoftmax
from topicfactors.gradients.hard_concrete import HardConcrete
from topicfactors.gradients.local_expectation import LocalExpectation
from topicfactors.gradients.muprop import MuProp
from topicfactors.gradients.nvil import NVIL
from topicfactors.gradients.rao_blackwell import RaoBlackwell
from topicfactors.gradients.rebar import Rebar
from topicfactors.gradients.reinforce import Reinforce
from topicfactors.gradients.reinmax import ReinMax
from topicfactors.gradients.relax import Relax
from topicfactors.gradients.rloo import RLOO
from topicfactors.gradients.self_critical import SelfCritical
from topicfactors.gradients.straight_through import StraightThrough
from topicfactors.gradients.truncated import Truncated
from topicfactors.gradients.vimco import VIMCO
from topicfactors.gradients.wake_sleep import WakeSleep

GRADIENTS: dict[str, type[Gradient]] = {
    "arms": ARMS,
    "disarm": DisARM,
    "double-cv": DoubleCV,
    "dvae": DVAE,
    "exact": Exact,
    "gumbel-rao": GumbelRao,
    "gumbel-softmax": GumbelSoftmax,
    "hard-concrete": HardConcrete,
    "local-expectation": LocalExpectation,
    "muprop": MuProp,
    "nvil": NVIL,
    "rao-blackwell": RaoBlackwell,
    "rebar": Rebar,
    "reinforce": Reinforce,
    "reinmax": ReinMax,
    "relax": Relax,
    "rloo": RLOO,
    "self-critical": SelfCritical,
    "straight-through": StraightThrough,
    "truncated": Truncated,
    "vimco": VIMCO,
    "wake-sleep": WakeSleep,
}
