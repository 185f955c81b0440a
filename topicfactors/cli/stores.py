"""A store of counts as the corpus of ``fit``: its documents are streamed, a sample is shown."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from topicfactors.cli.covariates import names_of
from topicfactors.cli.models import spelt
from topicfactors.cli.vectorizing import OF_TEXTS
from topicfactors.corpus.count_readers import CountedCorpus
from topicfactors.corpus.store import CountsStore, is_store
from topicfactors.errors import InputError
from topicfactors.estimators.shards import told

SHOWN = 5_000  # documents that the tables, the scores and the page of a run are of
IDLE = (*(name for name in OF_TEXTS if name != "covariate"), "vocabulary")


def store_in(corpus: str) -> CountsStore | None:
    """The store that is meant, if it is one.

    Raises
    ------
    StorageError
        When it is one that cannot be read.
    """
    return CountsStore.open(corpus) if is_store(corpus) else None


def refuse_idle(corpus: str, typed: Collection[str]) -> None:
    """Words and columns were chosen when the store was prepared.

    Raises
    ------
    InputError
        With what to leave out.
    """
    idle = [name for name in IDLE if name in typed]
    if idle:
        raise InputError(
            f"{corpus}: its words were counted when it was prepared; leave out "
            f"{', '.join(map(spelt, idle))}, or prepare it so"
        )


class Shown:
    """The documents of a store that are in memory at once.

    Of factors they stand for all where a run shows documents, the others stream past. A mixture and
    a classifier are fitted in memory, and have all.

    Parameters
    ----------
    store
        All of them.
    options
        Of ``fit``: which columns are read, and by what model.
    """

    def __init__(self, store: CountsStore, options: Mapping[str, Any]) -> None:
        self.store, self.streamed = store, options["model"] == "factor"
        documents = store.shape[0]
        most = min(documents, SHOWN) if self.streamed else documents
        places = np.linspace(0, max(0, documents - 1), most)
        self.rows = np.unique(places.astype(np.int64))
        self.names = [*names_of(options["covariate"])]
        self.response = options["response"]

    def read(self) -> tuple[CountedCorpus, Any]:
        """Counts, ids, labels and covariates of the sample, and its responses."""
        store, ids = self.store, list[str]()
        labels: list[str | None] | None = [] if store.labelled else None
        asked = [*self.names, *filter(None, [self.response])]
        columns: dict[str, list[Any]] = {name: [] for name in asked}
        homes = np.searchsorted(store.starts, self.rows, side="right") - 1
        for number in np.unique(homes).tolist():
            local = (self.rows[homes == number] - store.starts[number]).tolist()
            names, marked = store.ids(number), store.labels(number)
            ids += [names[row] for row in local]
            if labels is not None:
                labels += [None if marked is None else marked[row] for row in local]
            for name, values in (told(store, number, asked) or {}).items():
                columns[name] += [values[row] for row in local]
        covariates = {name: columns[name] for name in self.names} or None
        counts = store.rows(self.rows)
        answers = None if self.response is None else columns[self.response]
        return CountedCorpus(counts, ids, labels, store.notes, covariates), answers

    def described(self) -> dict[str, Any] | None:
        """What run.toml says of the corpus, if it was streamed."""
        if not self.streamed:
            return None
        documents, words = self.store.shape
        return {
            "documents": documents,
            "words": words,
            "tokens": self.store.tokens,
            "shards": len(self.store.sizes),
            "shown": len(self.rows),
            "characters": 0,
            "sha256": self.store.fingerprint,
            "notes": self.store.notes,
        }
