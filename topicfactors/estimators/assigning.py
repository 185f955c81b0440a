"""Which component each document comes from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from topicfactors.estimators.components import ComponentsMixin


class AssigningMixin(TransformerMixin, ComponentsMixin):  # type: ignore[misc]
    """predict, predict_proba, predict_log_proba, transform and fit_transform of a mixture."""

    def predict(self, X: Any, *, covariates: Any = None) -> NDArray[np.int64]:
        """The most probable component of every document of counts ``X (N, V)``, ``(N,)``.

        ``covariates`` of their documents where the model has some.
        """
        return np.asarray(self.predict_proba(X, covariates=covariates).argmax(1))

    def predict_proba(self, X: Any, *, covariates: Any = None) -> NDArray[np.float64]:
        """P(component | document) of counts ``X (N, V)``, ``(N, K)``; rows sum to one.

        ``covariates`` of their documents where the model has some. A document without words has the
        components' weights.
        """
        return np.exp(self.predict_log_proba(X, covariates=covariates))

    def predict_log_proba(self, X: Any, *, covariates: Any = None) -> NDArray[np.float64]:
        """Log :meth:`predict_proba` of counts ``X (N, V)`` and ``covariates``, ``(N, K)`` nats."""
        check_is_fitted(self)
        return self._log_posterior(self._observed(X, covariates))

    def transform(self, X: Any, *, covariates: Any = None) -> Any:
        """:meth:`predict_proba`, ``(N, K)``, of the type of the counts ``X (N, V)``.

        ``covariates`` of their documents where the model has some.
        """
        check_is_fitted(self)
        counts = self._observed(X, covariates)
        return np.exp(self._log_posterior(counts)).astype(counts.dtype, copy=False)

    def fit_transform(
        self, X: Any, y: Any = None, *, covariates: Any = None, **options: Any
    ) -> Any:
        """``fit`` with counts ``X (N, V)``, ``y``, ``covariates`` and options, and ``transform``.

        P(component | document), ``(N, K)``.
        """
        fitted: Any = self
        fitted.fit(X, y, covariates=covariates, **options)
        return fitted.transform(X, covariates=covariates)
