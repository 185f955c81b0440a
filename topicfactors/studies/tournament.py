"""The work behind :func:`topicfactors.studies.compare`, one fit after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from topicfactors.errors import ConfigurationError, InputError
from topicfactors.estimators.base import resolve_device
from topicfactors.insight.metrics import perplexity
from topicfactors.studies.lineup import Entry, cure, entries
from topicfactors.studies.material import Material
from topicfactors.studies.processes import Processes
from topicfactors.studies.quality_results import QualitySettings, QualityStudy, Trial
from topicfactors.values import is_whole, number, whole

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
        material = Material(X, feature_names, tokens, texts)
        self.words = material.words
        self.shelf, self.wordings = material.divided(X_held_out, held_out)
        documents = self.wordings.counts.shape[0]
        if n_components > documents:
            raise InputError(
                f"{n_components} topics are more than the {documents} documents that are fitted; "
                f"try {max(1, documents // 10)} or fewer"
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
