"""What coordinate ascent after the encoder's guess is worth, and scores of what it leaves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from topicfactors.errors import ConfigurationError
from topicfactors.estimators.base import threads
from topicfactors.estimators.observed import Observed
from topicfactors.estimators.posteriors import PosteriorMixin
from topicfactors.inference import bounds
from topicfactors.inference.noise import document_keys, document_noise
from topicfactors.training.batches import in_order

AT_ONCE = 512  # documents that are refined together
DRAWS = 32  # on which the bounds before and after are compared


class Refinement(NamedTuple):
    """The ELBO of some documents before and after coordinate ascent, on the same noise."""

    steps: int
    before: NDArray[np.float64]  # (N,) nats, of the guess
    after: NDArray[np.float64]  # (N,) nats

    @property
    def gain(self) -> float:
        """By how much the bound rose, nats a document."""
        return float((self.after - self.before).mean())


class RefiningMixin(PosteriorMixin):
    """refinement, and what scores read of a refined posterior."""

    @torch.no_grad()
    def refinement(self, X: Any, *, covariates: Any = None, refine: int = 20) -> Refinement:
        """By how much coordinate ascent raises the ELBO of each document.

        Parameters
        ----------
        X, covariates
            Counts ``(N, V)``, and the covariates of the documents where the model has any.
        refine
            Steps after the encoder's guess, as ``transform(X, refine=20)`` makes them where the
            posterior is not searched. Of ``"truncated"``, whose ``transform`` searches, it is the
            ascent of the guess of its encoder all the same.

        Returns
        -------
        Refinement
            ``before (N,)``, ``after (N,)`` in nats, and the mean ``gain``, on 32 draws of each
            whose noise depends on the document alone.

        Raises
        ------
        ConfigurationError
            When ``refine`` is no whole number of 1 or more, or the posterior is exact.
        """
        counts = self._observed(X, covariates)
        steps = self._steps(refine)
        found: list[tuple[torch.Tensor, ...]] = []
        for target, guess, q, keys in self._refined(counts, steps):
            noise = document_noise(keys, DRAWS, self._factors())
            found.append(tuple(bounds.elbo(target, one, DRAWS, noise) for one in (guess, q)))
        before, after = (torch.cat(part).cpu().double() for part in zip(*found, strict=True))
        return Refinement(steps, before.numpy(), after.numpy())

    @torch.no_grad()
    def _refined(self, counts: Observed, steps: int) -> Iterator[tuple[Any, Any, Any, Any]]:
        """Target, guess, refined posterior and keys of blocks of documents."""
        self.objective_.eval()
        for batch in in_order(self._documents(counts), AT_ONCE):
            with threads(self.n_jobs), torch.no_grad():
                target, guess = self.objective_.explain(batch, 0)
                q = self.objective_.ascent(batch, target, guess, steps)
            yield target, guess, q, document_keys(batch.counts)

    def _steps(self, refine: int | str) -> int:
        steps = self._rounds(refine)
        if not isinstance(steps, int) or steps == 0:
            raise ConfigurationError(f"refine must be a whole number of 1 or more, got {refine!r}")
        return steps

    def _ascends(self) -> bool:
        """Is ``refine`` coordinate ascent here, and no search?"""
        return not (self._enumerates() or self.objective_.posterior.searched)

    def _guessed(self) -> int | None:
        """What ``refine`` is where a bound of the posterior itself is scored, not of a search."""
        return 0 if self.objective_.posterior.encoded else None
