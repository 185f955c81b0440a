"""Responses of a mixture: what is expected in each component, and of each document."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from topicfactors.errors import ConfigurationError
from topicfactors.estimators.class_parts import ClassParts
from topicfactors.estimators.components import ComponentsMixin, Floats
from topicfactors.estimators.observed import Observed
from topicfactors.training.em_responses import Answers, Overall, ResponseComponents


class AnsweringMixin(ComponentsMixin):
    """predict_response of a mixture that was fitted with responses."""

    response_means_: Floats
    response_deviations_: Floats

    def predict_response(self, X: Any, *, covariates: Any = None) -> Floats:
        """The response that is expected of every document, from its words alone.

        Parameters
        ----------
        X
            Counts ``(N, V)``.
        covariates
            Of their documents, where the model has some.

        Returns
        -------
        ndarray
            float64 ``(N,)``: the means of the components, averaged over p(component | document).

        Raises
        ------
        ConfigurationError
            When the model was fitted without a response.
        """
        check_is_fitted(self, "objective_")
        if not self._responds():
            raise ConfigurationError(
                "the model was fitted without a response; fit it with fit(X, response=...)"
            )
        posterior = np.exp(self._log_posterior(self._observed(X, covariates)))
        return np.asarray(posterior @ self.response_means_)

    def _responds(self) -> bool:
        """Was the model fitted with responses?"""
        return len(self.response_means_) > 0

    def _answers(self, parts: ClassParts, counts: Observed) -> Answers | None:
        """What closed-form EM is told of the responses."""
        if counts.responses is None:
            return None
        family = str(parts.response.name)
        weight = float(parts.response.options.get("weight", 1.0))
        return Answers(counts.responses, family, Overall.of(counts.responses, family), weight)

    @torch.no_grad()
    def _note_responses(self, told: ResponseComponents | None, order: list[int]) -> None:
        """Mean and deviation of each component, in their order; empty without responses."""
        joint = self._joint()
        self.response_means_ = self.response_deviations_ = np.zeros(0)
        if told is not None:
            self.response_means_ = told.means[order]
            self.response_deviations_ = np.sqrt(told.variances[order])
        elif joint.response is not None:
            values = joint.every_class()[:, 0]
            means = joint.response.expected(values).cpu().double().numpy()
            self.response_means_ = means
            self.response_deviations_ = joint.response.deviations(values).cpu().double().numpy()
