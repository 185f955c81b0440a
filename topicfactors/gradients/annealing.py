"""A temperature that falls while a model trains."""

from __future__ import annotations

from topicfactors.contracts import Sizes
from topicfactors.gradients.base import Gradient
from topicfactors.values import number


class Annealed(Gradient):
    """An estimator with a temperature that falls geometrically, then stays.

    Parameters
    ----------
    sizes
        Unused but for the contract.
    samples
        Draws a document.
    start, end
        Temperature at the beginning, and after ``annealing`` of training; geometric between.
    annealing
        Share of training after which the temperature stays.
    """

    def __init__(
        self,
        sizes: Sizes,
        *,
        samples: int = 1,
        start: float = 1.0,
        end: float = 0.4,
        annealing: float = 0.7,
    ) -> None:
        super().__init__(sizes, samples=samples)
        number("start", start, open_ends="low")
        number("end", end, open_ends="low")
        number("annealing", annealing, 0.0, 1.0, open_ends="low")
        self.start, self.end, self.annealing = start, end, annealing
        self.temperature = start

    def anneal(self, progress: float) -> None:
        """Move the temperature geometrically from ``start`` to ``end``."""
        share = min(1.0, progress / self.annealing)
        self.temperature = self.start * (self.end / self.start) ** share
