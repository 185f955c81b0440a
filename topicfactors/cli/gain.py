"""The line that ``topicfactors transform --refine`` ends with: what the steps were worth."""

from __future__ import annotations

from typing import Any

import numpy as np

from topicfactors.cli.console import note
from topicfactors.estimators.refining import Refinement


class Gain:
    """The bound of streamed documents before and after coordinate ascent.

    Parameters
    ----------
    model
        Whose posteriors are refined; a search has no line, nor has a run that is quiet.
    rounds
        What ``--refine`` asks for.
    quiet
        Is nothing to be told? Then nothing is computed.
    """

    def __init__(self, model: Any, rounds: int | str, quiet: bool) -> None:
        ascends = isinstance(rounds, int) and rounds > 0 and model._ascends()
        self.model, self.steps = model, int(rounds) if ascends and not quiet else 0
        self.blocks: list[Refinement] = []

    def heard(self, counts: Any) -> Any:
        """The counts of a block, whose bounds are noted on the way."""
        if self.steps and counts.shape[0]:
            self.blocks.append(self.model.refinement(counts, refine=self.steps))
        return counts

    def tell(self) -> None:
        """One line about all blocks."""
        if not self.blocks:
            return
        before, after = (np.concatenate([b[part] for b in self.blocks]).mean() for part in (1, 2))
        moved = "rose" if after >= before else "fell"
        note(
            f"{self.steps} steps of coordinate ascent: the ELBO {moved} by "
            f"{abs(after - before):.2f} nats a document, from {before:.2f} to {after:.2f}"
        )
