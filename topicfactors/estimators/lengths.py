"""How far the words of a long document are believed where its factors are asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from topicfactors.errors import ConfigurationError
from topicfactors.estimators.base import CountsEstimator
from topicfactors.estimators.checks import check_length
from topicfactors.estimators.choices import Choice
from topicfactors.estimators.halves import check_whole
from topicfactors.estimators.observed import Observed
from topicfactors.training.tempering import Length, Seen

AUTO = "length_tempering='auto'"


class LengthMixin(CountsEstimator):
    """Counts as evidence: fewer of them where a document is long. Scores stay on raw counts."""

    length_tempering: float | str | None
    length_tempering_: float | None

    def _believed(self, counts: Observed) -> Observed:
        """What of the counts a posterior is inferred from, the same non-zeros."""
        most = self._length()
        return counts if most is None else tempered(counts, most)

    def _length(self) -> float | None:
        """The c of min(1, c/√n), or None for all words."""
        asked = self.length_tempering
        check_length(asked)
        if not isinstance(asked, str):
            return asked
        if not hasattr(self, "length_tempering_"):
            raise ConfigurationError(
                f"{AUTO} is chosen by fit; fit again, or set a number such as 4"
            )
        return self.length_tempering_

    def _check_length(self, counts: Observed, likelihood: Choice) -> None:
        """Refuse a tempering that would do nothing, or cannot be chosen from these counts."""
        if self.length_tempering is None:
            return
        if not getattr(likelihood.constructor, "silent", True):
            raise ConfigurationError(
                f"length_tempering makes counts smaller, of which likelihood={likelihood.label!r} "
                "reads presence alone; leave it out"
            )
        if isinstance(self.length_tempering, str):
            check_whole(counts, AUTO)

    def _refuse_length(self) -> None:
        """A part of the documents cannot say how far they are to be believed."""
        if isinstance(self.length_tempering, str) and not hasattr(self, "length_tempering_"):
            raise ConfigurationError(
                f"{AUTO} is chosen by fit, which partial_fit is not; give a number such as 4, or "
                "call fit first"
            )


def tempered(counts: Observed, most: float) -> Observed:
    """Counts ``(N, V)`` times min(1, most/√tokens), with all that is known of their documents."""
    evidence = Length(most=most)(counts, Seen(np.zeros(counts.shape[1]), counts.shape[0]))
    found: Any = evidence.astype(np.result_type(counts.dtype, np.float32))
    return Observed(found, covariates=counts.covariates, responses=counts.responses)
