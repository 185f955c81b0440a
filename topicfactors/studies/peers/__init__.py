"""Models of other packages, fitted with sensible settings; ours are in :mod:`.ours`."""

from __future__ import annotations

from topicfactors.studies.peers.base import Peer
from topicfactors.studies.peers.bertopic import BERTOPIC, BERTOPIC_SENTENCES
from topicfactors.studies.peers.corex import COREX
from topicfactors.studies.peers.gensim_lda import GENSIM_LDA
from topicfactors.studies.peers.sklearn_lda import SKLEARN_LDA
from topicfactors.studies.peers.sklearn_nmf import SKLEARN_NMF
from topicfactors.studies.peers.tomotopy_lda import TOMOTOPY_LDA

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
