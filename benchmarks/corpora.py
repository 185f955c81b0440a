"""The corpora of the benchmarks, read from a folder that the user names.

``20news_clean/`` (train.npz, test.npz, completion_a.npz, completion_b.npz, vocabulary.txt),
``octis/NAME/`` (corpus.tsv.xz with text, split and label; vocabulary.txt) and the raw posts in
``20news-bydate.tar.xz``. None of them is part of this project.
"""

from __future__ import annotations

import csv
import lzma
import tarfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse
from sklearn.feature_extraction.text import CountVectorizer


class Benchmark(NamedTuple):
    """Training and test counts, and the words of the columns."""

    name: str
    train: Any  # (N, V) CSR
    test: Any
    words: list[str]


def halves(counts: Any, seed: int = 0) -> tuple[Any, Any]:
    """Every document's tokens split in two, once and for all, by hypergeometric draws."""
    random = np.random.default_rng(seed)
    counts = scipy.sparse.csr_matrix(counts).astype(np.int64)
    seen = counts.copy()
    for row in range(counts.shape[0]):
        values = counts.data[counts.indptr[row] : counts.indptr[row + 1]]
        if len(values):
            half = random.multivariate_hypergeometric(values, values.sum() // 2)
            seen.data[counts.indptr[row] : counts.indptr[row + 1]] = half
    unseen = counts - seen
    return seen, unseen


def twenty_clean(data: Path) -> Benchmark:
    """The preprocessed 20 Newsgroups of the neural topic-model literature."""
    folder = data / "20news_clean"
    train, test = (
        scipy.sparse.load_npz(folder / f"{part}.npz").tocsr() for part in ("train", "test")
    )
    words = (folder / "vocabulary.txt").read_text(encoding="utf-8").split("\n")[: train.shape[1]]
    return Benchmark("20news_clean", train, test, words)


def completion_halves(data: Path) -> tuple[Any, Any]:
    """The split of 20news_clean's test documents that is shipped with it."""
    folder = data / "20news_clean"
    first, second = (scipy.sparse.load_npz(folder / f"completion_{p}.npz").tocsr() for p in "ab")
    return first, second


def octis_rows(data: Path, name: str) -> tuple[list[list[str]], Any, list[str]]:
    """Text, part and class of every document of a corpus of OCTIS, its counts, and its words."""
    folder = data / "octis" / name
    with lzma.open(folder / "corpus.tsv.xz", "rt", encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
    words = (folder / "vocabulary.txt").read_text(encoding="utf-8").split()
    count = CountVectorizer(
        vocabulary=words, tokenizer=str.split, token_pattern=None, lowercase=False
    )
    return rows, count.transform(row[0] for row in rows), words


def octis(data: Path, name: str) -> Benchmark:
    """BBC_News, M10 or DBLP; the parts called val and test are the test documents."""
    rows, counts, words = octis_rows(data, name)
    training = np.array([row[1] == "train" for row in rows])
    return Benchmark(name, counts[training], counts[~training], words)


def posts(data: Path) -> dict[str, list[tuple[str, str]]]:
    """Name and text of every post of 20 Newsgroups, sorted, of the parts train and test."""
    parts: dict[str, list[tuple[str, str]]] = {"train": [], "test": []}
    with tarfile.open(data / "20news-bydate.tar.xz") as archive:
        for member in archive:  # in the order of the archive: seeking in .xz reads it again
            if member.isfile():
                text = archive.extractfile(member).read().decode("latin-1")
                part = "train" if "bydate-train" in member.name else "test"
                parts[part].append((member.name, text))
    return {part: sorted(found) for part, found in parts.items()}


def five_thousand_words() -> CountVectorizer:
    """What counts the words of the raw posts."""
    return CountVectorizer(
        stop_words="english",
        token_pattern=r"(?u)\b[a-zA-Z]{3,}\b",
        min_df=10,
        max_df=0.5,
        max_features=5000,
    )


def twenty_raw(data: Path) -> Benchmark:
    """Raw 20 Newsgroups: headers cut off, 5,000 words by CountVectorizer."""
    named = posts(data)
    parts = {part: [text.partition("\n\n")[2] for _, text in named[part]] for part in named}
    count = five_thousand_words()
    train = count.fit_transform(parts["train"])
    return Benchmark(
        "20news raw", train, count.transform(parts["test"]), list(count.get_feature_names_out())
    )


def everything(data: Path) -> list[tuple[Benchmark, int]]:
    """All five, each with the number of factors that the literature gives it."""
    return [
        (twenty_clean(data), 50),
        (twenty_raw(data), 50),
        *((octis(data, name), 20) for name in ("BBC_News", "M10", "DBLP")),
    ]


def machine() -> str:
    """A line on what the figures were measured on."""
    import os
    import platform

    import torch

    model = platform.processor() or "unknown processor"
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return (
        f"{model}, {os.cpu_count()} cores, {gpu}; Python {platform.python_version()}, "
        f"torch {torch.__version__} on {torch.get_num_threads()} thread(s), {platform.system()}"
    )
