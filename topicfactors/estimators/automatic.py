"""``n_components="auto"``: as many factors as there is evidence for.

Models of 8, 16, 32, … factors are fitted, each loses the factors that cost more than they explain
(:mod:`topicfactors.training.worth`) and is trained on without them, and the doubling ends when the
evidence falls or when many factors were not needed. Fragments go last: much weaker factors than the
rest, if the best model has more evidence without them.
"""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Sequence, Sized
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.preprocessing import normalize

from topicfactors.errors import ConfigurationError, FitWarning
from topicfactors.estimators import parts
from topicfactors.estimators.base import seeded, threads
from topicfactors.estimators.checks import is_automatic, most_factors
from topicfactors.estimators.learning import LearningMixin
from topicfactors.estimators.observed import Observed
from topicfactors.training.worth import Worth, worth
from topicfactors.values import is_whole

LEAST = 8  # factors that are tried first
DOCUMENTS = 5  # at least, for each factor
ROUNDS = 5  # times that factors are dropped from one model
AGAIN = 4  # shares of the passes that are made again for the share of factors that went
ALIKE = 0.3  # cosine of loadings from which two factors are not dropped together
WEAK = 0.2  # share of the median worth below which a factor may be a fragment of others
LEFT = ("tried_", "edits_", "_optimizer_state")  # by another fit
SPARE = 0.8  # share of the factors: where no more were needed, larger models are not tried


class Tried(NamedTuple):
    """One model of the search for a number of factors."""

    begun: int  # factors it began with
    needed: int  # those that are left
    evidence: float  # nats a document


class _Corpus(NamedTuple):
    """What every model of the search is fitted to."""

    counts: Observed
    covariates: Any  # as they were given to fit
    names: Any  # of the columns

    def fit(self, model: Any) -> None:
        """Fit the model, or let it go on."""
        model.fit(
            self.counts,
            covariates=self.covariates,
            feature_names=self.names,
            response=self.counts.responses,
        )


@dataclass
class _Model:
    """One model of the search while it lasts."""

    estimator: Any
    begun: int
    evidence: float = -math.inf  # nats

    @property
    def whole(self) -> bool:
        """Was it fitted, and is all that was found of the factors that it has now?"""
        fitted = hasattr(self.estimator, "held_out_")
        return fitted and len(self.estimator.prevalence_) == self.estimator._factors()

    def as_tried(self, documents: int) -> Tried:
        """What is kept of it."""
        return Tried(self.begun, self.estimator._factors(), self.evidence / documents)


