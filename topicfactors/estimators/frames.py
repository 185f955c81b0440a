"""Data frames, and representative documents, of a fitted factor model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from topicfactors.errors import ConfigurationError
from topicfactors.estimators.anchoring import AnchoringMixin
from topicfactors.estimators.listing import (
    ListingMixin,
    pandas_module,
    probabilities_frame,
    words_of,
)
from topicfactors.estimators.posteriors import PosteriorMixin
from topicfactors.estimators.readouts import ReadoutMixin
from topicfactors.estimators.wording import RANKING
from topicfactors.export.factors import column_name
from topicfactors.insight.documents import representative
from topicfactors.values import is_whole


class FramesMixin(AnchoringMixin, PosteriorMixin, ReadoutMixin, ListingMixin):
    """topics_frame, documents_frame, representative_documents."""

    prior_: NDArray[np.float32]
    status_: list[str]

    def representative_documents(
        self, X: Any, n: int = 5, *, covariates: Any = None, refine: int | str = "auto"
    ) -> list[list[tuple[int, float]]]:
        """Rows of the documents that show each factor best, with P(on | document).

        See :func:`topicfactors.insight.documents.representative`. Fewer than ``n`` where the factor
        is on in fewer documents of ``X``.

        Parameters
        ----------
        X, covariates
            Counts ``(N, V)``, and the covariates of the documents where the model has any.
        n
            Documents a factor.
        refine
            As for :meth:`transform`.

        Raises
        ------
        ConfigurationError
            When ``n`` is not a whole number of 1 or more.
        """
        if not is_whole(n) or n < 1:
            raise ConfigurationError(f"n must be a whole number of 1 or more, got {n!r}")
        counts = self._observed(X, covariates)
        found = np.asarray(self.transform(counts, refine=refine))
        return representative(counts, found, self.factors().log_odds, n)

    def topics_frame(self, n_words: int = 10, *, ranking: str = RANKING) -> Any:
        """A data frame with a row a factor: prevalence, prior, status, words, suppressed words.

        The words are those of :meth:`top_words`, ``n_words`` of them under the ``ranking``. With
        several runs there is also the share of the others in which each factor ``came_back``.
        """
        frames = pandas_module()
        top, low = self.top_words(n_words, ranking=ranking), self.suppressed_words(n_words)
        return frames.DataFrame(
            {
                "factor": self.factor_names_,
                "prevalence": self.prevalence_,
                "prior": self.prior_,
                "status": self.status_,
                **({"came_back": self.came_back_} if hasattr(self, "came_back_") else {}),
                "words": words_of(top),
                "suppressed": words_of(low),
            }
        )

    def documents_frame(
        self,
        X: Any,
        ids: Sequence[Any] | None = None,
        *,
        covariates: Any = None,
        refine: int | str = "auto",
    ) -> Any:
        """A data frame with a row a document, in their order.

        Parameters
        ----------
        X, covariates
            Counts ``(N, V)``, and the covariates of the documents where the model has any.
        ids
            The index, N of them; the rows' numbers where there are none.
        refine
            As for :meth:`transform`.

        Returns
        -------
        pandas.DataFrame
            ``on`` (the factors more likely on than off), ``strongest`` (the most probable one), and
            P(on | document) as ``factor_0``, ``factor_1``, …

        Raises
        ------
        InputError
            When there is not one id for each row.
        ConfigurationError
            When pandas is not installed.
        """
        found = np.asarray(self.transform(X, covariates=covariates, refine=refine))
        frame = probabilities_frame(found, ids, list(map(column_name, self.factor_names_)))
        frame.insert(0, "strongest", found.argmax(1))
        frame.insert(0, "on", [np.flatnonzero(row > 0.5).tolist() for row in found])
        return frame

    def _called(self) -> list[int | str]:
        return list(range(self._factors()))  # gensim's topics are numbers

    def _topics_of(self, X: Any, covariates: Any) -> NDArray[np.floating]:
        return np.asarray(self.transform(X, covariates=covariates))
