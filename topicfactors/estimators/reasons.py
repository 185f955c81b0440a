"""Exact evidence for chosen factors of chosen documents, of every model."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from topicfactors.corpus.counts import Counts
from topicfactors.errors import ConfigurationError
from topicfactors.estimators.base import threads
from topicfactors.estimators.factor_model import BinaryFactorModel
from topicfactors.insight.highlights import Reasons, pair_reasons
from topicfactors.training.batches import Documents

ROOM = 2**22  # floats of a dense result that are made at once

Pairs = Callable[[NDArray[np.int64], NDArray[np.int64]], list[Reasons]]


def reasons_of(model: Any, counts: Any, found: NDArray[np.floating]) -> Pairs | None:
    """Why ``factors (P,)`` are on in documents ``rows (P,)``; None where there is no such sum.

    Of a factor, with the others on that are more likely on than off in ``found (N, D)``. Of a
    component or class, against the best of the others.
    """
    if isinstance(model, BinaryFactorModel):
        if model.objective_.layers is not None:  # they hide log p(x, z)
            return None
        return lambda rows, factors: _of_factors(model, counts, found, rows, factors)
    if len(found.T) < 2:
        return None
    try:
        model._scores(model._evidence(counts[:1]))
    except ConfigurationError:  # several components a class, and no recognition
        return None
    return lambda rows, factors: _of_components(model, counts, rows, factors)


def _of_factors(
    model: Any,
    counts: Any,
    found: NDArray[np.floating],
    rows: NDArray[np.int64],
    factors: NDArray[np.int64],
) -> list[Reasons]:
    joint = copy.deepcopy(model._joint()).cpu().float()
    reasons: list[Reasons] = []
    step = max(1, ROOM // joint.sizes.words)
    with threads(model.n_jobs), torch.no_grad():
        for start in range(0, len(rows), step):
            part = rows[start : start + step]
            documents = _documents(counts[part])
            target = joint.condition(documents.batch(torch.arange(len(part))))
            bits = torch.from_numpy(found[part] > 0.5).float()
            switched = torch.from_numpy(factors[start : start + step])
            reasons += pair_reasons(target, bits, switched)
    return reasons


def _documents(counts: Any) -> Documents:
    known = counts.covariates
    coded = None if known is None else torch.from_numpy(np.asarray(known)).float()
    return Documents(Counts.from_scipy(counts), covariates=coded)


def _of_components(
    model: Any, counts: Any, rows: NDArray[np.int64], factors: NDArray[np.int64]
) -> list[Reasons]:
    """A document that is asked about several times is taken apart once."""
    distinct, places = np.unique(rows, return_inverse=True)
    scores = model._scores(model._evidence(counts[distinct]))
    reasons = []
    for place, factor in zip(places.tolist(), factors.tolist(), strict=True):
        found = scores[place]
        total = found.total()
        total[factor] = -np.inf
        other = int(total.argmax())
        reasons.append(
            Reasons(
                float(found.prior[factor] - found.prior[other]),
                float(found.rest[factor] - found.rest[other]),
                (found.words[factor] - found.words[other]).astype(np.float32),
            )
        )
    return reasons
