"""Corpora whose binary factors are known, and how well a model finds them."""

from typing import NamedTuple

import numpy as np
import scipy.sparse
from scipy.optimize import linear_sum_assignment
from scipy.special import log_expit, log_softmax, logsumexp

from topicfactors import BinaryFactorModel

BLOCK, BACKGROUND, STRENGTH = 8, 16, 2.5


class Planted(NamedTuple):
    counts: scipy.sparse.csr_matrix
    truth: np.ndarray  # (N, D) which factors are on
    loadings: np.ndarray  # (D, V)


def planted(factors=4, documents=400, length=60, rate=0.3, seed=0):
    """Documents whose factors are on independently; each raises the odds of its own words."""
    generator = np.random.default_rng(seed)
    words = factors * BLOCK + BACKGROUND
    loadings = np.zeros((factors, words))
    for factor in range(factors):
        loadings[factor, factor * BLOCK : (factor + 1) * BLOCK] = STRENGTH
    truth = (generator.random((documents, factors)) < rate).astype(int)
    weights = np.exp(truth @ loadings)
    lengths = generator.poisson(length, documents) + 5
    rows = [generator.multinomial(n, w / w.sum()) for n, w in zip(lengths, weights, strict=True)]
    return Planted(scipy.sparse.csr_matrix(np.array(rows, dtype=np.float64)), truth, loadings)


def matched(posteriors, truth):
    """Correlation of every true factor with the one that stands for it, ``(D,)``, best matching."""
    both = np.nan_to_num(np.corrcoef(truth.T, posteriors.T + 1e-12))
    correlations = both[: truth.shape[1], truth.shape[1] :]
    pairs = linear_sum_assignment(-correlations)
    return correlations[pairs]


def model(factors=4, **options):
    """A small and quick model of independent draws, as the corpus has them; the options win."""
    chosen = {
        "likelihood": "multinomial",
        "n_components": factors,
        "encoder": "bag-of-words:width=32",
        "device": "cpu",
        "n_jobs": 1,
        "random_state": 0,
        "max_iter": 5,
    }
    return BinaryFactorModel(**(chosen | options))


def states_of(factors):
    """Every state of the factors, ``(2^D, D)``."""
    return (np.arange(2**factors)[:, None] >> np.arange(factors)) & 1


def word_logs(fitted):
    """Log word probabilities of every state, ``(2^D, V)``, from the public attributes alone."""
    states = states_of(len(fitted.prior_))
    weights, background = fitted.components_.astype(float), fitted.intercept_.astype(float)
    return log_softmax(states @ weights + background, axis=1)


def joint_table(fitted, counts):
    """Log p(x, z), ``(2^D, N)``, by hand."""
    states, prior = states_of(len(fitted.prior_)), fitted.prior_.astype(float)
    log_prior = states @ np.log(prior) + (1 - states) @ np.log1p(-prior)
    return log_prior[:, None] + word_logs(fitted) @ np.asarray(counts.todense()).T


def exact_log_prob(fitted, counts):
    return logsumexp(joint_table(fitted, counts), axis=0)


def posterior_table(fitted, counts):
    """Log q(z | x), ``(2^D, N)``, of independent factors with the probabilities of transform."""
    states = states_of(len(fitted.prior_))
    logits = np.log(q := fitted.transform(counts).astype(float)) - np.log1p(-q)
    return states @ log_expit(logits).T + (1 - states) @ log_expit(-logits).T
