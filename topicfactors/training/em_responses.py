r"""Responses in the closed-form EM of a mixture: a Gaussian or a Poisson for each component.

Every component is pulled towards the responses of the corpus, as its words are towards the corpus
frequencies: it has seen m pseudo-documents drawn from the corpus, which adds

.. math:: m \sum_k \operatorname{E}_0[\log p(r \mid \theta_k)]

to what EM maximises, :math:`\operatorname{E}_0` the mean over the responses of the corpus. So the
variance of a component of one document is not zero, and one without any has the corpus's own.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlogy

from topicfactors.errors import InputError

Array = NDArray[np.float64]

PSEUDO = 1.0  # documents of the corpus that every component has seen
LEAST = 1e-9  # rate of a Poisson, variance of a Gaussian as a share of the corpus's


class Overall(NamedTuple):
    """What the responses of a corpus say without regard to components."""

    mean: float
    variance: float  # above 0: 1 where all are alike
    log_factorial: float  # mean of log Γ(r + 1); 0 where a number is below zero

    @classmethod
    def of(cls, responses: Array, family: str) -> Overall:
        """Those of ``(N,)`` numbers, NaN where unseen.

        Raises
        ------
        InputError
            When none is seen, or one is below zero and the family is Poisson; it names the row.
        """
        seen = responses[~np.isnan(responses)]
        if not len(seen):
            raise InputError("response: unknown for all documents; expected a number for one")
        wrong = np.flatnonzero(responses < 0)
        if family == "poisson" and len(wrong):
            raise InputError(
                f"response, row {wrong[0]}: {responses[wrong[0]]:g} is below 0, and a poisson "
                "response is 0 or more; use the gaussian family"
            )
        factorial = float(gammaln(seen + 1).mean()) if family == "poisson" else 0.0
        return cls(float(seen.mean()), float(seen.var()) or 1.0, factorial)


class Answers(NamedTuple):
    """The responses of N documents, and what they are taken for."""

    responses: Array  # (N,) NaN where unseen
    family: str
    overall: Overall
    weight: float = 1.0  # how often the log-probability is taken


class Moments(NamedTuple):
    """What responsibilities leave of the responses; blocks of documents add up."""

    documents: Array  # (K,) weighted documents with a response
    first: Array  # (K,) Σ w (r − mean of the corpus)
    second: Array  # (K,) Σ w (r − mean of the corpus)²

    def plus(self, other: Moments) -> Moments:
        """Those of both blocks."""
        return Moments(*(one + two for one, two in zip(self, other, strict=True)))


class ResponseComponents(NamedTuple):
    """The response of each component."""

    family: str  # gaussian or poisson
    means: Array  # (K,) expected responses
    variances: Array  # (K,) of a Gaussian; a Poisson's are its means

    def log_prob(self, responses: Array) -> Array:
        """Log p(r | y) ``(N, K)`` nats of ``(N,)`` numbers; zero where one is NaN."""
        seen = ~np.isnan(responses)
        found = np.zeros((len(responses), len(self.means)))
        numbers = responses[seen, None]
        if self.family == "poisson":
            found[seen] = xlogy(numbers, self.means) - self.means - gammaln(numbers + 1)
        else:
            off = (numbers - self.means) ** 2 / self.variances
            found[seen] = -0.5 * (off + np.log(2 * np.pi * self.variances))
        return found

    def expected(self, responsibilities: Array) -> Array:
        """E[r] of documents with responsibilities ``(N, K)``, ``(N,)``."""
        return np.asarray(responsibilities @ self.means)

    def log_prior(self, overall: Overall, pseudo: float = PSEUDO) -> float:
        """What the pseudo-documents add to the objective, nats."""
        if self.family == "poisson":
            each = xlogy(overall.mean, self.means) - self.means - overall.log_factorial
        else:
            off = (overall.variance + (overall.mean - self.means) ** 2) / self.variances
            each = -0.5 * (off + np.log(2 * np.pi * self.variances))
        return pseudo * float(each.sum())


def moments(responses: Array, responsibilities: Array, overall: Overall) -> Moments:
    """The sums of a block of documents ``(B,)`` with responsibilities ``(B, K)``.

    Responsibilities may be weighted by document; documents without a response add nothing.
    """
    seen = ~np.isnan(responses)
    weights, off = responsibilities[seen].T, responses[seen] - overall.mean
    return Moments(weights.sum(1), weights @ off, weights @ off**2)


def update(
    family: str, found: Moments, overall: Overall, pseudo: float = PSEUDO
) -> ResponseComponents:
    """The parameters that maximise the expected log-probability and the prior, in closed form.

    Parameters
    ----------
    family
        ``"gaussian"``, a mean and a variance for each component, or ``"poisson"``, a rate.
    found
        Sums over all documents.
    overall
        The corpus they are pulled towards.
    pseudo
        Pseudo-documents of each component.

    Examples
    --------
    >>> years = np.array([1600.0, 1610.0, 1800.0, np.nan])
    >>> overall = Overall.of(years, "gaussian")
    >>> early = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    >>> update("gaussian", moments(years, early, overall), overall, pseudo=0.1).means.round()
    array([1608., 1788.])
    """
    documents = np.maximum(found.documents + pseudo, LEAST)
    shift = found.first / documents
    means = overall.mean + shift
    if family == "poisson":
        means = np.maximum(means, LEAST)
        return ResponseComponents(family, means, means)
    square = found.second - 2 * shift * found.first + found.documents * shift**2
    variances = (square + pseudo * (overall.variance + shift**2)) / documents
    return ResponseComponents(family, means, np.maximum(variances, LEAST * overall.variance))
