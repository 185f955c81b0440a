"""gensim's LdaModel, online variational Bayes that learns its priors."""

from __future__ import annotations

from typing import Any

import numpy as np

from topicfactors.peers.base import Given, Learnt, Peer, mixed

PASSES, ITERATIONS, CHUNK = 20, 400, 2000


def fit(given: Given) -> Learnt:
    """Topics with the settings of gensim's own tutorial."""
    from gensim.matutils import Sparse2Corpus
    from gensim.models import LdaModel

    def stream(counts: Any) -> Any:
        return Sparse2Corpus(counts.T)

    model = LdaModel(
        stream(given.counts),
        given.topics,
        id2word={column: str(column) for column in range(given.counts.shape[1])},
        passes=PASSES,
        iterations=ITERATIONS,
        chunksize=CHUNK,
        alpha="auto",
        eta="auto",
        eval_every=None,
        random_state=given.seed,
    )
    return mixed(
        np.asarray(model.get_topics(), np.float64),
        lambda counts: np.asarray(model.inference(stream(counts))[0], np.float64),
    )


GENSIM_LDA = Peer(
    "gensim LDA",
    fit,
    ("gensim",),
    ("gensim",),
    f"LdaModel, {PASSES} passes, at most {ITERATIONS} iterations a document, chunks of {CHUNK:,}, "
    "alpha and eta learnt",
)
