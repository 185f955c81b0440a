"""What the commands read of a fitted model, whichever of the three it is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from topicfactors.errors import InputError, StorageError
from topicfactors.estimators.bounding import Measure
from topicfactors.estimators.factor_model import BinaryFactorModel
from topicfactors.estimators.mixture import MixtureModel
from topicfactors.estimators.semisupervised import SemiSupervisedClassifier
from topicfactors.export.assignments import assignments_table
from topicfactors.export.factors import NOUNS, PLURALS, posteriors_table
from topicfactors.export.tables import Table

Model = BinaryFactorModel | MixtureModel | SemiSupervisedClassifier
KINDS: dict[type, str] = {
    BinaryFactorModel: "factor",
    MixtureModel: "mixture",
    SemiSupervisedClassifier: "semisupervised",
}


def model_of(pipeline: Any) -> Any:
    """The last step of a pipeline, or the model itself.

    Raises
    ------
    StorageError
        When it is another kind of object.
    """
    from sklearn.pipeline import Pipeline

    model = pipeline[-1] if isinstance(pipeline, Pipeline) else pipeline
    if not isinstance(model, Model):
        raise StorageError(f"expected a run with a model, got a {type(model).__name__}")
    return model


def kind_of(model: Model) -> str:
    """As ``fit --model`` calls it."""
    return next(name for kind, name in KINDS.items() if isinstance(model, kind))


def noun_of(model: Model) -> str:
    """What the documents have: ``"factor"``, ``"component"`` or ``"class"``."""
    return NOUNS[kind_of(model)]


def listed_of(model: Any) -> str:
    """What the rows of the table of factors are: of a classifier its components, if it has more."""
    several = isinstance(model, SemiSupervisedClassifier) and model.components_per_class > 1
    return "component" if several else noun_of(model)


def called(model: Any) -> list[int | str]:
    """The number or name of each factor, component or class, as :func:`told` has their columns."""
    names: list[int | str] = model._called()
    return names


def responds(model: Any) -> bool:
    """Was it fitted with responses?"""
    return not isinstance(model, SemiSupervisedClassifier) and model._responds()


def told(model: Any, counts: Any, refine: int | str = "auto") -> NDArray[np.floating]:
    """A row of numbers a document: probabilities, then the expected response if there is one."""
    if isinstance(model, BinaryFactorModel):
        return model._told(counts, refine=refine)
    found = model._topics_of(counts, None)
    if responds(model):
        found = np.column_stack([found, found @ model.response_means_])
    return np.asarray(found)


def searching_once(model: Any) -> contextlib.AbstractContextManager[None]:
    """Inside, documents that are told of and scored are searched for once."""
    if isinstance(model, BinaryFactorModel):
        return model._searching_once()
    return contextlib.nullcontext()


def documents_table(
    model: Any,
    blocks: Iterable[tuple[Sequence[str], NDArray[np.floating]]],
    labels: Any = None,
) -> Table:
    """A row a document; ``blocks`` are ids and what :func:`told` says of them."""
    if isinstance(model, BinaryFactorModel):
        return posteriors_table(blocks, model.factor_names_, labels, responds=responds(model))
    noun = noun_of(model)
    return assignments_table(blocks, called(model), labels, noun=noun, responds=responds(model))


def rows_on(model: Any, counts: Any, columns: NDArray[np.floating]) -> NDArray[np.floating]:
    """How probable every row of the table of factors is in each document, ``(N, rows)``.

    ``columns`` are what :func:`told` says. The rows of a classifier are its components.
    """
    if isinstance(model, SemiSupervisedClassifier) and model.components_per_class > 1:
        return np.exp(model._log_posterior(model._observed(counts)))
    return columns[:, : len(called(model))]


def prior_of(model: Any) -> NDArray[np.floating]:
    """Probability of every row of the table of factors before any word, ``(rows,)``."""
    return np.asarray(model.prior_ if isinstance(model, BinaryFactorModel) else model.weights_)


def effects_of(model: Any) -> NDArray[np.floating] | None:
    """What every row of the table has of the response; None where there is none.

    Of a factor what it adds, of a component what is expected in it.
    """
    if not responds(model):
        return None
    factors = isinstance(model, BinaryFactorModel)
    return np.asarray(model.response_coef_ if factors else model.response_means_)


def refuse_search(model: Any, asked: Any) -> None:
    """Refuse ``--refine`` where there is nothing to search for.

    Raises
    ------
    InputError
        With the cure.
    """
    if asked != "auto" and not isinstance(model, BinaryFactorModel):
        what = PLURALS[noun_of(model)]
        raise InputError(
            f"--refine improves the posteriors of factors, and this run has {what}, which are "
            "summed over exactly; leave it out"
        )


def measures_of(
    model: Any, asked: Sequence[str] | None, samples: int | None, temperatures: int | None
) -> list[Measure]:
    """The scores that are asked for, else the tightest affordable bound and the looser ones.

    Raises
    ------
    InputError
        When the model has not such a bound, or it draws nothing.
    ConfigurationError
        When there is no such bound.
    """
    if isinstance(model, BinaryFactorModel):
        wanted = asked or model._rungs()
        if temperatures is not None and "ais" not in wanted:
            raise InputError("--temperatures are of --bound ais; leave them out")
        found = [
            model._resolved(name, samples, temperatures if name == "ais" else None)
            for name in wanted
        ]
    else:
        found = [_of_components(model, name) for name in asked or ("auto",)]
    exact = all(measure.bound == "exact" for measure in found)
    if exact and (samples is not None or temperatures is not None):
        name = "temperatures" if samples is None else "samples"
        raise InputError(f"--{name}: the exact bound draws nothing; leave it out")
    return list(dict.fromkeys(found))


def _of_components(model: Any, name: str) -> Measure:
    if name == "completion":
        return Measure(name, 0)
    if name not in ("auto", "exact", "own"):
        raise InputError(
            f"--bound {name}: this run has {PLURALS[noun_of(model)]}, whose bound is exact; "
            "leave it out, or use --bound completion"
        )
    return Measure("exact", 0)


def measured(model: Any, measure: Measure) -> Measure:
    """What stands for a measure where all of a model is summed over."""
    summed = not isinstance(model, BinaryFactorModel) and measure.bound != "completion"
    own: Measure = model._own() if summed else measure
    return own


def annealed(model: Any) -> str:
    """What a score owes to a log Z that is not summed; empty where it owes nothing.

    ``evaluate`` says it beside every score, since the error is on the flattering side.
    """
    prior = model._joint().prior if isinstance(model, BinaryFactorModel) else None
    spread = getattr(prior, "log_partition_spread", None)
    nats = 0.0 if spread is None else float(spread())
    if not nats > 0:
        return ""
    return (
        f"note: log Z of the prior is annealed (± {nats:.3f} nats); it errs low, and every score "
        "here is too high by as much"
    )
