"""Which factors come back when a model is fitted again with other seeds."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, NamedTuple

from sklearn.base import clone

from topicfactors.errors import ConfigurationError, unknown_name
from topicfactors.estimators.consensus import Run, described, matched_rows, run_seed
from topicfactors.estimators.factor_model import BinaryFactorModel
from topicfactors.estimators.mixture import MixtureModel
from topicfactors.export.tables import Table, write_md
from topicfactors.insight.matching import SIMILARITIES, THRESHOLD, Agreement, agreement, lost
from topicfactors.studies.parallel import heard, outcomes, pass_on, processes
from topicfactors.values import number, whole

SHOWN = 8  # words of a factor


class FactorStability(NamedTuple):
    """How one factor of the run that is kept fared in the others."""

    factor: int | str  # its number there, or its name
    agreement: float  # mean similarity to its own in the other runs
    words: float  # mean cosine of what words tell, to the same ones
    came_back: float  # share of the other runs in which it came back
    prevalence: float
    top_words: list[str]
    partners: list[int]  # its number in every run; -1 where it has none


@dataclass(frozen=True)
class Stability:
    """Several fits of one model, and how far they found the same factors.

    Parameters
    ----------
    model
        The fit that agrees most with the others.
    seeds
        ``random_state`` of every fit.
    by
        What similarity is of: ``"documents"`` or ``"words"``.
    found
        The matching; ``found.between (R, R)`` has the agreement of every pair of fits.
    factors
        Those of ``model``, in its order.
    """

    model: Any
    seeds: tuple[int, ...]
    by: str
    found: Agreement
    factors: tuple[FactorStability, ...]

    @property
    def agreement(self) -> float:
        """Mean similarity of matched factors over all pairs of fits."""
        return self.found.overall

    @property
    def chance(self) -> float:
        """What the same matching gives when documents (or words) are shuffled."""
        return self.found.chance

    @property
    def threshold(self) -> float:
        """Similarity from which a factor has come back."""
        return self.found.threshold

    @property
    def lost(self) -> list[int | str]:
        """Factors that came back in fewer than half of the other fits."""
        return [self.factors[number].factor for number in lost(self.found.came_back)]

    def records(self) -> list[dict[str, Any]]:
        """A dict a factor."""
        return [factor._asdict() for factor in self.factors]

    def to_pandas(self) -> Any:
        """:meth:`records` as a data frame, a row a factor."""
        import pandas as pd

        return pd.DataFrame(self.records()).set_index("factor")

    def as_dict(self) -> dict[str, Any]:
        """Everything but the model, for a file of JSON."""
        return {
            "seeds": list(self.seeds),
            "chosen": self.found.chosen,
            "by": self.by,
            "agreement": self.agreement,
            "chance": self.chance,
            "threshold": self.threshold,
            "between": self.found.between.tolist(),
            "lost": self.lost,
            "factors": self.records(),
        }

    def __str__(self) -> str:
        """What people read: a line on the whole, then the factors, the steadiest first."""
        heads = ("factor", "agreement", "words", "back in", "top words")
        order = sorted(self.factors, key=lambda row: -row.agreement)
        rows = [
            (
                row.factor,
                f"{row.agreement:.2f}",
                f"{row.words:.2f}",
                f"{row.came_back:.0%}",
                " ".join(row.top_words),
            )
            for row in order
        ]
        stream = io.StringIO()
        write_md(Table(heads, [rows]), stream)
        missing = ", ".join(map(str, self.lost)) or "none"
        return (
            f"{len(self.seeds)} runs agree to {self.agreement:.2f} (by chance {self.chance:.2f}); "
            f"the run with seed {self.seeds[self.found.chosen]} agrees most. Its factors:\n\n"
            f"{stream.getvalue()}\nIn fewer than half of the other runs (similarity of "
            f"{self.threshold:.2f} or more): {missing}."
        )


def stability(
    model: Any,
    X: Any,
    n_runs: int = 5,
    *,
    covariates: Any = None,
    by: str = "documents",
    threshold: float = THRESHOLD,
    n_jobs: int | None = None,
    random_state: int | None = None,
) -> Stability:
    """Fit a model with several seeds, match the factors of the fits, and say which came back.

    Factors of two fits are matched one to one so that the sum of their similarities is highest.
    What the figures mean, and what they do not, is in docs/stability.md.

    Parameters
    ----------
    model
        A :class:`BinaryFactorModel` or :class:`MixtureModel`; clones of it are fitted.
    X
        Counts ``(N, V)``.
    n_runs
        Fits, with the seeds s, s + 1, ….
    covariates
        Those of the documents, as for ``fit``.
    by
        What similarity is of: ``"documents"``, the correlation of P(factor on) over documents (at
        most 2,000 of them), or ``"words"``, the cosine of the evidence of words.
    threshold
        Similarity from which a factor has come back.
    n_jobs
        Processes, -1 for one a core, each of one thread; None for this one.
    random_state
        The seed s; None for that of the model, and 0 where it has none.

    Raises
    ------
    ConfigurationError
        When a parameter is out of range, or the model has no factors that could be matched.

    Examples
    --------
    >>> import numpy as np
    >>> from topicfactors import BinaryFactorModel
    >>> counts = np.array([[4, 3, 0, 0], [0, 0, 5, 2], [3, 4, 0, 1], [0, 0, 3, 4]] * 5)
    >>> found = stability(BinaryFactorModel(2, max_iter=5), counts, 2)
    >>> found.found.between.shape
    (2, 2)
    """
    check_model(model)
    whole("n_runs", n_runs, 2)
    number("threshold", threshold, 0.0, 1.0)
    if by not in SIMILARITIES:
        raise unknown_name("by", by, SIMILARITIES)
    seeds = seeds_of(model, n_runs, random_state)
    alone = unfitted(model, processes(n_jobs))
    tasks = [(run, alone, seed, X, covariates) for run, seed in enumerate(seeds)]
    ended = sorted(outcomes(_fitted, tasks, n_jobs), key=lambda outcome: int(outcome[0]))
    runs = [run for _, run, _ in ended]
    pass_on(message for *_, messages in ended for message in messages)
    found = agreement([run.described for run in runs], by=by, threshold=threshold)
    best = runs[found.chosen].model
    return Stability(best, seeds, by, found, _factors(best, found))


def check_model(model: Any) -> None:
    """Refuse what has no factors or components that other fits might have too.

    Raises
    ------
    ConfigurationError
        Which says why.
    """
    if not isinstance(model, BinaryFactorModel | MixtureModel):
        raise ConfigurationError(
            f"model must be a BinaryFactorModel or a MixtureModel, got a {type(model).__name__}; "
            "the classes of a classifier have the names of their labels in every fit"
        )


def seeds_of(model: Any, runs: int, random_state: int | None) -> tuple[int, ...]:
    """The seeds of so many fits.

    Raises
    ------
    ConfigurationError
        When ``random_state`` is no whole number of 0 or more.
    """
    if random_state is not None:
        whole("random_state", random_state, 0)
    first = model.random_state if random_state is None else random_state
    return tuple(run_seed(first, 0, run) for run in range(runs))


def unfitted(model: Any, jobs: int) -> Any:
    """A clone that makes one run; beside others it has one thread, and nobody to listen."""
    alone = clone(model)
    if hasattr(alone, "n_runs"):
        alone.set_params(n_runs=1, warm_start=False)
    return alone if jobs == 1 else alone.set_params(n_jobs=1, verbose=0, callbacks=None)


def _fitted(run: int, model: Any, seed: int, X: Any, covariates: Any) -> tuple[int, Run, list[str]]:
    """One fit, what its factors are, and what was warned of."""
    with heard() as messages:
        own = clone(model).set_params(random_state=seed)
        own.fit(X, covariates=covariates)
        counts = own._observed(X, covariates)
        rows = matched_rows(counts.shape[0])
        return run, Run(own, described(own, counts[rows])), messages


def _factors(model: Any, found: Agreement) -> tuple[FactorStability, ...]:
    listed = model.top_words(SHOWN)
    rows = zip(
        model.factor_names_,
        found.similarity.tolist(),
        found.by_words.tolist(),
        found.came_back.tolist(),
        model.prevalence_.tolist(),
        [[word for word, _ in words] for words in listed],
        found.partners.T.tolist(),
        strict=True,
    )
    return tuple(FactorStability(*row) for row in rows)
