"""What every fit keeps, whatever the model: totals of the words, and no half of a model."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from topicfactors.errors import FitWarning, InputError
from topicfactors.estimators.base import CountsEstimator
from topicfactors.estimators.observed import Observed
from topicfactors.training.trainer import History


class KeepingMixin(CountsEstimator):
    """Word totals, interruptions and failures of a fit."""

    word_totals_: NDArray[np.float64]
    document_frequency_: NDArray[np.float64]
    n_documents_: int

    @contextlib.contextmanager
    def _whole_or_not_at_all(self, going_on: bool) -> Iterator[None]:
        """Where a new training fails, leave the model of before it, or none; no half of one."""
        with contextlib.nullcontext() if going_on else self._as_it_was():
            yield

    def _check_told(self, kept: Observed) -> None:
        """Refuse responses of which none is left when some documents are held out."""
        if kept.responses is not None and np.isnan(kept.responses).all():
            raise InputError(
                "response: known only for documents that were held out; give more of them, or "
                "validation_fraction=0"
            )

    def _pass_on(self, history: History) -> None:
        """Raise the interruption, or warn of the fault, that ended training."""
        if history.interruption is not None:
            raise history.interruption
        if history.fault:
            warnings.warn(f"training stopped early: {history.fault}", FitWarning, stacklevel=3)

    def _count_words(self, counts: Any, add: bool = False) -> None:
        words = np.asarray(counts.sum(axis=0, dtype=np.float64)).ravel()
        documents = np.bincount(counts.indices, minlength=counts.shape[1]).astype(np.float64)
        self.n_documents_ = counts.shape[0] + (self.n_documents_ if add else 0)
        self.word_totals_ = self.word_totals_ + words if add else words
        self.document_frequency_ = self.document_frequency_ + documents if add else documents
