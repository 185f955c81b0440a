"""Corpora whose documents have a class, for the benchmarks of clusters and of few labels."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets._twenty_newsgroups import (
    strip_newsgroup_footer,
    strip_newsgroup_header,
    strip_newsgroup_quoting,
)
from sklearn.feature_extraction.text import CountVectorizer

from corpora import octis_rows


class Labelled(NamedTuple):
    """Counts, and the class of every document as a number."""

    name: str
    counts: Any  # (N, V) CSR
    classes: NDArray[np.int64]  # (N,)

    @property
    def components(self) -> int:
        """How many classes there are."""
        return int(self.classes.max()) + 1


class Split(NamedTuple):
    """Documents to learn from, and documents to be judged on."""

    train: Labelled
    test: Labelled


def octis(data: Path, name: str) -> Labelled:
    """All documents of BBC_News, M10 or DBLP, with the words that they come with."""
    rows, counts, _ = octis_rows(data, name)
    classes = np.unique([row[2] for row in rows], return_inverse=True)[1]
    return Labelled(name, counts.astype(float), classes)


def newsgroups(data: Path) -> Split:
    """Raw 20 Newsgroups without headers, quotes and footers; words counted in the training part."""
    texts: dict[str, list[tuple[str, str]]] = {"train": [], "test": []}
    with tarfile.open(data / "20news-bydate.tar.xz") as archive:
        for member in archive:  # in the order of the archive: seeking in .xz reads it again
            if member.isfile():
                text = archive.extractfile(member).read().decode("latin-1")
                part = "train" if "bydate-train" in member.name else "test"
                texts[part].append((member.name, text))
    count = CountVectorizer(
        stop_words="english",
        token_pattern=r"(?u)\b[a-zA-Z]{3,}\b",
        min_df=10,
        max_df=0.5,
        max_features=5000,
    )
    found = []
    for part in ("train", "test"):
        named = sorted(texts[part])
        bodies = [
            strip_newsgroup_footer(strip_newsgroup_quoting(strip_newsgroup_header(text)))
            for _, text in named
        ]
        groups = [name.split("/")[-2] for name, _ in named]
        counted = count.fit_transform(bodies) if part == "train" else count.transform(bodies)
        classes = np.unique(groups, return_inverse=True)[1]
        found.append(Labelled(f"20news raw, {part}", counted.astype(float), classes))
    return Split(*found)
