"""``n_runs``: fits over several seeds, of which the one that agrees most with the others is kept.

That run is a model that was fitted, with bounds that are true of it; the mean of matched loadings
would be nobody's optimum, and would have no posterior of its own.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from topicfactors.errors import ConfigurationError
from topicfactors.estimators.automatic import AutomaticMixin
from topicfactors.estimators.observed import Observed
from topicfactors.insight.matching import Described, agreement
from topicfactors.insight.topics import evidence
from topicfactors.values import is_whole

MATCHED = 2000  # documents, at most, by which factors are matched
SEEDS = 2**32  # how many there are
LEFT = ("agreement_", "came_back_", "consensus_")  # by fits of several runs alone


class Consensus(NamedTuple):
    """Several runs of one model, and which of them was kept."""

    seeds: list[int]  # random_state of every run
    chosen: int  # the place in them of the run that was kept
    agreements: list[float]  # of each run with the others, on the average
    agreement: float  # of all pairs
    chance: float  # what matching gives for shuffled factors
    threshold: float  # similarity from which a factor came back


class Run(NamedTuple):
    """One fit and what its factors are to some documents."""

    model: Any
    described: Described


def runs_of(model: Any) -> list[tuple[float, float]] | None:
    """Agreement of each factor and share of other runs it came back in; None for one run."""
    if not hasattr(model, "consensus_"):
        return None
    return list(zip(model.agreement_.tolist(), model.came_back_.tolist(), strict=True))


def matched_rows(documents: int) -> NDArray[np.int64]:
    """Rows of the documents by which factors are matched: all, or always the same sample."""
    rows = np.random.default_rng(0).permutation(documents)[:MATCHED]
    return np.sort(rows)


def described(model: Any, counts: Any) -> Described:
    """The posteriors of some checked counts, and the evidence of words, in single precision."""
    found = np.asarray(model._topics_of(counts, None), np.float32)
    return Described(found, np.asarray(evidence(model.factors()), np.float32))


def run_seed(random_state: Any, drawn: int, run: int) -> int:
    """The seed of a run: the first has that of the model, each later one the next.

    ``drawn`` stands for a ``random_state`` that is no number.

    >>> run_seed(7, 0, 2)
    9
    """
    return (int(random_state if is_whole(random_state) else drawn) + run) % SEEDS


@contextlib.contextmanager
def once() -> Iterator[list[warnings.WarningMessage]]:
    """Hold back warnings, and give each of them once at the end."""
    heard: list[warnings.WarningMessage] = []
    try:
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            yield heard
    finally:
        told = {(str(each.message), each.category): each for each in heard}
        for each in told.values():
            warnings.warn(each.message, each.category, stacklevel=4)


class RunsMixin(AutomaticMixin):
    """The fits of several runs, and the choice among them."""

    n_runs: int
    agreement_: NDArray[np.floating]
    came_back_: NDArray[np.floating]
    consensus_: Consensus

    def _refuse_going_on(self, how: str) -> None:
        """One model goes on from another, not several."""
        if is_whole(self.n_runs) and self.n_runs > 1:
            raise ConfigurationError(
                f"{how} makes one run, got n_runs={self.n_runs}; call fit on a new model, or "
                "set_params(n_runs=1) to go on with the run that was kept"
            )

    def _forget_runs(self) -> None:
        """What was known of runs is not of the model that comes now."""
        for name in LEFT:
            self.__dict__.pop(name, None)

    def _fit_runs(self, counts: Observed, covariates: Any) -> BaseException | None:
        """Become the run that agrees most; an interruption is returned if there was one.

        ``covariates`` are as they were given to ``fit``. Of an interrupted run nothing is kept,
        but where it was the first.
        """
        runs, interruption = list[Run](), None
        names = getattr(self, "feature_names_in_", None)
        seen = counts.without_responses()[matched_rows(counts.shape[0])]
        with self._training(going_on=False) as (drawn, _), once():
            seeds = [run_seed(self.random_state, drawn, run) for run in range(self.n_runs)]
            for seed in seeds:
                model = self._alone(seed)
                try:
                    model.fit(
                        counts,
                        covariates=covariates,
                        feature_names=names,
                        response=counts.responses,
                    )
                    runs.append(Run(model, described(model, seen)))
                except KeyboardInterrupt as stop:
                    if not runs and not hasattr(model, "held_out_"):
                        raise
                    runs, interruption = runs or [Run(model, Described(np.zeros((0, 0))))], stop
                    break
        self._choose(runs, seeds)
        return interruption

    def _alone(self, seed: int) -> Any:
        """A model like this one, of one run."""
        chosen = self.get_params(deep=False)
        chosen.update(n_runs=1, random_state=seed, warm_start=False)
        if isinstance(self.length_tempering, str):
            chosen.update(length_tempering=None)  # chosen once, for the model that is kept
        return type(self)(**chosen)

    def _choose(self, runs: list[Run], seeds: list[int]) -> None:
        """Take the place of the run that is kept; with several, note what came back."""
        found = agreement([run.described for run in runs]) if len(runs) > 1 else None
        best = runs[0 if found is None else found.chosen].model
        learnt = vars(best).items()
        self.__dict__.update({name: value for name, value in learnt if name.endswith("_")})
        if found is None:
            return
        self.agreement_, self.came_back_ = found.similarity, found.came_back
        others = (found.between.sum(1) - 1) / (len(runs) - 1)
        self.consensus_ = Consensus(
            seeds[: len(runs)],
            found.chosen,
            [float(each) for each in others],
            found.overall,
            found.chance,
            found.threshold,
        )
