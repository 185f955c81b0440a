"""How much of a readable list is the model, and how much the order of its words.

    python benchmarks/reordered.py --data FOLDER [--seed 0] [--corpora NAME ...]

The words of our models and of peers, in their own order and in that of `coherent`, which needs no
more than the word probabilities of each topic. Writes reordered.md beside this script.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse
import tomotopy
from sklearn.decomposition import NMF, LatentDirichletAllocation
from sklearn.feature_extraction.text import TfidfTransformer

from corpora import Benchmark, everything, machine
from topicfactors import BinaryFactorModel, MixtureModel
from topicfactors.insight.metrics import diversity, npmi
from topicfactors.insight.topics import Factors, rank, top_columns
from topicfactors.insight.word_order import word_order

SWEEPS = 1000


def of_ours(model: Any) -> tuple[Any, Any]:
    """Columns by evidence alone, and in the order of reading."""
    known = model.factors()
    return top_columns(rank(known, "exclusive"), 10), model.word_order_[:, :10]


def of_peer(weights: Any, corpus: Benchmark) -> tuple[Any, Any]:
    """The largest weights of each topic, and the order of reading of the same topics."""
    counts = scipy.sparse.csr_matrix(corpus.train)
    words = (weights + 1e-9) / (weights + 1e-9).sum(1, keepdims=True)
    totals = np.asarray(counts.sum(axis=0)).ravel() + 0.5
    background = totals / totals.sum()
    lift = np.log(words / background)
    frequency = np.bincount(counts.indices, minlength=counts.shape[1]).astype(float)
    shares = np.full(len(words), 1 / len(words))
    known = Factors(lift, words, background, frequency, shares, lift)
    return top_columns(weights, 10), word_order(counts, known, 10)


def lda_by_gibbs(corpus: Benchmark, topics: int, seed: int) -> Any:
    model = tomotopy.LDAModel(k=topics, seed=seed)
    counts = scipy.sparse.csr_matrix(corpus.train).astype(int)
    for row in range(counts.shape[0]):
        part = slice(counts.indptr[row], counts.indptr[row + 1])
        tokens = np.repeat(counts.indices[part], counts.data[part])
        if len(tokens):
            model.add_doc([corpus.words[column] for column in tokens])
    model.train(SWEEPS, workers=1)
    places = {word: column for column, word in enumerate(corpus.words)}
    found = np.zeros((topics, len(corpus.words)))
    used = [places[word] for word in model.used_vocabs]
    for topic in range(topics):
        found[topic, used] = model.get_topic_word_dist(topic)
    return found


def lda_online(corpus: Benchmark, topics: int, seed: int) -> Any:
    model = LatentDirichletAllocation(
        topics, learning_method="online", max_iter=20, random_state=seed
    )
    return model.fit(corpus.train).components_


def nmf(corpus: Benchmark, topics: int, seed: int) -> Any:
    model = NMF(topics, init="nndsvd", max_iter=400, random_state=seed)
    return model.fit(TfidfTransformer().fit_transform(corpus.train)).components_


MODELS: dict[str, Callable[[Benchmark, int, int], tuple[Any, Any]]] = {
    "BinaryFactorModel": lambda corpus, topics, seed: of_ours(
        BinaryFactorModel(topics, random_state=seed).fit(corpus.train)
    ),
    "MixtureModel": lambda corpus, topics, seed: of_ours(
        MixtureModel(topics, random_state=seed).fit(corpus.train)
    ),
    "scikit-learn NMF": lambda corpus, topics, seed: of_peer(nmf(corpus, topics, seed), corpus),
    "tomotopy LDA": lambda corpus, topics, seed: of_peer(
        lda_by_gibbs(corpus, topics, seed), corpus
    ),
    "scikit-learn LDA": lambda corpus, topics, seed: of_peer(
        lda_online(corpus, topics, seed), corpus
    ),
}

HEAD = """# The model or the order of its words?

Written by `python benchmarks/reordered.py --data FOLDER`; seed {seed}.
Machine: {machine}.

NPMI by presence in the training documents / in the test documents / diversity, of ten words a
topic: in the order that each model has of its own (ours: `exclusive`), and in that of `coherent`,
which was given the word probabilities of the same topics and the training documents.

| corpus | model | its own order | the order of `coherent` |
|---|---|---|---|
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpora")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--corpora", nargs="+", help="all five, where none is named")
    options = parser.parse_args()
    lines = HEAD.format(seed=options.seed, machine=machine())
    for corpus, topics in everything(options.data):
        if options.corpora and corpus.name not in options.corpora:
            continue
        for name, listed in MODELS.items():
            cells = [
                f"{npmi(corpus.train, columns).mean():.3f} / "
                f"{npmi(corpus.test, columns).mean():.3f} / {diversity(columns):.2f}"
                for columns in listed(corpus, topics, options.seed)
            ]
            row = f"| {corpus.name} | {name} | {cells[0]} | {cells[1]} |"
            print(row, flush=True)
            lines += row + "\n"
            Path(__file__).with_suffix(".md").write_text(lines, encoding="utf-8")


if __name__ == "__main__":
    main()
