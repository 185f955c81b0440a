"""How many factors: held-out score, coherence and stability over seeds, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from topicfactors import __version__
from topicfactors.corpus.covariates import columns_in
from topicfactors.errors import ConfigurationError, InputError
from topicfactors.estimators.consensus import matched_rows
from topicfactors.estimators.halves import halves
from topicfactors.export.tables import export_table
from topicfactors.files import whole_file
from topicfactors.studies import sweep_fits
from topicfactors.studies.parallel import outcomes, pass_on, processes
from topicfactors.studies.stability import check_model, seeds_of, unfitted
from topicfactors.studies.sweep_fits import Fitted, Task
from topicfactors.studies.sweep_folder import fingerprint, plain, take, write_mark
from topicfactors.studies.sweep_results import Settings, Sweep
from topicfactors.values import number, whole

MOST = 2000  # documents held out
FEWEST = 5

Rows = NDArray[np.int64]


class Sweeping:
    """A sweep, prepared and checked; going over it makes one fit after the other.

    What was done before an interruption is there: in :meth:`result`, and in the folder, where
    another one with the same options goes on. The parameters are those of :func:`sweep`, and
    ``options``, what else is to be the same in a sweep that goes on.
    """

    def __init__(
        self,
        model: Any,
        X: Any,
        k: Iterable[int],
        *,
        n_runs: int = 3,
        covariates: Any = None,
        held_out: float = 0.2,
        folder: str | Path | None = None,
        overwrite: bool = False,
        n_jobs: int | None = None,
        random_state: int | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        check_model(model)
        self.numbers = numbers_of(k)
        whole("n_runs", n_runs, 1)
        number("held_out", held_out, 0.0, 0.9, open_ends="low")
        self.seeds = seeds_of(model, n_runs, random_state)
        self.n_jobs, jobs = n_jobs, processes(n_jobs)
        self.folder = None if folder is None else Path(folder)
        alone = unfitted(model, jobs)
        checks = unfitted(model, 1)
        counts = checks._counted(X, None, None, covariates=covariates)
        names = _names(X, counts)
        rows, others = _told(checks.design_, counts, *divided(counts.shape[0], held_out))
        if self.numbers[-1] > len(rows):
            raise InputError(
                f"k={self.numbers[-1]} is more than the {len(rows)} documents that are fitted; try "
                "fewer"
            )
        held = counts[others]
        matched = matched_rows(counts.shape[0])
        self.task = Task(
            alone,
            names,
            *_part(counts, covariates, rows),
            *_part(counts, covariates, others),
            *_part(counts, covariates, matched),
            None if folder is None else str(folder),
        )
        self.settings = Settings(
            type(model).__name__,
            len(rows),
            len(others),
            len(matched),
            counts.shape[1],
            float(held.sum()),
            _unseen(held),
            self.seeds,
        )
        self.identity = {
            "options": dict(options or {}),
            "corpus": fingerprint(counts, names),
            "model": type(model).__name__,
            "parameters": plain(alone.get_params(deep=False)),
            "held_out": held_out,
            "topicfactors": __version__,
        }
        self.done: dict[tuple[int, int], Fitted] = {}
        if self.folder is not None:
            take(self.folder, self.identity, overwrite)
            self._read(self.folder)

    @property
    def wanted(self) -> list[tuple[int, int]]:
        """Numbers and seeds of all fits; every number is fitted once before any is again."""
        return [(k, seed) for seed in self.seeds for k in self.numbers]

    @property
    def left(self) -> list[tuple[int, int]]:
        """Those that are still to be made."""
        return [key for key in self.wanted if key not in self.done]

    def __iter__(self) -> Iterator[Fitted]:
        """Make the fits that are left."""
        tasks = [(self.task, k, seed) for k, seed in self.left]
        for found in outcomes(sweep_fits.fit, tasks, self.n_jobs):
            self.done[found.key] = found
            yield found

    def result(self) -> Sweep:
        """What the fits made so far say; there must be one."""
        made = tuple(self.done[key] for key in self.wanted if key in self.done)
        return Sweep(self.settings, made)

    def write(self, found: Sweep) -> None:
        """sweep.json, sweep.csv and sweep.html into the folder.

        Raises
        ------
        ConfigurationError
            When there is no folder.
        StorageError
            When they cannot be written.
        """
        if self.folder is None:
            raise ConfigurationError("folder must be given to write to, got None")
        with whole_file(self.folder / "sweep.html") as page:
            found.plot().write_html(page, include_plotlyjs=True)
        export_table(found.table(), self.folder / "sweep.csv")
        write_mark(self.folder, {"made_with": self.identity, **found.as_dict()})

    def _read(self, folder: Path) -> None:
        """Take the fits that are there."""
        for k, seed in self.wanted:
            found = sweep_fits.kept(folder, k, seed)
            if found is not None:
                self.done[k, seed] = found


def sweep(
    model: Any,
    X: Any,
    k: Iterable[int],
    *,
    n_runs: int = 3,
    covariates: Any = None,
    held_out: float = 0.2,
    folder: str | Path | None = None,
    overwrite: bool = False,
    n_jobs: int | None = None,
    random_state: int | None = None,
) -> Sweep:
    """Fit a model with several numbers of factors, each with several seeds, and compare.

    The documents held out are the same for all fits. docs/number-of-factors.md says how the table
    is read and how a number is recommended.

    Parameters
    ----------
    model
        A :class:`BinaryFactorModel` or :class:`MixtureModel`; clones of it are fitted.
    X
        Counts ``(N, V)``.
    k
        Numbers of factors, or of components.
    n_runs
        Fits of each, with the seeds s, s + 1, …; with one nothing is known of stability.
    covariates
        Those of the documents, as for ``fit``.
    held_out
        Share of the documents that no fit sees; at most 2,000.
    folder
        Where every fit is noted when it is finished, and the table, the plot and the
        recommendation at the end. Called again with the same model and counts, it goes on from
        there, with more numbers or seeds too.
    overwrite
        Begin anew in a folder with a sweep.
    n_jobs
        Processes, -1 for one a core, each of one thread; None for this one.
    random_state
        The seed s; None for that of the model, and 0 where it has none.

    Raises
    ------
    ConfigurationError
        When a parameter is out of range.
    InputError
        When there are too few documents.
    StorageError
        When the folder holds something else, or a sweep with other options.

    Examples
    --------
    >>> from topicfactors import BinaryFactorModel
    >>> counts = np.array([[4, 3, 0, 0], [0, 0, 5, 2], [3, 4, 0, 1], [0, 0, 3, 4]] * 10)
    >>> found = sweep(BinaryFactorModel(max_iter=2, random_state=0), counts, [1, 2], n_runs=1)
    >>> [row.k for row in found.rows]
    [1, 2]
    """
    made = Sweeping(
        model,
        X,
        k,
        n_runs=n_runs,
        covariates=covariates,
        held_out=held_out,
        folder=folder,
        overwrite=overwrite,
        n_jobs=n_jobs,
        random_state=random_state,
    )
    pass_on(told for found in made for told in found.notes)
    result = made.result()
    if folder is not None:
        made.write(result)
    return result


def numbers_of(k: Any) -> list[int]:
    """Numbers of factors in ascending order, each once.

    Raises
    ------
    ConfigurationError
        When they are no whole numbers of 1 or more, or none.
    """
    asked = list(k) if isinstance(k, Iterable) and not isinstance(k, str) else [k]
    if not asked:
        raise ConfigurationError("k must have a number of factors, as in [10, 20, 50], got none")
    for each in asked:
        whole("k", each, 1)
    return sorted({int(each) for each in asked})


def divided(documents: int, share: float) -> tuple[Rows, Rows]:
    """Rows that are fitted and rows held out, always the same ones."""
    few = min(MOST, round(share * documents))
    if few < FEWEST or documents - few < 1:
        raise InputError(
            f"{documents} documents are too few: of a share of {share:g} fewer than {FEWEST} would "
            "be held out; give more documents, or a larger held_out"
        )
    order = np.random.default_rng(0).permutation(documents)
    return np.sort(order[few:]), np.sort(order[:few])


def _told(design: Any, counts: Any, rows: Rows, others: Rows) -> tuple[Rows, Rows]:
    """Those that are held out of a category that no fitted one has are fitted."""
    if design is None:
        return rows, others
    widths = [len(column.means) for column in design.columns]
    named = np.repeat([column.kind == "category" for column in design.columns], widths)
    there = (counts.covariates > 0) & named
    alone = (there[others] & ~there[rows].any(0)).any(1)
    if (~alone).sum() < FEWEST:
        raise InputError(
            f"covariates: fewer than {FEWEST} documents could be held out whose categories others "
            "have too; leave out a column of many categories"
        )
    return np.sort(np.concatenate([rows, others[alone]])), others[~alone]


def _part(counts: Any, covariates: Any, rows: Rows) -> tuple[Any, Any]:
    """Counts and covariates of some documents, as a fit takes them."""
    plain = scipy.sparse.csr_matrix(counts)[rows]
    if covariates is None:
        return plain, None
    columns = columns_in(covariates).items()
    return plain, {name: np.array(list(values), object)[rows].tolist() for name, values in columns}


def _unseen(held_out: Any) -> float:
    """Tokens of the unseen halves of documents; 0 where counts cannot be halved."""
    try:
        return float(halves(held_out)[1].sum())
    except InputError:
        return 0.0


def _names(X: Any, counts: Any) -> list[str] | None:
    """The words of the columns, where ``X`` carries them."""
    named = getattr(X, "feature_names", None)
    named = getattr(X, "columns", None) if named is None else named
    return None if named is None else [str(name) for name in named]
