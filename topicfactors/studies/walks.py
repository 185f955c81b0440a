"""How often the vocabulary is walked over: what an estimator's evaluations cost, counted.

The unit is one walk over the vocabulary for one document: log p(x | z) at one state z, which is
D multiplications for every word. All D flips of a state under a log-linear decoder are a walk and
two products that are as long, three walks; where the flips have no closed form they are evaluated,
a walk each. A table of states is 2^D of them. What the derivative costs is not in it: that, and
everything else, is in the seconds.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from topicfactors.contracts import Batch
from topicfactors.model.joint import FactorTarget
from topicfactors.training.objectives import FactorObjective

OF_FLIPS = 3  # walks that all flips of a state cost where they have a closed form


class Meter:
    """Counts walks, of all documents together."""

    def __init__(self) -> None:
        self.walks = 0

    def reset(self) -> int:
        """What was counted; the meter begins again."""
        counted, self.walks = self.walks, 0
        return counted


class CountedTarget:
    """A target that puts every evaluation of the decoder on a meter; ``contracts.Target``."""

    def __init__(self, target: FactorTarget, meter: Meter) -> None:
        self.target, self.meter = target, meter
        self.documents = len(target.counts)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.target, name)

    def count(self, states: int, each: int = 1) -> None:
        """So many states of every document, each of so many walks."""
        self.meter.walks += states * each * self.documents

    def log_likelihood(self, values: Tensor) -> Tensor:
        """A walk a state ``(S, B or 1, D) -> (S, B)``."""
        self.count(len(values))
        return self.target.log_likelihood(values)

    def of_words(self, values: Tensor) -> Tensor:
        """A walk a state ``(S, B or 1, D) -> (S, B)``."""
        self.count(len(values))
        return self.target.of_words(values)

    def log_joint(self, bits: Tensor) -> Tensor:
        """A walk a state ``(S, B, D) -> (S, B)``, though those that come often are shared."""
        self.count(len(bits))
        return self.target.log_joint(bits)

    def flips(self, bits: Tensor, prior_weight: float = 1.0, known: Tensor | None = None) -> Tensor:
        """All flips of each state, ``(S, B, D)``; cheaper where its log-likelihood is known."""
        self.count(len(bits), walks_of_flips(self.target, known is not None))
        more: dict[str, Any] = {} if known is None else {"known": known}
        return self.target.flips(bits, prior_weight, **more)

    def table(self) -> Tensor:
        """A walk for each of the states ``(2^D, B)``."""
        self.count(2**self.target.factors)
        return self.target.table()

    def landscape(self) -> Any:
        """What a search asks, counted too."""
        return CountedLandscape(self)


class CountedLandscape:
    """A landscape that puts what a search asks on the meter; ``contracts.Landscape``."""

    def __init__(self, counted: CountedTarget) -> None:
        self.counted, self.landscape = counted, counted.target.landscape()
        joint = counted.target.joint
        self.log_linear = bool(joint.decoder.log_linear)
        self.known = bool(joint.likelihood.closed_flips or joint.likelihood.closed_norms)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.landscape, name)

    def select(self, rows: Tensor) -> CountedLandscape:
        """That of some documents, counted as if it were of all."""
        chosen = CountedLandscape(self.counted)
        chosen.landscape = self.landscape.select(rows)
        return chosen

    def log_joint(self, bits: Tensor) -> Tensor:
        """A walk a state ``(S, B, D) -> (S, B)``."""
        self.counted.count(len(bits))
        return self.landscape.log_joint(bits)

    def best_flips(
        self, bits: Tensor, count: int, barred: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """All flips of a state of every document, the best evaluated where they are guesses."""
        if self.log_linear:
            again = 0 if self.known else min(count, self.counted.target.factors)
            self.counted.count(1, OF_FLIPS + again)
        else:
            self.counted.count(1, walks_of_flips(self.counted.target))
        return self.landscape.best_flips(bits, count, barred)


def walks_of_flips(target: FactorTarget, known: bool = False) -> int:
    """What all D flips of one state of a document cost, its own log-likelihood ``known`` or not."""
    likelihood, itself = target.joint.likelihood, 0 if known else 1
    if not (target.joint.decoder.log_linear and likelihood.closed_norms):
        return target.factors + itself
    return OF_FLIPS if likelihood.closed_flips else OF_FLIPS + itself


class CountedObjective(FactorObjective):
    """The objective of a factor model with a meter on its decoder."""

    meter: Meter

    def condition(self, batch: Batch) -> tuple[Any, Any]:
        """Log p(x, z) of the batch, counted, and q(z | x)."""
        target: Any = CountedTarget(self.joint.condition(batch), self.meter)
        return target, self.posterior(batch, target)


def counted(objective: FactorObjective) -> CountedObjective:
    """The same parts with a meter on them."""
    parts = (objective.joint, objective.posterior, objective.gradient, objective.overlap_penalty)
    found = CountedObjective(*parts)
    found.meter = Meter()
    return found
