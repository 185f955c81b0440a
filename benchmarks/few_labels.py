"""Classification from few labels: raw 20 Newsgroups, 1 to 100 labels a class, and all of them.

    python benchmarks/few_labels.py --data FOLDER [--draws 5]

Writes few_labels.md beside this script. One thread.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from labelled import Split, newsgroups
from scipy.special import softmax
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.semi_supervised import SelfTrainingClassifier
from threadpoolctl import threadpool_limits

from corpora import machine
from topicfactors import SemiSupervisedClassifier
from topicfactors.estimators.class_learning import Setting

LABELS = (1, 5, 20, 100)
ROUNDS = 10  # of labelling what the model asks for
ASKED = 20  # documents each

Fit = Callable[[Any, Any, int], Any]  # counts, labels with -1, seed -> model


def drawn(classes: Any, each: int, seed: int) -> Any:
    """So many labels of every class, −1 elsewhere."""
    generator = np.random.default_rng(seed)
    labels = np.full(len(classes), -1)
    for label in np.unique(classes):
        rows = generator.choice(np.flatnonzero(classes == label), each, replace=False)
        labels[rows] = label
    return labels


def ours(counts: Any, labels: Any, seed: int, **options: Any) -> Any:
    model = SemiSupervisedClassifier(random_state=seed, n_jobs=1, device="cpu", **options)
    return model.fit(counts, labels)


def naive_bayes(counts: Any, labels: Any, seed: int) -> Any:
    seen = labels >= 0
    return MultinomialNB().fit(counts[seen], labels[seen])


def regression(counts: Any, labels: Any, seed: int) -> Any:
    seen = labels >= 0
    model = make_pipeline(TfidfTransformer(), LogisticRegression(max_iter=1000))
    return model.fit(counts[seen], labels[seen])


def self_training(counts: Any, labels: Any, seed: int) -> Any:
    return SelfTrainingClassifier(MultinomialNB()).fit(counts, labels)


class EmNaiveBayes:
    """Nigam et al. (2000) with scikit-learn's naive Bayes: ten rounds, all documents alike."""

    def fit(self, counts: Any, labels: Any) -> EmNaiveBayes:
        seen = labels >= 0
        classes = np.unique(labels[seen])
        model = MultinomialNB().fit(counts[seen], labels[seen])
        words = model.feature_log_prob_
        prior = model.class_log_prior_
        known = np.eye(len(classes))[np.searchsorted(classes, labels[seen])]
        for _ in range(10 if not seen.all() else 0):
            r = softmax(counts @ words.T + prior, axis=1)
            r[seen] = known
            totals = np.asarray((counts.T @ r).T) + 1.0
            words = np.log(totals) - np.log(totals.sum(1, keepdims=True))
            prior = np.log(r.mean(0))
        self.words, self.prior, self.classes_ = words, prior, classes
        return self

    def predict_proba(self, counts: Any) -> Any:
        return softmax(counts @ self.words.T + self.prior, axis=1)


def em_naive_bayes(counts: Any, labels: Any, seed: int) -> Any:
    return EmNaiveBayes().fit(counts, labels)


def fixed(counts: Any, labels: Any, seed: int, **options: Any) -> Any:
    """The defaults of few labels, without cross-validation."""
    settings = {"calibrate": False} | Setting()._asdict() | options
    return ours(counts, labels, seed, **settings)


def generative(counts: Any, labels: Any, seed: int) -> Any:
    return fixed(counts, labels, seed, discriminative_weight=0.0)


def untempered(counts: Any, labels: Any, seed: int) -> Any:
    return fixed(counts, labels, seed, discriminative_weight=0.0, tempering="none")


METHODS: dict[str, Fit] = {
    "without cross-validation": fixed,
    "its generative posterior alone": generative,
    "the same, evidence not tempered": untempered,
    "naive Bayes": naive_bayes,
    "tf-idf logistic regression": regression,
    "EM naive Bayes": em_naive_bayes,
    "self-training naive Bayes": self_training,
    "SemiSupervisedClassifier (defaults)": ours,
}


def spread(values: list[float]) -> str:
    error = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.3f}{error}"


