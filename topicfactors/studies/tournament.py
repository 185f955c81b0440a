"""The work behind :func:`topicfactors.studies.compare`, one fit after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import ArrayLike, NDArray

from topicfactors.errors import ConfigurationError, InputError
from topicfactors.estimators.base import resolve_device
from topicfactors.estimators.factor_model import BinaryFactorModel
from topicfactors.estimators.halves import halves
from topicfactors.insight.metrics import perplexity
from topicfactors.studies.lineup import Entry, cure, entries
from topicfactors.studies.processes import Processes
from topicfactors.studies.quality_results import QualitySettings, QualityStudy, Trial
from topicfactors.studies.shelf import Shelf
from topicfactors.studies.wordings import Wordings
from topicfactors.values import is_whole, number, whole

SPLIT = 0  # seed of the documents held out: they are the same for every seed of the fits
MOST_SEED = 2**32 - 1  # numpy's


class Tournament:
    """Models to be put side by side, checked before anything is fitted.

    Going over it fits one after the other, so that what was measured before an interruption is
    there; :meth:`study` makes the rest of it.

    Parameters
    ----------
    X, n_components, models, tokens, texts, feature_names, X_held_out, held_out, seeds, c_v
        As for :func:`compare`.
    threads, jobs, device
        Likewise.
    """

    def __init__(
        self,
        X: Any,
        n_components: int = 50,
        models: Iterable[Any] | Mapping[str, Any] | None = None,
        *,
        tokens: Iterable[Sequence[str]] | None = None,
        texts: Iterable[str] | None = None,
        feature_names: ArrayLike | None = None,
        X_held_out: Any = None,
        held_out: float = 0.1,
        seeds: Iterable[int] = (0,),
        c_v: bool = True,
        threads: int = 1,
        jobs: int = 1,
        device: str = "auto",
    ) -> None:
        self.seeds = check_numbers(n_components, held_out, seeds, threads, jobs)
        resolve_device(device)
        self.entries, self.missing = entries(models)
        self.topics, self.threads, self.jobs = n_components, threads, jobs
        self.device, self.c_v = device, c_v
        known = BinaryFactorModel()
        counts = known._counted(X, feature_names, None)
        self.words = [str(word) for word in known._words()]
        check_whole(counts)
        listed = None if tokens is None else [list(words) for words in tokens]
        written = None if texts is None else list(texts)
        check_rows(counts.shape[0], tokens=listed, texts=written)
        order = None if listed is None else columns_of(listed, self.words, counts)
        if X_held_out is None:
            rows, kept = divided(counts.shape[0], held_out)
            others = plain(counts[kept])
            held_texts = None if written is None else [written[row] for row in kept]
        else:
            rows, others, held_texts = np.arange(counts.shape[0]), known._validate(X_held_out), None
            check_whole(others, "X_held_out")
            others = plain(others)
        if n_components > len(rows):
            raise InputError(
                f"{n_components} topics are more than the {len(rows)} documents that are fitted; "
                f"try {max(1, len(rows) // 10)} or fewer"
            )
        self.wordings = Wordings(
            plain(counts[rows]), self.words, None if listed is None else [listed[r] for r in rows]
        )
        self.shelf = self._shelf(counts, rows, others, order, written, held_texts)

    def _shelf(
        self, counts: Any, rows: Any, others: Any, order: Any, written: Any, held: Any
    ) -> Shelf:
        """What models see: documents without a word are none."""
        rows = rows[np.diff(counts.indptr)[rows] > 0]
        told = np.flatnonzero(np.diff(others.indptr) > 0)
        others = others[told]
        if (np.asarray(others.sum(axis=1)).ravel() < 2).all():
            raise InputError(
                "no held-out document has two tokens, of which one is to be predicted; give more "
                "documents, or longer ones as X_held_out"
            )
        seen, unseen = halves(others)
        return Shelf(
            plain(counts[rows]),
            others,
            plain(seen),
            plain(unseen),
            self.words,
            None if order is None else [order[row] for row in rows],
            None if written is None else [written[row] for row in rows],
            None if held is None else [held[row] for row in told],
        )

    @property
    def plan(self) -> list[tuple[Entry, int]]:
        """Models and seeds in the order in which they are fitted: all models, then the next seed.

        A slow hour of the machine then meets them all.
        """
        return [(entry, seed) for seed in self.seeds for entry in self.entries]

    def __iter__(self) -> Iterator[Trial]:
        """Fit and score, and give each trial as soon as it is done."""
        ready, jobs = [], []
        for entry, seed in self.plan:
            if entry.missing is not None:
                remark = f"not installed: {cure([entry.missing])}"
                yield Trial(entry.label, seed, remark=remark)
                continue
            shared = {"topics": self.topics, "threads": self.threads, "device": self.device}
            ready.append((entry, seed))
            jobs.append(entry.job | shared | {"seed": seed})
        processes = Processes(self.shelf, self.threads, self.jobs)
        for place, found in processes.results(jobs):
            entry, seed = ready[place]
            yield self._scored(entry.label, seed, found)

    def _scored(self, label: str, seed: int, found: dict[str, Any]) -> Trial:
        topics = found.pop("topics", None)
        if topics is None:
            return Trial(label, seed, remark=found["remark"])
        return Trial(label, seed, **self.wordings.scores(topics, self.topics, self.c_v), **found)

    def study(self, trials: Iterable[Trial]) -> QualityStudy:
        """The trials made so far, with how they were made."""
        known = {entry.label: entry.settings for entry in self.entries}
        return QualityStudy(self._settings(), tuple(trials), known, tuple(self.missing))

    def _settings(self) -> QualitySettings:
        totals = np.asarray(self.shelf.counts.sum(axis=0)).ravel() + 0.5
        unseen = self.shelf.unseen
        logs = unseen @ np.log(totals / totals.sum())
        unigram = perplexity(logs, np.asarray(unseen.sum(axis=1)).ravel()).corpus
        return QualitySettings(
            self.topics,
            len(self.words),
            self.shelf.counts.shape[0],
            self.shelf.held_out.shape[0],
            int(self.shelf.counts.sum()),
            unigram,
            self.shelf.order is not None,
            tuple(self.seeds),
            self.threads,
            self.jobs,
            self.device,
        )


def plain(counts: Any) -> Any:
    """Counts as a plain CSR matrix of float64."""
    return scipy.sparse.csr_matrix(counts, dtype=np.float64)


def divided(documents: int, share: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows to train on and rows held out, always the same ones, in their order.

    >>> trained, held_out = divided(20, 0.1)
    >>> len(trained), len(held_out)
    (18, 2)
    """
    few = max(1, round(share * documents))
    if documents <= few:
        raise InputError(
            f"X has {documents} document, of which some are held out; give 2 or more, or X_held_out"
        )
    rows = np.random.default_rng(SPLIT).permutation(documents)
    return np.sort(rows[few:]), np.sort(rows[:few])


