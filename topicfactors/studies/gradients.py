"""Gradient estimators side by side: bias, variance, cost, and the bound after equal effort."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from topicfactors.estimators.factor_model import BinaryFactorModel
from topicfactors.studies.comparison import Comparison
from topicfactors.studies.contestants import Named
from topicfactors.studies.results import GradientStudy


def gradients(
    model: BinaryFactorModel,
    X: Any,
    estimators: Iterable[Named] | None = None,
    *,
    X_held_out: Any = None,
    covariates: Any = None,
    held_out_covariates: Any = None,
    documents: int = 64,
    draws: int = 200,
    reference_draws: int = 5000,
    warm_up: int = 300,
    seconds: float = 5.0,
    evaluations: float = 20.0,
    samples: int = 32,
    random_state: int = 0,
) -> GradientStudy:
    """Put gradient estimators side by side on a corpus, at one model.

    For each of them: bias, variance and signal-to-noise ratio of the gradient of the ELBO in the
    posterior's logits; seconds and decoder evaluations of a step; and the bounds of held-out
    documents after a training of equal time and of equal evaluations, from the same weights. What
    the figures mean is in docs/gradients.md.

    Parameters
    ----------
    model
        A fitted model whose posterior is trained through draws; or one that is not fitted, of
        which a clone is (with gradients through draws, where ``inference`` says nothing else).
    X
        Counts ``(N, V)``.
    estimators
        Their names, with options as in ``"nvil:samples=1"``, or constructors; None for all that
        can serve the model. Those that cannot are listed with the reason.
    X_held_out
        Counts ``(N, V)`` of documents that are scored; None for a tenth of ``X``, which is then
        not trained on.
    covariates, held_out_covariates
        Those of the documents, where the model has any.
    documents
        On which the gradient is drawn, at most.
    draws
        Of the gradient of each document; rounded up to tens.
    reference_draws
        Beyond 12 factors, where bias is against the mean of so many draws of an unbiased estimator
        of low variance; up to 12 it is against the exact gradient.
    warm_up
        Steps in which an estimator that learns (a baseline, a control network) sees the model
        before its draws are counted.
    seconds
        Of each training on equal time; 0 for none.
    evaluations
        Walks over the vocabulary for each training document, of each training on equal
        evaluations; 0 for none.
    samples
        Draws a document of the ELBO and the IWAE of held-out documents.
    random_state
        Seed, a whole number. All but what is measured by the clock follows from it.

    Raises
    ------
    ConfigurationError
        When a name is unknown, a number makes no sense, or no estimator can serve the model.
    InputError
        When the counts are not those of the model, or its posterior is found without draws.

    Examples
    --------
    >>> import numpy as np
    >>> from topicfactors import BinaryFactorModel
    >>> counts = np.array([[4, 3, 0, 0], [0, 0, 5, 2], [3, 4, 0, 1], [0, 0, 3, 4]] * 5)
    >>> model = BinaryFactorModel(2, likelihood="multinomial", random_state=0)
    >>> found = gradients(model, counts, ["nvil", "straight-through"], seconds=0, warm_up=5)
    >>> sorted(row.estimator for row in found.rows)
    ['nvil', 'straight-through']
    """
    comparison = Comparison(
        model,
        X,
        estimators,
        X_held_out=X_held_out,
        covariates=covariates,
        held_out_covariates=held_out_covariates,
        documents=documents,
        draws=draws,
        reference_draws=reference_draws,
        warm_up=warm_up,
        seconds=seconds,
        evaluations=evaluations,
        samples=samples,
        random_state=random_state,
    )
    return comparison.study(comparison)