def table(split: Split, draws: int) -> list[str]:
    """Accuracy, log-loss and time of every method for every number of labels."""
    lines = [
        f"| method | {' | '.join(f'{n} a class' for n in LABELS)} | all labels |",
        "|---" * (len(LABELS) + 2) + "|",
    ]
    train, test = split
    for name, fit in METHODS.items():
        cells = []
        for each in (*LABELS, None):
            found, losses, seconds = [], [], []
            for seed in range(draws if each else 1):
                labels = drawn(train.classes, each, seed) if each else train.classes
                began = time.perf_counter()
                model = fit(train.counts, labels, seed)
                seconds.append(time.perf_counter() - began)
                proba = model.predict_proba(test.counts)
                found.append(float((proba.argmax(1) == test.classes).mean()))
                losses.append(log_loss(test.classes, proba, labels=range(proba.shape[1])))
            loss = statistics.mean(losses)
            cells.append(f"{spread(found)} ({loss:.2f}; {statistics.median(seconds):.1f} s)")
        lines.append(f"| {name} | {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    return lines


def one_label(split: Split) -> list[str]:
    """One label a class depends on which: more draws of it."""
    train, test = split
    lines = ["| method | five draws | twenty draws |", "|---" * 3 + "|"]
    for name, fit in METHODS.items():
        found = []
        for seed in range(20):
            model = fit(train.counts, drawn(train.classes, 1, seed), seed)
            right = model.predict_proba(test.counts).argmax(1) == test.classes
            found.append(float(right.mean()))
        lines.append(f"| {name} | {spread(found[:5])} | {spread(found)} |")
        print(lines[-1], flush=True)
    return lines


def asked(split: Split, draws: int) -> list[str]:
    """Accuracy as labels are bought: those that the model asks for, and as many at random."""
    train, test = split
    lines = ["| labels in all | representative | margin | at random |", "|---" * 4 + "|"]
    ways: dict[str, str | None] = {"representative": "representative", "margin": "margin"}
    ways["random"] = None
    found: dict[str, list[list[float]]] = {way: [] for way in ways}
    for way, strategy in ways.items():
        for seed in range(draws):
            labels, scores = drawn(train.classes, 1, seed), []
            generator = np.random.default_rng(seed)
            for _ in range(ROUNDS + 1):
                model = fixed(train.counts, labels, seed, class_prior="uniform")
                scores.append(float(model.score(test.counts, test.classes)))
                rows = np.flatnonzero(labels < 0)
                if strategy is None:
                    chosen = generator.choice(rows, ASKED, replace=False)
                else:
                    found_rows = model.most_informative(
                        train.counts[rows], ASKED, strategy=strategy
                    )
                    chosen = rows[found_rows]
                labels[chosen] = train.classes[chosen]
            found[way].append(scores)
        print(way, np.round(np.mean(found[way], 0), 3), flush=True)
    for step in range(ROUNDS + 1):
        cells = [spread([scores[step] for scores in found[way]]) for way in ways]
        lines.append(f"| {20 + ASKED * step} | {' | '.join(cells)} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpora")
    parser.add_argument("--draws", type=int, default=5)
    options = parser.parse_args()
    split = newsgroups(options.data)
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        lines = table(split, options.draws)
        single = one_label(split)
        more = asked(split, min(3, options.draws))
    text = (
        "# Few labels\n\nWritten by `python benchmarks/few_labels.py --data FOLDER`; "
        f"{options.draws} stratified draws of the labels (all labels: one fit), mean ± standard "
        "deviation; in brackets the log-loss in nats and the median time of a fit on one thread."
        f"\nMachine: {machine()}.\n\nAccuracy on the test part of raw 20 Newsgroups; the documents "
        "without a label are the rest of the training part. The defaults (below 5 labels a class) "
        "were chosen by the accuracy on unlabelled training documents, with other draws; the test "
        "part chose nothing.\n\n"
    )
    draws = (
        "\n\n## One label a class\n\nWith a single document for each class the draw matters more "
        "than the method: the first five draws, which are those above, and twenty.\n\n"
    )
    later = (
        "\n\n## Labels that the model asks for\n\nFrom one label a class, 20 labels at a time by "
        "`most_informative`, without cross-validation and with class_prior='uniform' (labels that "
        f"were asked for are no sample of the documents); {min(3, options.draws)} draws, accuracy "
        "on the test part.\n\n"
    )
    path = Path(__file__).with_suffix(".md")
    parts = (text, "\n".join(lines), draws, "\n".join(single), later, "\n".join(more), "\n")
    path.write_text("".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
