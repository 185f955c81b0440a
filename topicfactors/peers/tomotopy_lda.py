"""tomotopy's LDAModel, collapsed Gibbs sampling (Griffiths and Steyvers, 2004)."""

from __future__ import annotations

from typing import Any

import numpy as np

from topicfactors.peers.base import Floats, Given, Learnt, Peer, mixed, spelt_out

SWEEPS, INFERRED = 1000, 100
STATES = range(50, 201, 10)  # sweeps after which a document's shares are taken, for their mean


def fit(given: Given) -> Learnt:
    """Topics after so many sweeps over the corpus."""
    import tomotopy

    model = tomotopy.LDAModel(k=given.topics, seed=given.seed)
    for words in given.documents():
        if words:
            model.add_doc(words)
    model.train(SWEEPS, workers=given.threads)

    def shares(counts: Any, sweeps: int = INFERRED) -> Floats:
        """Those of the chain's last state."""
        found = np.tile(model.alpha / model.alpha.sum(), (counts.shape[0], 1)).astype(np.float64)
        made = [model.make_doc(words) if words else None for words in spelt_out(counts)]
        rows = [row for row, document in enumerate(made) if document is not None]
        if rows:
            inferred, _ = model.infer(
                [made[row] for row in rows], iterations=sweeps, workers=given.threads
            )
            found[rows] = np.array(inferred)
        return found

    def mean_shares(counts: Any) -> Floats:
        """The mean over states of one chain: tomotopy begins each document in the same way."""
        return np.asarray(np.mean([shares(counts, sweeps) for sweeps in STATES], axis=0))

    return mixed(_topic_word(model, given.counts.shape[1]), shares, mean_shares)


def _topic_word(model: Any, words: int) -> Floats:
    """n_kw + η of every word, ``(K, V)``, those that never came too."""
    columns = [int(word) for word in model.used_vocabs]
    totals = np.asarray(model.get_count_by_topics(), np.float64) + model.eta * len(columns)
    found = np.full((model.k, words), float(model.eta))
    for topic, total in enumerate(totals):
        found[topic, columns] = np.asarray(model.get_topic_word_dist(topic), np.float64) * total
    return found


TOMOTOPY_LDA = Peer(
    "tomotopy LDA",
    fit,
    ("tomotopy",),
    ("tomotopy",),
    f"collapsed Gibbs, {SWEEPS:,} sweeps, {INFERRED} for a new document, alpha learnt; "
    f"completion from the mean of {len(STATES)} states",
)