def columns_of(
    tokens: Sequence[Sequence[str]], words: Sequence[str], counts: Any
) -> list[NDArray[np.int64]]:
    """The columns of each document's tokens; words that are not counted have none.

    Raises
    ------
    InputError
        When they are not the tokens that were counted.
    """
    places = {word: column for column, word in enumerate(words)}
    found = [
        np.array([places[word] for word in listed if word in places], np.int64) for listed in tokens
    ]
    rows = np.repeat(np.arange(len(found)), [len(columns) for columns in found])
    columns = np.concatenate(found)
    again = scipy.sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), counts.shape)
    different = (again != plain(counts)).nonzero()[0]
    if len(different):
        raise InputError(
            f"tokens must be those that X counts, and row {different.min()} has others; take them "
            "from the vectorizer's own tokenize, or leave them out"
        )
    return found


def check_rows(documents: int, **lists: Sequence[Any] | None) -> None:
    """Refuse lists that have not a row for each document."""
    for name, rows in lists.items():
        if rows is not None and len(rows) != documents:
            raise InputError(
                f"{name} must have a row for each of the {documents} documents of X, got "
                f"{len(rows)}"
            )


def check_whole(counts: Any, name: str = "X") -> None:
    """Refuse counts that are no numbers of tokens."""
    broken = np.flatnonzero(counts.data != np.floor(counts.data))
    if len(broken):
        row = int(np.searchsorted(counts.indptr, broken[0], side="right")) - 1
        raise InputError(
            f"{name} must be whole numbers, as peers count tokens, got "
            f"{counts.data[broken[0]]:g} in row {row}; give counts rather than tf-idf"
        )


def check_numbers(
    topics: int, share: float, seeds: Iterable[int], threads: int, jobs: int
) -> list[int]:
    """The seeds, if all numbers make sense.

    Raises
    ------
    ConfigurationError
        "<name> must be …, got …".
    """
    whole("n_components", topics, 1)
    whole("threads", threads, 1)
    whole("jobs", jobs, 1)
    number("held_out", share, 0.0, 1.0, open_ends="low high")
    found = list(seeds) if isinstance(seeds, Iterable) else []
    sound = all(is_whole(seed) and 0 <= seed <= MOST_SEED for seed in found)
    if not found or not sound or len(set(found)) < len(found):
        raise ConfigurationError(
            f"seeds must be different whole numbers from 0 to {MOST_SEED}, got {seeds!r}"
        )
    return [int(seed) for seed in found]
