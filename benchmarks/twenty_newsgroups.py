"""20news_clean: every inference, and the models of other packages, in the same run.

    python benchmarks/twenty_newsgroups.py --data FOLDER [--seeds 0 1 2] [--models NAME ...]
        [--output FILE.md]

Each fit runs in a process of its own, so that peak memory is its own. The table is written beside
this script. tomotopy's collapsed Gibbs LDA joins when it is installed.

Scores are those of docs/mathematics.md: per-document perplexity of hard-bit bounds on
the test documents, completion of the second half of each test document given the first, NPMI and
diversity of the ten top words by presence in the training documents.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from corpora import completion_halves, machine, twenty_clean

OURS = {
    "truncated": {"inference": "truncated"},
    "truncated, polya": {"inference": "truncated", "likelihood": "polya"},
    "truncated, polya, W >= 0": {
        "inference": "truncated",
        "likelihood": "polya",
        "decoder": "log-linear:nonnegative=true",
    },
    "gumbel-softmax": {"inference": "gumbel-softmax"},
    "local-expectation": {"inference": "local-expectation"},
    "straight-through": {"inference": "straight-through"},
    "dvae": {"inference": "dvae"},
    "nvil": {"inference": "nvil"},
    "exact, D = 12": {"inference": "exact", "n_components": 12},
    "truncated, D = 12": {"inference": "truncated", "n_components": 12},
    "exact, D = 10": {"inference": "exact", "n_components": 10},
    "gumbel-softmax, D = 10": {"inference": "gumbel-softmax", "n_components": 10},
    "gumbel-softmax, W >= 0": {
        "inference": "gumbel-softmax",
        "decoder": "log-linear:nonnegative=true",
    },
}
PEERS = ["scikit-learn LDA", "scikit-learn NMF", "gensim LDA"]
if importlib.util.find_spec("tomotopy"):
    PEERS.append("tomotopy LDA")
STATES = 64  # of the truncated bound and of completion
COLUMNS = {
    "truncated": "truncated",
    "elbo": "ELBO",
    "iwae": "IWAE-32",
    "exact": "exact",
    "corpus": "own bound, corpus",
    "gap": "gap to exact, nats",
    "completion": "completion",
    "npmi": "NPMI",
    "diversity": "diversity",
    "active": "active",
    "fit": "fit, s",
    "epochs": "epochs",
    "transform": "transform, documents/s",
    "encoder": "encoder alone, documents/s",
    "memory": "peak, MiB",
}


def repeated(transform, counts, times: int = 5) -> float:
    """Documents a second, the median of some calls."""
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        transform(counts)
        seconds.append(time.perf_counter() - began)
    return counts.shape[0] / statistics.median(seconds)


def run_ours(options: dict, data: Path, seed: int) -> dict[str, float]:
    from topicfactors import BinaryFactorModel

    corpus = twenty_clean(data)
    seen, unseen = completion_halves(data)
    usual = {"n_components": 50, "likelihood": "multinomial", "random_state": seed}
    model = BinaryFactorModel(**{**usual, **options})
    began = time.perf_counter()
    model.fit(corpus.train, feature_names=corpus.words)
    found = {"fit": time.perf_counter() - began, "epochs": model.n_iter_}
    found["transform"] = repeated(model.transform, corpus.test)
    found["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found["corpus"] = model.evaluate(corpus.test, bound="own").perplexity.corpus
    if model.inference_ != "exact":
        found["encoder"] = repeated(lambda counts: model.transform(counts, refine=0), corpus.test)
        for bound, samples in (("elbo", 32), ("iwae", 32), ("truncated", STATES)):
            found[bound] = model.perplexity(corpus.test, bound=bound, samples=samples)
    if model.n_components <= 12:
        found["exact"] = model.perplexity(corpus.test, bound="exact")
        if model.inference_ != "exact":
            exact = model.score_samples(corpus.test, bound="exact").mean()
            bound = model.score_samples(corpus.test, bound="truncated", samples=STATES).mean()
            found["gap"] = float(exact - bound)
    found["completion"] = model.completion_perplexity(seen, unseen, samples=STATES)
    found["npmi"] = float(model.coherence(corpus.train).mean())
    found["diversity"] = model.diversity()
    found["active"] = model.status_.count("active")
    return found


def run_peer(name: str, data: Path, seed: int) -> dict[str, float]:
    from topicfactors.insight.metrics import diversity, npmi
    from topicfactors.insight.topics import top_columns

    corpus = twenty_clean(data)
    seen, unseen = completion_halves(data)
    began = time.perf_counter()
    topics, transform = PEER_FITS[name](corpus.train, seed)
    found = {"fit": time.perf_counter() - began}
    found["transform"] = repeated(transform, corpus.test, 1)
    found["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    mixture = np.maximum(transform(seen), 1e-12)
    words = topics / topics.sum(1, keepdims=True)
    predicted = mixture / mixture.sum(1, keepdims=True) @ words
    rows, columns = unseen.nonzero()
    probabilities = np.maximum(predicted[rows, columns], 1e-12)
    counts = np.asarray(unseen[rows, columns]).ravel()
    found["completion"] = float(np.exp(-(counts * np.log(probabilities)).sum() / counts.sum()))
    listed = top_columns(topics, 10)
    found["npmi"] = float(npmi(corpus.train, listed).mean())
    found["diversity"] = diversity(listed)
    return found


def fit_lda(train, seed):
    from sklearn.decomposition import LatentDirichletAllocation

    model = LatentDirichletAllocation(
        50, learning_method="online", max_iter=20, batch_size=256, random_state=seed
    ).fit(train)
    return model.components_, model.transform


def fit_nmf(train, seed):
    from sklearn.decomposition import NMF
    from sklearn.feature_extraction.text import TfidfTransformer

    tfidf = TfidfTransformer().fit(train)
    model = NMF(50, init="nndsvda", random_state=seed).fit(tfidf.transform(train))
    return model.components_ + 1e-9, lambda counts: model.transform(tfidf.transform(counts))


def fit_gensim(train, seed):
    from gensim.matutils import Sparse2Corpus
    from gensim.models import LdaModel

    def stream(counts):
        return Sparse2Corpus(counts.T.tocsc())

    words = {column: str(column) for column in range(train.shape[1])}
    model = LdaModel(
        stream(train),
        50,
        id2word=words,
        passes=20,
        random_state=seed,
        eval_every=None,
    )

    def transform(counts):
        return model.inference(stream(counts))[0]

    return model.get_topics(), transform


def fit_tomotopy(train, seed):
    import tomotopy

    def documents(counts):
        counts = counts.tocsr().astype(int)
        for row in range(counts.shape[0]):
            part = slice(counts.indptr[row], counts.indptr[row + 1])
            yield [str(c) for c in np.repeat(counts.indices[part], counts.data[part])]

    model = tomotopy.LDAModel(k=50, seed=seed)
    for words in documents(train):
        if words:
            model.add_doc(words)
    model.train(1000, workers=2)
    columns = [int(word) for word in model.used_vocabs]
    topics = np.full((50, train.shape[1]), 1e-9)
    for topic in range(50):
        topics[topic, columns] += model.get_topic_word_dist(topic)

    def transform(counts):
        mixture = np.full((counts.shape[0], 50), 1 / 50)
        rows = [(row, words) for row, words in enumerate(documents(counts)) if words]
        unseen = [model.make_doc(words) for _, words in rows]
        known_ones = [doc for doc in unseen if doc is not None]
        found, _ = model.infer(known_ones, iterations=100, workers=2)
        known = [row for (row, _), doc in zip(rows, unseen, strict=True) if doc is not None]
        mixture[known] = np.array(found)
        return mixture

    return topics, transform


PEER_FITS = {
    "scikit-learn LDA": fit_lda,
    "scikit-learn NMF": fit_nmf,
    "gensim LDA": fit_gensim,
    "tomotopy LDA": fit_tomotopy,
}


def in_a_process(name: str, data: Path, seed: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--data", str(data), "--one", name, "--seeds", str(seed)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise SystemExit(f"{name}, seed {seed}: {result.stderr}")
    return json.loads(result.stdout.splitlines()[-1])


def cell(values: list[float]) -> str:
    if not values:
        return "—"
    mean = statistics.mean(values)
    digits = 3 if mean < 2 else 1 if mean < 2000 else 0
    if len(values) == 1:
        return f"{mean:,.{digits}f}"
    return f"{mean:,.{digits}f} ± {statistics.stdev(values):,.{digits}f}"


def table(results: dict[str, list[dict[str, float]]]) -> str:
    lines = [f"| model | {' | '.join(COLUMNS.values())} |", "|---" * (len(COLUMNS) + 1) + "|"]
    for name, runs in results.items():
        cells = [cell([run[key] for run in runs if key in run]) for key in COLUMNS]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with 20news_clean/")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--models", nargs="+", default=[*OURS, *PEERS])
    parser.add_argument("--output", type=Path, default=Path(__file__).with_suffix(".md"))
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one in PEER_FITS:
        print(json.dumps(run_peer(options.one, options.data, options.seeds[0])))
        return
    if options.one:
        print(json.dumps(run_ours(OURS[options.one], options.data, options.seeds[0])))
        return
    results: dict[str, list[dict[str, float]]] = {name: [] for name in options.models}
    for seed in options.seeds:  # models in turn, so that a slow hour of the machine hits them all
        for name in options.models:
            results[name].append(in_a_process(name, options.data, seed))
            print(seed, name, {k: round(v, 3) for k, v in results[name][-1].items()}, flush=True)
    from topicfactors.insight.metrics import perplexity

    corpus = twenty_clean(options.data)
    lengths = np.asarray(corpus.test.sum(axis=1)).ravel()
    totals = np.asarray(corpus.train.sum(axis=0)).ravel() + 0.5
    unigram = perplexity(corpus.test @ np.log(totals / totals.sum()), lengths)
    options.output.write_text(
        "# 20news_clean\n\n"
        f"Written by `python benchmarks/twenty_newsgroups.py --data FOLDER`; seeds "
        f"{', '.join(map(str, options.seeds))}, mean ± standard deviation.\n"
        f"D = 50 where not said; {corpus.train.shape[0]:,} training and {corpus.test.shape[0]:,} "
        f"test documents ({unigram.left_out} empty, left out), {corpus.train.shape[1]:,} words.\n"
        f"Unigram: per-document {unigram.per_document:.1f}, corpus {unigram.corpus:.1f}.\n"
        f"Machine: {machine()}.\n\n" + table(results) + "\n\n" + NOTES,
        encoding="utf-8",
    )


NOTES = """Multinomial likelihood where not said. Truncated (64 states), ELBO, IWAE-32 (32 draws a \
document, the encoder's posterior) and exact are per-document perplexities of lower bounds with \
hard bits; completion (64 draws or states) is exp(−Σ log p / Σ tokens) over the unseen \
halves. Peers have 20 passes (LDA; tomotopy's collapsed Gibbs sampler 1,000 sweeps) or run \
to convergence (NMF on tf-idf); their bounds are not comparable and not \
shown. NPMI and diversity: top 10 words, "exclusive" ranking for ours, each model's own for peers. \
Standard error of an ELBO figure over documents: about 3.
"""

if __name__ == "__main__":
    main()
