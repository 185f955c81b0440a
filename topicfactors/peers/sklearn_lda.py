"""scikit-learn's LatentDirichletAllocation, online variational Bayes (Hoffman et al., 2010)."""

from __future__ import annotations

import numpy as np

from topicfactors.peers.base import Given, Learnt, Peer, mixed

PASSES, BATCH = 20, 256


def fit(given: Given) -> Learnt:
    """Topics of an online fit."""
    from sklearn.decomposition import LatentDirichletAllocation

    model = LatentDirichletAllocation(
        given.topics,
        learning_method="online",
        max_iter=PASSES,
        batch_size=BATCH,
        random_state=given.seed,
    ).fit(given.counts)
    return mixed(np.asarray(model.components_), model.transform)


SKLEARN_LDA = Peer(
    "scikit-learn LDA",
    fit,
    ("sklearn",),
    ("scikit-learn",),
    f"online, {PASSES} passes, batches of {BATCH}, the priors' defaults",
)
