"""Models of other packages, fitted with sensible settings, and ours as they meet them.

Nothing here loads torch before a model of ours is fitted: the process of a peer has no need of it,
and its memory is measured.
"""

from __future__ import annotations

from topicfactors.peers.base import Peer
from topicfactors.peers.bertopic import BERTOPIC, BERTOPIC_SENTENCES
from topicfactors.peers.corex import COREX
from topicfactors.peers.gensim_lda import GENSIM_LDA
from topicfactors.peers.sklearn_lda import SKLEARN_LDA
from topicfactors.peers.sklearn_nmf import SKLEARN_NMF
from topicfactors.peers.tomotopy_lda import TOMOTOPY_LDA

PEERS: dict[str, Peer] = {
    "sklearn-lda": SKLEARN_LDA,
    "sklearn-nmf": SKLEARN_NMF,
    "gensim-lda": GENSIM_LDA,
    "tomotopy-lda": TOMOTOPY_LDA,
    "corex": COREX,
    "bertopic": BERTOPIC,
    "bertopic-sentences": BERTOPIC_SENTENCES,
}
"""Peers by the name that a user types."""
