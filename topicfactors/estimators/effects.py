"""What covariates do: to how often factors are on, and to the words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit, logit, logsumexp
from scipy.stats import norm
from sklearn.utils.validation import check_is_fitted

from topicfactors.errors import ConfigurationError, InputError
from topicfactors.estimators.base import CountsEstimator
from topicfactors.estimators.design import Design
from topicfactors.model.classes import CategoricalPrior
from topicfactors.values import is_whole, number

LEAST_INFORMATION = 1e-6  # a direction of which nothing is known has a standard error of 1,000


class Effect(NamedTuple):
    """How much more often a factor is on where a covariate has a value than at the mean of all."""

    factor: int  # or component
    column: str
    level: str  # a category, a knot of a spline, or "+" and one standard deviation of a number
    log_odds: float
    standard_error: float
    low: float  # ends of the interval
    high: float


class Interval(NamedTuple):
    """Ends of intervals for probabilities, shaped as they are."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]


class CovariateWords(NamedTuple):
    """The words that come more, and less, where a covariate has a value than at the mean."""

    column: str
    level: str
    words: list[tuple[str, float]]  # with the change of their log-weight, nats
    suppressed: list[tuple[str, float]]


class CovariatesMixin(CountsEstimator):
    """effects, prevalence and covariate_words of a model that was fitted with covariates."""

    covariate_shrinkage: float
    covariate_information_: NDArray[np.float64]  # (D, 1 + C, 1 + C), a constant first; or empty

    def effects(self, *, level: float = 0.95) -> list[Effect]:
        r"""Effects of the covariates on the log-odds of every factor, the others at their mean.

        Of a mixture, on the log-odds of every component against all others together.

        A category's effect is that of each of its levels, a number's that of one standard deviation
        more, a spline's that at each of its knots; all against the mean of the documents.

        The standard errors are those of a normal approximation at the fitted values: the curvature
        of the log-likelihood with the factors summed out, :math:`\sum_i [p_i(1-p_i) -
        q_i(1-q_i)]\,c_i c_i^\top` by Louis' (1982) identity (p the prior's, q the posterior's
        probability of document i), and of the Gaussian prior on the effects. A factor of which the
        words leave doubt so tells less than one that was seen. Loadings and other factors are held;
        of a mixture, the odds among the other components, as in a logistic regression of one
        component against the rest: a tenth too small, say, where those move far apart.

        Parameters
        ----------
        level
            Probability of the intervals.

        Returns
        -------
        list of Effect
            By factor, then by column and level.

        Raises
        ------
        ConfigurationError
            When no covariate acts on the prevalence.
        """
        number("level", level, 0.0, 1.0, open_ends="low high")
        weights, covariance = self._estimated()
        wide = float(norm.ppf(0.5 + level / 2))
        found = []
        for column, value, row in self._design().points():
            if self._design().reads(column) == "content":
                continue
            row = row[: weights.shape[1]]
            spread = np.sqrt(np.einsum("i,dij,j->d", row, covariance[:, 1:, 1:], row))
            middle = self._moved(weights @ row)
            ends = middle - wide * spread, middle + wide * spread
            each = zip(middle, spread, *ends, strict=True)
            found += [Effect(d, column, value, *map(float, told)) for d, told in enumerate(each)]
        return sorted(found, key=lambda effect: effect.factor)

    def effects_frame(self, *, level: float = 0.95) -> Any:
        """:meth:`effects` with intervals of a ``level`` as a pandas data frame.

        Raises
        ------
        ConfigurationError
            When pandas is not installed, or no covariate acts on the prevalence.
        """
        try:
            import pandas
        except ImportError as error:
            raise ConfigurationError("data frames need pandas; pip install pandas") from error
        return pandas.DataFrame(self.effects(level=level), columns=Effect._fields)

    def prevalence(self, at: Mapping[str, Any] | None = None) -> NDArray[np.float32]:
        """P(factor on) before any word is seen, of documents with some covariates.

        Parameters
        ----------
        at
            Values of some columns, as in ``{"year": 1850}``; the others are at their mean. With
            lists of values, ``{"year": [1800, 1850]}``, a row for each.

        Returns
        -------
        ndarray
            ``(D,)``, or ``(n, D)`` for lists.

        Raises
        ------
        InputError
            When there is no such column or value, or it acts on the words only.
        ConfigurationError
            When no covariate acts on the prevalence.
        """
        rows, one = self._rows_at(at)
        with torch.no_grad():
            prior = self._joint().outermost().condition(torch.from_numpy(rows).to(self._device()))
            found = np.asarray(prior.probabilities().cpu().numpy())
        return found[0] if one else found

    def prevalence_interval(
        self, at: Mapping[str, Any] | None = None, *, level: float = 0.95
    ) -> Interval:
        """Intervals for :meth:`prevalence` ``at`` the same values, of a probability ``level``.

        Normal on the scale of log-odds; see :meth:`effects`.
        """
        number("level", level, 0.0, 1.0, open_ends="low high")
        rows, one = self._rows_at(at)
        weights, covariance = self._estimated()
        middle = logit(np.atleast_2d(self.prevalence(at)).astype(np.float64))
        padded = np.pad(rows[:, : weights.shape[1]], ((0, 0), (1, 0)), constant_values=1.0)
        spread = np.sqrt(np.einsum("ni,dij,nj->nd", padded, covariance, padded))
        wide = float(norm.ppf(0.5 + level / 2)) * spread
        low, high = expit(middle - wide), expit(middle + wide)
        return Interval(low[0], high[0]) if one else Interval(low, high)

    def covariate_words(self, n_words: int = 10) -> list[CovariateWords]:
        """The ``n_words`` words that each value of a covariate makes more, and less, frequent.

        Raises
        ------
        ConfigurationError
            When no covariate acts on the words.
        """
        if not is_whole(n_words) or n_words < 1:
            raise ConfigurationError(
                f"n_words must be a whole number of 1 or more, got {n_words!r}"
            )
        content = self._joint().content
        if content is None:
            raise ConfigurationError(
                "no covariate acts on the words; fit with one that does, as in "
                "covariates=['section:content']"
            )
        weights, names = content.detach().cpu().numpy(), self._words().tolist()
        found = []
        for column, value, row in self._design().points():
            if self._design().reads(column) == "prevalence":
                continue
            moved = weights @ row[-weights.shape[1] :]
            order = np.argsort(-moved, kind="stable")
            up = [(names[v], float(moved[v])) for v in order[:n_words] if moved[v] > 0]
            down = [(names[v], float(moved[v])) for v in order[::-1][:n_words] if moved[v] < 0]
            found.append(CovariateWords(column, value, up, down))
        return found

    def _design(self) -> Design:
        check_is_fitted(self, "objective_")
        if self.design_ is None:
            raise ConfigurationError(
                "the model was fitted without covariates; fit(X, covariates=frame) has their "
                "effects"
            )
        return self.design_

    def _rows_at(self, at: Mapping[str, Any] | None) -> tuple[NDArray[np.float32], bool]:
        self._weights()
        for name in at or ():
            if name in self._design().names and self._design().reads(name) == "content":
                raise InputError(
                    f"at: {name!r} acts on the words only; fit with '{name}:both' to see what it "
                    "does to the prevalence"
                )
        return self._design().rows(at)

    def _weights(self) -> NDArray[np.float64]:
        """Γ, ``(D, C)``."""
        design = self._design()
        if not design.prior:
            raise ConfigurationError(
                f"{', '.join(map(repr, design.names))} act on the words only; fit with "
                f"'{design.names[0]}:both' to see what they do to the prevalence"
            )
        weights = self._joint().outermost().effects.weight
        return np.asarray(weights.detach().cpu().numpy(), dtype=np.float64)

    def _moved(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """What Γ c ``(D,)`` adds to the log-odds; of components, which share out one, not Γ c."""
        prior = self._joint().outermost()
        if not isinstance(prior, CategoricalPrior):
            return logits
        middle = prior.logits.detach().cpu().numpy().astype(np.float64)
        return _against_rest(middle + logits) - _against_rest(middle)

    def _estimated(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Γ ``(D, C)`` and the covariance of the constant and it, ``(D, 1 + C, 1 + C)``."""
        weights, known = self._weights(), self.covariate_information_
        pulled = np.full(weights.shape[1] + 1, float(self.covariate_shrinkage))
        logits = getattr(self._joint().outermost(), "logits", None)
        learnt = logits is None or logits.requires_grad
        pulled[0] = 0.0 if learnt else 1e12  # a constant that is given has no error
        values, axes = np.linalg.eigh(known + np.diag(pulled))
        inverse = axes / np.maximum(values, LEAST_INFORMATION)[:, None, :]
        return weights, inverse @ axes.transpose(0, 2, 1)


def _against_rest(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-odds of each component against all others, ``(K,)``; 0 where there is one alone."""
    if len(logits) == 1:
        return np.zeros(1)
    others = np.where(np.eye(len(logits), dtype=bool), -np.inf, logits)
    return np.asarray(logits - logsumexp(others, axis=1))
