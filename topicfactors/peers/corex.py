"""CorEx topic: correlation explanation of binary words (Gallagher et al., 2017)."""

from __future__ import annotations

from typing import Any

import scipy.sparse

from topicfactors.peers.base import TOP, Given, Learnt, Peer

MOST = 200  # iterations


def fit(given: Given) -> Learnt:
    """Binary topics, which are no model of counts: there is no completion."""
    from corextopic import corextopic

    model = corextopic.Corex(n_hidden=given.topics, max_iter=MOST, seed=given.seed)
    model.fit(_presence(given.counts), words=[str(c) for c in range(given.counts.shape[1])])
    listed = [model.get_topics(n_words=TOP, topic=topic) for topic in range(given.topics)]
    topics = [[int(word) for word, *_ in words] for words in listed]
    return Learnt(topics, lambda counts: model.transform(_presence(counts)), None)


def _presence(counts: Any) -> Any:
    return scipy.sparse.csr_matrix((counts > 0).astype(float))


COREX = Peer(
    "CorEx",
    fit,
    ("corextopic", "six"),
    ("corextopic", "six"),
    f"binary words, at most {MOST} iterations",
)
