"""BERTopic: clusters of embedded documents, and the words that tell them apart."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from topicfactors.peers.base import TOP, Given, Learnt, Peer, spelt_out

DIMENSIONS = 100  # of tf-idf
SENTENCES = "all-MiniLM-L6-v2"  # BERTopic's own default
Embed = Callable[[Any, Any], Any]  # from counts (M, V) and texts to (M, E)


def fit(given: Given, embedded: Callable[[Given], Embed]) -> Learnt:
    """Clusters, merged to as many topics as are asked for; there may be fewer."""
    from bertopic import BERTopic
    from sklearn.feature_extraction.text import CountVectorizer
    from umap import UMAP

    embed = embedded(given)
    documents = [" ".join(words) for words in given.documents()]
    model = BERTopic(
        top_n_words=TOP,
        vectorizer_model=CountVectorizer(analyzer=str.split),
        umap_model=UMAP(
            n_neighbors=15,
            n_components=5,
            min_dist=0.0,
            metric="cosine",
            random_state=given.seed,
        ),
    )
    model.fit(documents, np.asarray(embed(given.counts, given.texts)))
    outliers = -1 in model.get_topics()
    if len(model.get_topics()) - outliers > given.topics:
        model.reduce_topics(documents, nr_topics=given.topics + outliers)
    topics = [
        [int(word) for word, _ in words if word]
        for topic, words in sorted(model.get_topics().items())
        if topic != -1
    ]

    def transform(counts: Any) -> Any:
        held = [" ".join(words) for words in spelt_out(counts)]
        return model.transform(held, np.asarray(embed(counts, given.held_out_texts)))

    return Learnt(topics, transform, None)


def of_tf_idf(given: Given) -> Embed:
    """Documents as tf-idf in a few dimensions, which needs nothing but counts."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfTransformer

    weights = TfidfTransformer().fit(given.counts)
    dimensions = min(DIMENSIONS, *(size - 1 for size in given.counts.shape))
    reduced = TruncatedSVD(dimensions, random_state=given.seed)
    reduced.fit(weights.transform(given.counts))
    return lambda counts, texts: reduced.transform(weights.transform(counts))


def of_sentences(given: Given) -> Embed:
    """Documents as a sentence transformer sees them: their texts where known, else their words."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(SENTENCES, device=None if given.device == "auto" else given.device)

    def embed(counts: Any, texts: Any) -> Any:
        words = np.asarray(given.words, dtype=object)
        if texts is None:
            texts = [" ".join(words[list(map(int, row))]) for row in spelt_out(counts)]
        return model.encode(list(texts), show_progress_bar=False)

    return embed


NEEDED = ("bertopic", "umap", "hdbscan")
CLUSTERED = "UMAP to 5 dimensions, HDBSCAN, merged to the number of topics"
BERTOPIC = Peer(
    "BERTopic",
    partial(fit, embedded=of_tf_idf),
    NEEDED,
    ("bertopic",),
    f"tf-idf in {DIMENSIONS} dimensions, {CLUSTERED}",
)
BERTOPIC_SENTENCES = Peer(
    "BERTopic, sentences",
    partial(fit, embedded=of_sentences),
    (*NEEDED, "sentence_transformers"),
    ("bertopic", "sentence-transformers"),
    f"sentence embeddings {SENTENCES}, {CLUSTERED}; knows more than the counts",
)
