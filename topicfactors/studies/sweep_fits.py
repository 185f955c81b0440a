"""One fit of a sweep: what is measured of it, and the small file that keeps it."""

from __future__ import annotations

import base64
import json
import time
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from topicfactors.errors import InputError, StorageError
from topicfactors.estimators.factor_model import BinaryFactorModel
from topicfactors.estimators.halves import halves
from topicfactors.estimators.observed import Observed
from topicfactors.export.tables import dump_json
from topicfactors.files import whole_file
from topicfactors.studies.parallel import heard

STEPS = 255  # in which probabilities are kept
DIGITS = 5  # of scores, behind the point
FOLDER = "fits"


class Task(NamedTuple):
    """What every fit of a sweep is given."""

    model: Any  # not fitted
    names: Any  # of the columns, or None
    training: Any  # counts (N, V)
    known: Any  # covariates of those documents, or None
    held_out: Any  # counts (H, V)
    held_known: Any
    matched: Any  # counts (M, V) of the documents by which factors are matched
    matched_known: Any
    folder: str | None


class Fitted(NamedTuple):
    """What is kept of one fit."""

    k: int
    seed: int
    bound: str  # which one held_out is
    held_out: list[float]  # nats, of each document
    completion: list[float] | None  # nats, of the unseen half of each; None where there is none
    npmi: float
    diversity: float
    active: int
    epochs: int
    stopped: str
    seconds: float  # of the fit
    notes: list[str]  # what was warned of
    posteriors: str  # of the matched documents, as `packed` has them

    @property
    def key(self) -> tuple[int, int]:
        """Number of factors and seed."""
        return self.k, self.seed


def fit(task: Task, k: int, seed: int) -> Fitted:
    """Fit once, measure, and keep what was measured where there is a folder."""
    began = time.perf_counter()
    with heard() as notes:
        model = clone(task.model).set_params(n_components=k, random_state=seed)
        model.fit(task.training, covariates=task.known, feature_names=task.names)
        seconds = time.perf_counter() - began
        counts = model._observed(task.held_out, task.held_known)
        own = model._own() if isinstance(model, BinaryFactorModel) else "exact"
        found = Fitted(
            k,
            seed,
            own,
            _rounded(_scores(model, counts)),
            _completion(model, counts),
            float(model.coherence(task.training).mean()),
            model.diversity(),
            model.status_.count("active"),
            model.n_iter_,
            model.stopped_,
            round(seconds, 3),
            notes,
            packed(model._topics_of(task.matched, task.matched_known)),
        )
    if task.folder is not None:
        keep(found, Path(task.folder))
    return found


def _scores(model: Any, counts: Observed) -> NDArray[np.float64]:
    """The inference's own bound of every document: of the same kind for every number of factors."""
    options = {"bound": "own"} if isinstance(model, BinaryFactorModel) else {}
    return np.asarray(model.score_samples(counts, **options))


def _completion(model: Any, counts: Observed) -> list[float] | None:
    """Log-probability of the unseen half of every document, where counts can be halved."""
    try:
        seen, unseen = halves(counts)
    except InputError:
        return None
    seen = Observed(seen, covariates=counts.covariates)
    if isinstance(model, BinaryFactorModel):
        draws = model._resolved("completion", None).samples
        return _rounded(model._completed(seen, unseen, draws))
    return _rounded(model._completed(seen, unseen))


def _rounded(values: NDArray[np.floating]) -> list[float]:
    return [float(value) for value in np.round(np.asarray(values, np.float64), DIGITS)]


def packed(probabilities: Any) -> str:
    """Probabilities ``(M, D)`` in steps of 1/255, as text; most are 0 or 1 and take little room.

    >>> unpacked(packed(np.array([[0.0, 1.0], [0.0, 0.0]])), 2).tolist()
    [[0.0, 1.0], [0.0, 0.0]]
    """
    steps = np.round(np.asarray(probabilities, np.float64) * STEPS).astype(np.uint8)
    return base64.b64encode(zlib.compress(np.ascontiguousarray(steps.T).tobytes())).decode("ascii")


def unpacked(text: str, factors: int) -> NDArray[np.float32]:
    """What :func:`packed` was given, ``(M, D)``."""
    steps = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8)
    return np.asarray(steps.reshape(factors, -1).T / np.float32(STEPS), np.float32)


def path_of(folder: Path, k: int, seed: int) -> Path:
    """The file of a fit."""
    return folder / FOLDER / f"k{k}-seed{seed}.json"


def keep(found: Fitted, folder: Path) -> None:
    """Write a fit, whole or not at all.

    Raises
    ------
    StorageError
        When it cannot be written.
    """
    with whole_file(path_of(folder, *found.key)) as temporary:
        temporary.write_text(dump_json(found._asdict()) + "\n", encoding="utf-8")


def kept(folder: Path, k: int, seed: int) -> Fitted | None:
    """A fit that is there already; None where it is not.

    Raises
    ------
    StorageError
        When its file is damaged.
    """
    path = path_of(folder, k, seed)
    if not path.exists():
        return None
    try:
        found = Fitted(**json.loads(path.read_text(encoding="utf-8")))
        unpacked(found.posteriors, k)
    except (OSError, ValueError, TypeError, RecursionError, zlib.error) as error:
        told = " ".join(str(error).split())
        raise StorageError(f"{path}: damaged: {told}; delete it, and it is fitted again") from error
    return found
