"""Lower bounds on log p(x), per document, and the probability of unseen words.

In expectation ELBO <= IWAE-K <= log p(x) (Burda, Grosse and Salakhutdinov, 2016,
https://arxiv.org/abs/1509.00519). All use hard bits, whichever gradient trained the model.
"""

from __future__ import annotations

import math

from torch import Tensor

from topicfactors.contracts import CountBatch, Distribution, Predictor, Target


def log_ratios(target: Target, q: Distribution, samples: int, noise: Tensor | None) -> Tensor:
    """Log p(x, z) − log q(z | x) of S draws, ``(S, B)`` nats."""
    draw = q.sample(samples, noise=noise)
    joint = target.log_likelihood(draw.bits) + target.log_prior(draw.bits)
    return joint - q.log_prob(draw)


def elbo(target: Target, q: Distribution, samples: int = 1, noise: Tensor | None = None) -> Tensor:
    """E_q[log p(x | z)] − KL(q ‖ p), ``(B,)`` nats; the KL in closed form where there is one."""
    kl = target.kl(q)
    if kl is None:
        return log_ratios(target, q, samples, noise).mean(0)
    draw = q.sample(samples, noise=noise)
    return target.log_likelihood(draw.bits).mean(0) - kl


def iwae(target: Target, q: Distribution, samples: int = 32, noise: Tensor | None = None) -> Tensor:
    """Log of the mean of S importance weights, ``(B,)`` nats."""
    return log_ratios(target, q, samples, noise).logsumexp(0) - math.log(samples)


def exact(target: Target) -> Tensor:
    """Log p(x) by summing over all 2^D states, ``(B,)`` nats."""
    return target.table().logsumexp(0)


def completion(
    predictor: Predictor,
    q: Distribution,
    unseen: CountBatch,
    samples: int = 32,
    noise: Tensor | None = None,
) -> Tensor:
    """Log probability of the unseen tokens, ``(B,)`` nats.

    ``q`` is the posterior given the seen tokens; the word probabilities are averaged over its
    draws, or over its states where it is a set of them (not computed at its mean), then each
    unseen token is scored.
    """
    support = q.support()
    if support is None:
        draw = q.sample(samples, noise=noise)
        each = predictor.log_word_probability(draw.bits, unseen)  # (S, nnz)
        averaged = each.logsumexp(0) - math.log(samples)
    else:
        states, log_weights = support
        each = predictor.log_word_probability(states, unseen)
        averaged = (each + log_weights[:, unseen.documents]).logsumexp(0)
    return unseen.sum_by_document(averaged * unseen.values)