class AutomaticMixin(LearningMixin):
    """The search for the number of factors."""

    random_state: Any
    tried_: list[Tried]

    def _fit_number(self, counts: Observed, covariates: Any) -> BaseException | None:
        """Fit with as many factors as there is evidence for.

        ``covariates`` are as they were given to ``fit``, from which each model learns its design.
        An interruption is returned if there was one.
        """
        names = getattr(self, "feature_names_in_", None)
        with self._training(going_on=False) as (seed, _):
            return self._fit_automatically(_Corpus(counts, covariates, names), seed)

    def _forget_before(self) -> None:
        """Nothing that was tried with the model before, or done to it, is of a new one."""
        for name in LEFT:
            self.__dict__.pop(name, None)

    def _refuse_stream(self, first: bool) -> None:
        """The first part of the documents cannot say how many factors the corpus has."""
        if first and is_automatic(self.n_components):
            raise ConfigurationError(
                "partial_fit does not see all documents at once, which n_components='auto' needs; "
                "give a number of factors, or call fit first"
            )

    def _fit_automatically(self, corpus: _Corpus, seed: int) -> BaseException | None:
        """Become the model with most evidence; an interruption is returned if there is one."""
        found, interruption = list[_Model](), None
        documents = corpus.counts.shape[0]
        try:
            for size in _sizes(most_factors(self.n_components), documents, self.anchors):
                found.append(_Model(self._sized(size, seed), size))
                with warnings.catch_warnings():
                    if len(found) > 1:
                        warnings.filterwarnings("ignore", "anchors: ")  # told once is enough
                    found[-1].evidence = found[-1].estimator._settle(corpus, seed)
                if _enough(found):
                    break
            else:
                _warn_of_the_end(most_factors(self.n_components), found[-1])
            best = max(found, key=lambda model: model.evidence)
            best.evidence = best.estimator._trim(corpus, seed)
        except KeyboardInterrupt as stop:
            found = [model for model in found if model.whole]
            if not found:
                raise
            best, interruption = max(found, key=lambda model: model.evidence), stop
        learnt = vars(best.estimator).items()
        self.__dict__.update({name: value for name, value in learnt if name.endswith("_")})
        self.tried_ = [model.as_tried(documents) for model in found]
        return interruption

    def _sized(self, factors: int, seed: int) -> Any:
        """A model like this one, of so many factors."""
        chosen = self.get_params(deep=False)
        state = self.random_state if is_whole(self.random_state) else seed
        chosen.update(n_components=factors, random_state=state, warm_start=False)
        chosen.update(length_tempering=None)  # chosen once, for the model that is kept
        return type(self)(**chosen)

    def _settle(self, corpus: _Corpus, seed: int) -> float:
        """Fit, drop what is not needed, train on, until all is needed; the evidence, in nats.

        The more is dropped, the longer the rest is trained: passes that are not needed cost
        completion (benchmarks/truncated_settings.md).
        """
        most, begun = self.max_iter, self.n_components
        corpus.fit(self)
        self.set_params(warm_start=True)
        found = self._worth(corpus.counts, seed)
        for _ in range(ROUNDS):
            kept = needed(found, self.components_, list(self._anchored().values()))
            if kept.all():
                break
            with seeded(seed, self._device()):
                self._keep(np.flatnonzero(kept))
            passes = most or self.objective_.gradient.epochs
            share = min(1.0, AGAIN * (1 - self.n_components / begun))
            self.set_params(max_iter=max(1, round(passes * share)))
            corpus.fit(self)
            found = self._worth(corpus.counts, seed)
        self.set_params(max_iter=most)
        return found.evidence

    def _trim(self, corpus: _Corpus, seed: int) -> float:
        """Drop fragments: the weakest factors, while training on without them adds evidence."""
        known = self._worth(corpus.counts, seed)
        for _ in range(ROUNDS):
            net = known.net.cpu().double().numpy()
            net[list(self._anchored().values())] = np.inf
            weakest = int(net.argmin())
            if len(net) == 1 or net[weakest] > WEAK * np.median(net):
                break
            tried = copy.copy(self)
            tried.objective_ = copy.deepcopy(self.objective_)
            with seeded(seed, self._device()):
                tried._keep(np.delete(np.arange(len(net)), weakest))
            corpus.fit(tried)
            found = tried._worth(corpus.counts, seed)
            if found.evidence <= known.evidence:
                break
            self.__dict__.update(vars(tried))
            known = found
        return known.evidence

    def _worth(self, counts: Observed, seed: int) -> Worth:
        with threads(self.n_jobs):
            return worth(self.objective_, self._documents(counts), seed)

    @torch.no_grad()
    def _keep(self, factors: NDArray[np.int64]) -> None:
        """Drop all other factors."""
        old, device, joint = self.objective_, self._device(), self._joint()
        self.set_params(n_components=len(factors))
        chosen = parts.choose(self.get_params(deep=False), len(factors))
        order = torch.from_numpy(factors).to(device)
        unturned = torch.zeros(joint.sizes.factors, dtype=torch.bool, device=device)
        for part in (*joint.per_factor(), old.posterior):
            part.arrange(order, unturned)
        self.objective_ = parts.build(
            chosen,
            joint.sizes.words,
            len(factors),
            self.overlap_penalty,
            self.design_,
            responds=self._responds(),
        ).to(device)
        self._move_names(factors)
        self.objective_.joint.load_state_dict(joint.state_dict())
        self.objective_.posterior.load_state_dict(old.posterior.state_dict())


def needed(
    found: Worth, loadings: NDArray[np.floating], anchored: Sequence[int] = ()
) -> NDArray[np.bool_]:
    """Which factors are kept, ``(D,)``: those worth more than they cost, those that a user has
    ``anchored``, and at least one.

    Of factors with ``loadings (D, V)`` that are alike only the least needed goes: without it the
    others may be worth more.
    """
    net, unit = found.net.cpu().double().numpy(), normalize(loadings)
    net[list(anchored)] = np.inf
    kept = np.ones(len(net), dtype=bool)
    for factor in np.argsort(net)[:-1]:
        alike = (unit[~kept] @ unit[factor] > ALIKE).any()
        kept[factor] = net[factor] >= 0 or alike
    return kept


def _sizes(most: int, documents: int, named: Sized | None) -> list[int]:
    """8, 16, 32, …, beside the anchored factors, and the most that are allowed."""
    anchors = len(named or ())
    most = max(1, anchors, min(most, documents // DOCUMENTS))
    sizes = [size for size in (anchors + (LEAST << turn) for turn in range(32)) if size < most]
    return [*sizes, most]


def _enough(found: list[_Model]) -> bool:
    """Is there no reason to try more factors? Evidence fell, or many were not needed."""
    last = found[-1]
    fell = last.evidence < max(model.evidence for model in found)
    return fell or last.estimator._factors() <= SPARE * last.begun


def _warn_of_the_end(most: int, last: _Model) -> None:
    if last.begun == most:
        warnings.warn(
            f"n_components='auto' ended at the most it may try, {most} factors, of which "
            f"{last.estimator._factors()} are needed; there may be more: 'auto:most={2 * most}'",
            FitWarning,
            stacklevel=5,
        )
