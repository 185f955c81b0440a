"""Responses: the numbers of documents that are fitted with their words, and predicted from them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from topicfactors.corpus.cells import numbers_of
from topicfactors.errors import ConfigurationError, InputError
from topicfactors.estimators.choices import Choice
from topicfactors.estimators.posteriors import PosteriorMixin
from topicfactors.inference.autoregressive import Autoregressive
from topicfactors.model.responses import Response


def as_responses(response: Any, documents: int, family: Choice) -> NDArray[np.float64]:
    """The responses of ``documents`` documents as numbers ``(N,)``, NaN where unseen.

    Parameters
    ----------
    response
        An array, a Series or a list; None or NaN where a document has none.
    documents
        N.
    family
        How they are drawn: says which numbers cannot be.

    Raises
    ------
    InputError
        When they are not so many, none is there, or one is no number of that family.
    """
    if isinstance(response, str) or not isinstance(response, Sequence | np.ndarray):
        response = np.asarray(response)
    shape = np.shape(response) if isinstance(response, np.ndarray) else (len(response),)
    if shape != (documents,):
        raise InputError(
            f"response must be one number for each of {documents} documents, got shape {shape}; "
            "write None or NaN where it is unknown"
        )
    values = numbers_of(response, "response, row {}".format)
    refuse_unlikely(values, "response, row {}".format, family)
    if np.isnan(values).all():
        raise InputError(
            f"response: unknown for all {documents} documents; expected a number for one at least, "
            "or leave response out"
        )
    return values


def refuse_unlikely(values: NDArray[np.float64], place: Any, family: Choice) -> None:
    """Refuse numbers ``(N,)`` that the family says are impossible; ``place`` names a row.

    Raises
    ------
    InputError
        At the first of them.
    """
    least = getattr(family.constructor, "least", -math.inf)
    wrong = np.flatnonzero(values < least)
    if len(wrong):
        raise InputError(
            f"{place(int(wrong[0]))}: {values[wrong[0]]:g} is below {least:g}, and a "
            f"{family.label} response is {least:g} or more; use the gaussian family"
        )


class RespondingMixin(PosteriorMixin):
    """predict_response and the coefficients of a factor model that was fitted with responses."""

    def predict_response(
        self, X: Any, *, covariates: Any = None, refine: int | str = "auto"
    ) -> NDArray[np.float64]:
        """The response that is expected of every document, from its words (and covariates) alone.

        Parameters
        ----------
        X
            Counts ``(N, V)``.
        covariates, refine
            As for :meth:`transform`.

        Returns
        -------
        ndarray
            float64 ``(N,)``: E[r | z] averaged over the posterior of the factors.

        Raises
        ------
        ConfigurationError
            When the model was fitted without a response.
        """
        check_is_fitted(self)
        self._response()
        return np.asarray(self._told(self._observed(X, covariates), refine)[:, -1])

    @property
    def response_coef_(self) -> NDArray[np.float64]:
        """What each factor adds to the response (Poisson: to its logarithm), ``(D,)``."""
        found = self._response().slopes()[: self._factors()]
        return np.asarray(found.cpu().double().numpy())

    @property
    def response_intercept_(self) -> float:
        """The response (Poisson: its logarithm) that is expected with no factor on."""
        return float(self._response().offset())

    def _responds(self) -> bool:
        """Was the model fitted with responses?"""
        return self._joint().response is not None

    def _response(self) -> Response:
        found = self._joint().response
        if not isinstance(found, Response):
            raise ConfigurationError(
                "the model was fitted without a response; fit it with fit(X, response=...)"
            )
        return found

    @torch.no_grad()
    def _told(self, counts: Any, refine: int | str = "auto") -> NDArray[np.float64]:
        """The columns of ``transform``, and the expected response after them if there is one."""
        if not self._responds():
            return np.asarray(self.transform(counts, refine=refine))
        rounds = self._rounds(refine)
        counts, joint = self._believed(self._observed(counts)), self._joint()
        parts = [
            torch.cat([q.mean(), self._expected(q)[:, None].to(q.mean().dtype)], 1).cpu().double()
            for _, q in self._posteriors(counts, rounds)
        ]
        found = torch.cat(parts)
        if getattr(joint.likelihood, "silent", True):
            empty = np.flatnonzero(np.diff(counts.indptr) == 0)
            prior = joint.prior.condition(self._documents(counts[empty]).covariates)
            on = prior.probabilities().reshape(-1, self._factors())
            rows = torch.cat([on, self._response().averaged(on)[:, None].to(on.dtype)], 1)
            found[torch.from_numpy(empty)] = rows.cpu().double()
        return np.asarray(found.numpy())

    def _expected(self, q: Any) -> torch.Tensor:
        """E[r] under the posterior of a block of documents, ``(B,)``."""
        response = self._response()
        if response.linear or q.factorised:
            return response.averaged(q.mean())
        if isinstance(q, Autoregressive):
            return response.expected(q.draws().bits).mean(0)
        states, log_q = q.support() or (q.states[:, None].to(q.log_weights.dtype), q.log_weights)
        found: torch.Tensor = (log_q.exp() * response.expected(states)).sum(0)
        return found

    def _answered(
        self, response: Any, documents: int, family: Choice, going_on: bool
    ) -> NDArray[np.float64] | None:
        """The responses that a training is given, or the error that says why it cannot be."""
        if response is None:
            return None
        if going_on and not self._responds():
            raise ConfigurationError(
                "training goes on with a model that was begun without a response; clone the model "
                "to start anew, with responses from the first call"
            )
        return as_responses(response, documents, family)
