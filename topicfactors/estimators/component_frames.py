"""Data frames, and representative documents, of the estimators with components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from topicfactors.estimators.advising import AdvisingMixin
from topicfactors.estimators.assigning import AssigningMixin
from topicfactors.estimators.contrasting import ContrastingMixin
from topicfactors.estimators.listing import (
    ListingMixin,
    pandas_module,
    probabilities_frame,
    words_of,
)
from topicfactors.estimators.wording import RANKING
from topicfactors.insight.documents import representative
from topicfactors.insight.topics import Factors
from topicfactors.values import whole


class ComponentListingMixin(ContrastingMixin, ListingMixin):
    """topics_frame and representative_documents of components that compete."""

    status_: list[str]

    def representative_documents(
        self, X: Any, n: int = 5, *, covariates: Any = None
    ) -> list[list[tuple[int, float]]]:
        """Rows of the documents that show each component (or class) best, with its probability.

        See :func:`topicfactors.insight.documents.representative`. Fewer than ``n`` where it is more
        probable than all others together in fewer documents of ``X``.

        Parameters
        ----------
        X, covariates
            Counts ``(N, V)``, and the covariates of the documents where the model has any.
        n
            Documents a component.

        Raises
        ------
        ConfigurationError
            When ``n`` is not a whole number of 1 or more.
        """
        whole("n", n, 1)
        counts = self._observed(X, covariates)
        return representative(counts, self._topics_of(counts, None), self._topics().log_odds, n)

    def topics_frame(self, n_words: int = 10, *, ranking: str = RANKING) -> Any:
        """A data frame with a row a component: prevalence, weight, status, words.

        ``component`` is its number, or of a classifier its name, and then there is its ``class``.
        The words are those of :meth:`top_words`, ``n_words`` of them under the ``ranking``; the
        ``suppressed`` ones speak against it.
        """
        frames = pandas_module()
        top, low = self.top_words(n_words, ranking=ranking), self.suppressed_words(n_words)
        return frames.DataFrame(
            {
                "component": self.factor_names_,
                **self._told_of_components(),
                "prevalence": self.prevalence_,
                "weight": self.weights_,
                "status": self.status_,
                "words": words_of(top),
                "suppressed": words_of(low),
            }
        )

    def _told_of_components(self) -> dict[str, Any]:
        """Further columns of :meth:`topics_frame`."""
        return {}


class MixtureFramesMixin(AssigningMixin, ComponentListingMixin):
    """What a mixture lists: its components."""

    def documents_frame(
        self, X: Any, ids: Sequence[Any] | None = None, *, covariates: Any = None
    ) -> Any:
        """A data frame with a row a document, in their order.

        Parameters
        ----------
        X, covariates
            Counts ``(N, V)``, and the covariates of the documents where the model has any.
        ids
            The index, N of them; the rows' numbers where there are none.

        Returns
        -------
        pandas.DataFrame
            ``component`` (the most probable one), and the probability of each as ``component_0``,
            ``component_1``, …; they sum to one.

        Raises
        ------
        InputError
            When there is not one id for each row.
        ConfigurationError
            When pandas is not installed.
        """
        found, called = self._topics_of(X, covariates), self._called()
        frame = probabilities_frame(found, ids, [f"component_{name}" for name in called])
        frame.insert(0, "component", [called[best] for best in found.argmax(1)])
        return frame

    def _topics_of(self, X: Any, covariates: Any) -> NDArray[np.floating]:
        return self.predict_proba(X, covariates=covariates)


class ClassFramesMixin(AdvisingMixin, ComponentListingMixin):
    """What a classifier lists: its classes, and in ``topics_frame`` the components of each."""

    def documents_frame(self, X: Any, ids: Sequence[Any] | None = None) -> Any:
        """A data frame with a row a document, in their order.

        Parameters
        ----------
        X
            Counts ``(N, V)``.
        ids
            The index, N of them; the rows' numbers where there are none.

        Returns
        -------
        pandas.DataFrame
            ``predicted`` (the most probable class), and the probability of each as ``class_`` and
            its name; they sum to one.

        Raises
        ------
        InputError
            When there is not one id for each row.
        ConfigurationError
            When pandas is not installed.
        """
        found = self._topics_of(X, None)
        frame = probabilities_frame(found, ids, [f"class_{name}" for name in self._called()])
        frame.insert(0, "predicted", self.classes_[found.argmax(1)])
        return frame

    def _told_of_components(self) -> dict[str, Any]:
        return {"class": self.classes_[self.class_of_component_]}

    def _topics(self) -> Factors:
        return self._classes_as_factors()

    def _topic_words(self, n_words: int, ranking: str) -> list[list[tuple[str, float]]]:
        return list(self.top_words_of_classes(n_words, ranking=ranking).values())

    def _topics_of(self, X: Any, covariates: Any) -> NDArray[np.floating]:
        return np.exp(self._log_classes(self._evidence(self._observed(X, covariates))))
