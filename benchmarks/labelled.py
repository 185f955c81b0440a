"""Corpora whose documents have a class, for the benchmarks of clusters and of few labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets._twenty_newsgroups import (
    strip_newsgroup_footer,
    strip_newsgroup_header,
    strip_newsgroup_quoting,
)

from corpora import five_thousand_words, octis_rows, posts


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
    count, found = five_thousand_words(), []
    for part, named in posts(data).items():
        bodies = [
            strip_newsgroup_footer(strip_newsgroup_quoting(strip_newsgroup_header(text)))
            for _, text in named
        ]
        groups = [name.split("/")[-2] for name, _ in named]
        counted = count.fit_transform(bodies) if part == "train" else count.transform(bodies)
        classes = np.unique(groups, return_inverse=True)[1]
        found.append(Labelled(f"20news raw, {part}", counted.astype(float), classes))
    return Split(*found)
