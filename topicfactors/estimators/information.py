"""What documents tell of the effects of covariates, where factors are summed out."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from topicfactors.contracts import Memory
from topicfactors.estimators.effects import CovariatesMixin
from topicfactors.estimators.observed import Observed
from topicfactors.estimators.posteriors import PosteriorMixin


class InformationMixin(PosteriorMixin, CovariatesMixin):
    """The curvature of log p(x) in the logits of the prior; Louis (1982)."""

    @torch.no_grad()
    def _information(self, counts: Observed, memory: Memory | None) -> NDArray[np.float64]:
        """What documents tell of the constant and Γ of each factor; ``(D, 0, 0)`` without Γ."""
        if self.design_ is None or not self.design_.prior or counts.covariates is None:
            return np.zeros((self._factors(), 0, 0))
        read = counts.covariates[:, : self.design_.prior].astype(np.float64)
        rows = np.pad(read, ((0, 0), (1, 0)), constant_values=1.0)
        total, start = np.zeros((self._factors(), rows.shape[1], rows.shape[1])), 0
        for target, q in self._posteriors(counts, memory=memory):
            before = target.prior.probabilities().cpu().numpy().astype(np.float64)
            after = q.mean().cpu().numpy().astype(np.float64)
            known = before * (1 - before) - after * (1 - after)  # (B, D)
            part = rows[start : start + len(known)]
            start += len(known)
            total += np.einsum("bd,bi,bj->dij", known, part, part, optimize=True)
        return total
