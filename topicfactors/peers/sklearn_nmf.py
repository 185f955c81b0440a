"""scikit-learn's NMF of tf-idf."""

from __future__ import annotations

from typing import Any

import numpy as np

from topicfactors.peers.base import Given, Learnt, Peer, best

MOST = 400  # iterations


def fit(given: Given) -> Learnt:
    """Components of tf-idf, which are no probabilities: there is no completion."""
    from sklearn.decomposition import NMF
    from sklearn.feature_extraction.text import TfidfTransformer

    weights = TfidfTransformer().fit(given.counts)
    model = NMF(given.topics, max_iter=MOST, random_state=given.seed)
    model.fit(weights.transform(given.counts))

    def transform(counts: Any) -> Any:
        return model.transform(weights.transform(counts))

    return Learnt(best(np.asarray(model.components_)), transform, None)


SKLEARN_NMF = Peer(
    "scikit-learn NMF",
    fit,
    ("sklearn",),
    ("scikit-learn",),
    f"of tf-idf, Frobenius norm, to convergence or {MOST} iterations",
)
