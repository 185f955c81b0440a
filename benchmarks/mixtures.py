"""Clusters of documents against their classes: this package's mixture, its parts, and peers.

    python benchmarks/mixtures.py --data FOLDER [--seeds 0 1 2] [--quick]

Writes mixtures.md beside this script. One thread.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from labelled import Labelled, newsgroups, octis
from sklearn.cluster import KMeans
from sklearn.decomposition import NMF, LatentDirichletAllocation, TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.metrics import normalized_mutual_info_score
from sklearn.mixture import GaussianMixture
from sklearn.preprocessing import normalize
from threadpoolctl import threadpool_limits

from corpora import machine
from topicfactors import MixtureModel

Method = Callable[[Any, int, int], Any]  # counts, components, seed -> component of each document


def ours(counts: Any, components: int, seed: int, **options: Any) -> Any:
    model = MixtureModel(components, random_state=seed, n_jobs=1, device="cpu", **options)
    return model.fit_predict(counts)


def embedded(counts: Any, seed: int) -> Any:
    svd = TruncatedSVD(100, random_state=seed)
    return normalize(svd.fit_transform(TfidfTransformer().fit_transform(counts)))


def k_means(counts: Any, components: int, seed: int) -> Any:
    return KMeans(components, n_init=10, random_state=seed).fit_predict(embedded(counts, seed))


def spherical(counts: Any, components: int, seed: int) -> Any:
    """k-means on tf-idf of unit length."""
    tfidf = normalize(TfidfTransformer(sublinear_tf=True).fit_transform(counts))
    return KMeans(components, n_init=10, random_state=seed).fit_predict(tfidf)


def gaussians(counts: Any, components: int, seed: int) -> Any:
    model = GaussianMixture(components, covariance_type="diag", random_state=seed)
    return model.fit_predict(embedded(counts, seed))


def nmf(counts: Any, components: int, seed: int) -> Any:
    tfidf = TfidfTransformer().fit_transform(counts)
    model = NMF(components, init="nndsvda", random_state=seed, max_iter=400)
    return model.fit_transform(tfidf).argmax(1)


def lda(counts: Any, components: int, seed: int) -> Any:
    model = LatentDirichletAllocation(components, random_state=seed)
    return model.fit_transform(counts).argmax(1)


PLAIN = {"tempering": "none", "smoothing": 0.01, "n_init": 1}
METHODS: dict[str, Method] = {
    "MixtureModel (defaults)": ours,
    "one plain start": partial(ours, **PLAIN),
    "ten plain starts": partial(ours, **(PLAIN | {"n_init": 10})),
    "ten starts, smoothed, not tempered": partial(ours, tempering="none"),
    "defaults from random starts": partial(ours, init="random"),
    "defaults, tempering='unit'": partial(ours, tempering="unit"),
    "gradient (inference='exact')": partial(ours, inference="exact"),
    "gumbel-softmax": partial(ours, inference="gumbel-softmax"),
    "likelihood='polya'": partial(ours, likelihood="polya"),
    "k-means on SVD of tf-idf": k_means,
    "k-means on tf-idf": spherical,
    "Gaussian mixture on SVD": gaussians,
    "NMF of tf-idf": nmf,
    "LDA (scikit-learn)": lda,
}
SLOW_ON_MANY = ("gumbel-softmax", "LDA (scikit-learn)", "likelihood='polya'")


def measured(method: Method, corpus: Labelled, seeds: list[int]) -> tuple[str, list[float]]:
    scores, seconds = [], []
    for seed in seeds:
        began = time.perf_counter()
        found = method(corpus.counts, corpus.components, seed)
        seconds.append(time.perf_counter() - began)
        scores.append(normalized_mutual_info_score(corpus.classes, found))
    error = f" ± {statistics.stdev(scores):.3f}" if len(scores) > 1 else ""
    empty = corpus.components - len(np.unique(found))
    note = f", {empty} empty" if empty else ""
    return (
        f"{statistics.mean(scores):.3f}{error} ({statistics.median(seconds):.1f} s{note})",
        scores,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpora")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--quick", action="store_true", help="the defaults alone")
    options = parser.parse_args()
    corpora = [octis(options.data, name) for name in ("BBC_News", "M10", "DBLP")]
    corpora.append(newsgroups(options.data).train)
    methods = dict(list(METHODS.items())[:1]) if options.quick else METHODS
    head = [f"{c.name} (K = {c.components})" for c in corpora]
    lines = [f"| method | {' | '.join(head)} |", "|---" * (len(corpora) + 1) + "|"]
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        for name, method in methods.items():
            cells = []
            for corpus in corpora:
                seeds = options.seeds
                if name in SLOW_ON_MANY and corpus.counts.shape[0] > 20_000:
                    seeds = seeds[:1]
                cells.append(measured(method, corpus, seeds)[0])
            lines.append(f"| {name} | {' | '.join(cells)} |")
            print(lines[-1], flush=True)
    seeds = ", ".join(map(str, options.seeds))
    text = (
        "# Clusters\n\nWritten by `python benchmarks/mixtures.py --data FOLDER`; seeds "
        f"{seeds} (methods that take long on DBLP: the first there), mean ± standard deviation; in "
        f"brackets the median time of a fit on one thread.\nMachine: {machine()}.\n\nNormalised "
        "mutual information of the clusters with the classes; all methods see the same counts. The "
        "peers have scikit-learn's defaults but for what their names say. The defaults of "
        "MixtureModel (smoothing, tempering, starts, dimensions) were chosen with the classes of "
        "these same corpora in view, one setting for all four; the peers were not tuned.\n\n"
    )
    if not options.quick:
        path = Path(__file__).with_suffix(".md")
        path.write_text(text + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
