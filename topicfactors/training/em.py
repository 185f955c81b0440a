r"""Closed-form EM for mixtures of multinomials, some of whose documents may have a class.

Dempster, Laird and Rubin (1977); with classes, Nigam, McCallum, Thrun and Mitchell (2000). It
maximises

.. math:: \sum_n w_n \log \sum_{k \in A_n} \pi_k \prod_v \phi_{kv}^{x_{nv}}
          + m \sum_k \sum_v p_v \log \phi_{kv} + a \sum_k \log \pi_k,

with :math:`A_n` the components that document n may come from (all, or those of its class), its
weight :math:`w_n`, p the corpus frequencies, m the pseudo-tokens of each component and a the
pseudo-documents.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from scipy.special import logsumexp, softmax

from topicfactors.training.em_responses import (
    Answers,
    Moments,
    ResponseComponents,
    moments,
)
from topicfactors.training.em_responses import update as answered

Array = NDArray[np.float64]

BLOCK = 2**22  # numbers of a block of responsibilities
BALANCING = 3  # steps towards the balance in one iteration
DAMPING = 0.6
LOST = 0.5  # documents; a component of fewer is empty


class Smoothing(NamedTuple):
    """What every component is pulled towards."""

    shares: Array  # (V,) corpus frequencies, which sum to one
    words: float  # pseudo-tokens of a component
    weights: float  # pseudo-documents of a component
    fixed: Array | None = None  # (K,) mixing weights that are not learnt
    balance: Array | None = None  # (K,) what the mean of the responsibilities is held to


class Known(NamedTuple):
    """What is known of the documents beside their words."""

    weights: Array  # (N,) how much each document counts
    classes: NDArray[np.int64]  # (N,) class of each, −1 where unseen
    members: NDArray[np.bool_]  # (C, K): which components belong to which class
    answers: Answers | None = None  # numbers that go with the documents

    @classmethod
    def nothing(cls, documents: int, components: int) -> Known:
        """All documents alike, each of any component."""
        unseen = np.full(documents, -1)
        return cls(np.ones(documents), unseen, np.zeros((0, components), bool))

    def allow(self, log_joint: Array, rows: slice) -> Array:
        """Log p(x, y) with −∞ where a document cannot come from a component, in place."""
        classes = self.classes[rows]
        seen = np.flatnonzero(classes >= 0)
        if len(seen):
            log_joint[seen] = np.where(self.members[classes[seen]], log_joint[seen], -np.inf)
        return log_joint


class Components(NamedTuple):
    """The parameters of a mixture of multinomials."""

    log_words: Array  # (K, V) log-probabilities of the words
    log_weights: Array  # (K,) log-probabilities of the components
    responses: ResponseComponents | None = None

    def log_joint(self, counts: scipy.sparse.csr_matrix) -> Array:
        """Log p(x, y) of documents ``(B, V)``, ``(B, K)`` nats."""
        return np.asarray(counts @ self.log_words.T) + self.log_weights

    def log_answers(self, known: Known, rows: slice) -> Array | float:
        """Log p(r | y) of the responses of some documents, ``(B, K)`` nats."""
        if self.responses is None or known.answers is None:
            return 0.0
        told = self.responses.log_prob(known.answers.responses[rows])
        return known.answers.weight * told


class Sums(NamedTuple):
    """What one look at the documents leaves."""

    words: Array  # (K, V) weighted tokens of each component
    documents: Array  # (K,) weighted documents
    log_prob: float  # Σ w log p(x), nats
    worst: NDArray[np.int64]  # rows of the documents explained worst a token, worst first
    moments: Moments | None = None  # of the responses


class Step(NamedTuple):
    """One iteration."""

    components: Components  # those that the numbers below are of
    objective: float  # what is maximised, nats
    log_prob: float  # Σ w log p(x), nats
    documents: Array  # (K,) of each component
    reseeded: list[int]  # components that had become empty


def begin(
    counts: scipy.sparse.csr_matrix, responsibilities: Array, smoothing: Smoothing, known: Known
) -> Components:
    """The components of responsibilities ``(N, K)`` that somebody has guessed."""
    weighted = responsibilities * known.weights[:, None]
    words = np.asarray((counts.T @ weighted).T)
    told = _moments(known, slice(None), weighted)
    return update(Sums(words, weighted.sum(0), 0.0, np.zeros(0, np.int64), told), smoothing, known)


def iterate(
    counts: scipy.sparse.csr_matrix, components: Components, smoothing: Smoothing, known: Known
) -> Iterator[Step]:
    """Alternate the two steps for ever; the objective never falls.

    (But where a component that has become empty is given a document of its own; not where there are
    classes, for the document would be of another one.)
    """
    while True:
        if smoothing.balance is not None:
            components = balanced(counts, components, smoothing.balance)
        sums = expectation(counts, components, known)
        objective = sums.log_prob + penalty(components, smoothing, known)
        reseeded = [] if len(known.members) else _reseed(counts, sums)
        yield Step(components, objective, sums.log_prob, sums.documents, reseeded)
        components = update(sums, smoothing, known, components)


def settled(before: Step, now: Step, tol: float) -> bool:
    """Has the objective risen by less than ``tol`` of itself?"""
    return not now.reseeded and now.objective - before.objective <= tol * abs(now.objective)


def expectation(counts: scipy.sparse.csr_matrix, components: Components, known: Known) -> Sums:
    """The sufficient statistics of the responsibilities, a block of documents at a time."""
    words = np.zeros_like(components.log_words)
    documents, log_prob = np.zeros(len(words)), 0.0
    each, told = np.empty(counts.shape[0]), None
    for rows in _blocks(counts.shape[0], len(words)):
        part = counts[rows]
        log_joint = components.log_joint(part) + components.log_answers(known, rows)
        log_joint = known.allow(log_joint, rows)
        total = logsumexp(log_joint, axis=1)
        weighted = np.exp(log_joint - total[:, None]) * known.weights[rows, None]
        words += (part.T @ weighted).T
        documents += weighted.sum(0)
        found = _moments(known, rows, weighted)
        told = found if told is None or found is None else told.plus(found)
        log_prob += float(known.weights[rows] @ total)
        each[rows] = total / np.maximum(np.asarray(part.sum(1)).ravel(), 1e-12)
    free = (known.classes < 0) & (np.diff(counts.indptr) > 0)
    worst = np.argsort(np.where(free, each, np.inf), kind="stable")[: len(words)]
    return Sums(words, documents, log_prob, worst[free[worst]], told)


def balanced(counts: scipy.sparse.csr_matrix, components: Components, shares: Array) -> Components:
    """The same components with weights under which the mean posterior nears ``shares (K,)``.

    Label regularisation (Mann and McCallum, 2007), a few damped steps of it.
    """
    log_weights = components.log_weights
    for _ in range(BALANCING):
        now, total = Components(components.log_words, log_weights), np.zeros(len(shares))
        for rows in _blocks(counts.shape[0], len(shares)):  # the tables of all would not fit
            total += softmax(now.log_joint(counts[rows]), axis=1).sum(0)
        missed = np.log(shares) - np.log(total / counts.shape[0] + 1e-12)
        log_weights = log_weights + DAMPING * missed
    return components._replace(log_weights=log_weights - logsumexp(log_weights))


def _moments(known: Known, rows: slice, weighted: Array) -> Moments | None:
    """What responsibilities ``(B, K)`` of some documents leave of their responses."""
    told = known.answers
    if told is None:
        return None
    return moments(told.responses[rows], told.weight * weighted, told.overall)


def update(
    sums: Sums, smoothing: Smoothing, known: Known, before: Components | None = None
) -> Components:
    """The parameters that the statistics ask for, in closed form.

    With a ``balance`` the weights are not maximised: they stay as they were ``before``.
    """
    words = sums.words + smoothing.words * smoothing.shares
    log_words = np.log(words) - np.log(words.sum(1, keepdims=True))
    told, responses = known.answers, None
    if told is not None and sums.moments is not None:
        responses = answered(told.family, sums.moments, told.overall)
    if smoothing.fixed is not None:
        return Components(log_words, np.log(smoothing.fixed), responses)
    if smoothing.balance is not None:
        kept = np.log(smoothing.balance) if before is None else before.log_weights
        return Components(log_words, kept, responses)
    documents = sums.documents + smoothing.weights
    return Components(log_words, np.log(documents) - np.log(documents.sum()), responses)


def penalty(components: Components, smoothing: Smoothing, known: Known) -> float:
    """What the smoothing adds to the objective, nats."""
    words = float((components.log_words @ smoothing.shares).sum())
    total = smoothing.words * words
    if components.responses is not None and known.answers is not None:
        total += components.responses.log_prior(known.answers.overall)
    learnt = smoothing.fixed is None and smoothing.balance is None
    if learnt and smoothing.weights:
        total += smoothing.weights * float(components.log_weights.sum())
    return total


def _reseed(counts: scipy.sparse.csr_matrix, sums: Sums) -> list[int]:
    """Give empty components the documents that are explained worst, one each, in place."""
    empty = np.flatnonzero(sums.documents < LOST)[: len(sums.worst)]
    for component, row in zip(empty, sums.worst, strict=False):
        sums.words[component] = counts[row].toarray()[0]
        sums.documents[component] = 1.0
    return [int(component) for component in empty]


def _blocks(documents: int, components: int) -> Iterator[slice]:
    size = max(1, BLOCK // components)
    return (slice(start, start + size) for start in range(0, documents, size))
