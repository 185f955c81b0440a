"""How the estimators with classes are fitted: EM or gradient, from several starts."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from topicfactors.corpus.counts import Counts
from topicfactors.estimators.class_parts import ClassParts
from topicfactors.estimators.component_gradient import ComponentGradientMixin
from topicfactors.estimators.component_tasks import Learnt, Task
from topicfactors.estimators.components import Floats
from topicfactors.estimators.parts import frequencies
from topicfactors.estimators.scoring import Evaluation
from topicfactors.insight.topics import status
from topicfactors.model.likelihood import Frequencies
from topicfactors.training import em
from topicfactors.training.callbacks import Epoch, refuse_keepers
from topicfactors.training.trainer import History

FEWEST_HELD_OUT = 5  # documents
LARGEST_LOG = 700.0  # of a number that a double holds
SOFT = 1e-3  # share of every component that is not the start's own
STARTS = 10  # of EM, where the user leaves it to the package; benchmarks/mixtures.md


class ComponentFittingMixin(ComponentGradientMixin):
    """Fits K components to the evidence of counts."""

    n_init: int | str
    validation_fraction: float
    tempering: Any

    def _name_parts(self, parts: ClassParts) -> None:
        """What "auto" stood for."""
        self.inference_, self.init_ = parts.inference.label, parts.init.label
        given = self.tempering
        auto = isinstance(given, str) and given == "auto"
        self.tempering_ = parts.tempering.label if auto else given

    def _in_order(self) -> list[int]:
        """Sort the components by their weight; which component came to each place."""
        joint: Any = self.objective_.joint
        weights = joint.log_class_prior().detach()[:, 0]
        order = torch.argsort(weights, descending=True, stable=True)
        none = torch.zeros_like(order, dtype=torch.bool)
        joint.decoder.arrange(order, none)
        joint.class_prior.arrange(order)
        if joint.response is not None:
            joint.response.arrange(order, none)
        return [int(place) for place in order]

    def _split(self, counts: Any, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows that are fitted, and rows that are held out."""
        held = round(self.validation_fraction * counts.shape[0])
        order = np.random.default_rng(seed).permutation(counts.shape[0])
        if held < FEWEST_HELD_OUT:
            held = 0
        return np.sort(order[held:]), np.sort(order[:held])

    def _starts(self, parts: ClassParts, counts: Any, seed: int) -> Iterator[Floats]:
        """Responsibilities ``(N, K)`` to begin with, nearly hard."""
        count = (STARTS if parts.closed else 1) if isinstance(self.n_init, str) else self.n_init
        components = self.objective_.joint.classes
        for number in range(count):
            labels = parts.init.build(counts.astype(np.float64), components, seed + number)
            start = np.full((counts.shape[0], components), SOFT / components)
            start[np.arange(len(start)), labels] += 1 - SOFT
            yield start

    def _centre(self) -> None:
        """Put the corpus frequencies into the bias, around which the components lie."""
        likelihood: Any = self.objective_.joint.likelihood
        with torch.no_grad():
            background = likelihood.background(self._frequencies())
            self.objective_.joint.decoder.bias.copy_(background)

    def _corpus_of(self, evidence: Any) -> Frequencies:
        """What the evidence says of its words."""
        totals = np.asarray(evidence.sum(axis=0)).ravel()
        return frequencies(totals, self.document_frequency_, self.n_documents_)

    def _tokens(self, evidence: Any) -> Floats:
        """Tokens of each document as the likelihood observes them, ``(N,)``."""
        seen = self._joint().likelihood.observe(Counts.from_scipy(evidence))
        return np.asarray(seen.lengths.double().numpy())

    def _learn(self, parts: ClassParts, task: Task, starts: Iterator[Floats]) -> Learnt:
        """The best of several starts, in place; an interruption keeps the best so far."""
        best: Learnt | None = None
        fresh = self._snapshot()
        if parts.closed:
            refuse_keepers(self.callbacks)
        method = self._by_em if parts.closed else self._by_gradient
        try:
            for responsibilities in starts:
                self.objective_.load_state_dict(fresh)
                found = method(parts, task, responsibilities)
                if best is None or found.objective > best.objective:
                    best = found
                if found.history.interruption is not None or found.history.asked:
                    best.history.interruption = found.history.interruption
                    break
        except KeyboardInterrupt as interruption:
            if best is None:
                raise
            best.history.stopped, best.history.interruption = "interrupted", interruption
        if best is None:
            raise ValueError("a fit needs a start")
        self.objective_.load_state_dict(best.weights)
        self.objective_.eval()
        return best

    def _by_em(self, parts: ClassParts, task: Task, responsibilities: Floats) -> Learnt:
        history, smoothing = History(), task.smoothing()
        start = em.begin(task.counts, responsibilities, smoothing, task.known)
        passes = parts.passes if self.max_iter is None else self.max_iter
        tell, last, reseeded = self._teller(task, passes), None, set[int]()
        try:
            for step in em.iterate(task.counts, start, smoothing, task.known):
                before, last = last, step
                history.epochs.append(event := tell(len(history.epochs) + 1, step))
                self._tell(event)
                if before is not None and em.settled(before, step, self.tol):
                    history.stopped = "converged"
                    break
                if len(history.epochs) == passes:
                    break
                reseeded.update(step.reseeded)
        except StopIteration as stop:
            history.stopped, history.asked = str(stop) or "a callback asked to stop", True
        except KeyboardInterrupt as interruption:
            if last is None:
                raise
            history.stopped, history.interruption = "interrupted", interruption
        if last is None:
            raise ValueError("EM ends after a step")
        history.best = len(history.epochs)
        self._put(last.components)
        converged, told = history.stopped == "converged", last.components.responses
        numbers = sorted(reseeded)
        return Learnt(last.objective, history, numbers, converged, self._snapshot(), told)

    def _teller(self, task: Task, passes: int) -> Callable[[int, em.Step], Epoch]:
        """Makes the event of an iteration."""
        began, total = time.perf_counter(), max(float(task.known.weights.sum()), 1e-12)
        tokens = float(task.known.weights @ np.asarray(task.counts.sum(1)).ravel())

        def tell(number: int, step: em.Step) -> Epoch:
            surprise = -step.log_prob / max(tokens, 1e-12)  # of responses too, where there are some
            perplexity = math.exp(min(surprise, LARGEST_LOG))
            active = int((step.documents >= 1).sum())
            seconds, bound = time.perf_counter() - began, step.log_prob / total
            return Epoch(number, passes, bound, perplexity, None, active, 1.0, 0.0, seconds)

        return tell

    def _note(self, kept: Any, held_out: Any | None, found: Learnt) -> None:
        """Facts of the fit, and what the components are to the documents."""
        history = found.history
        self.history_, self.n_iter_ = history.epochs, len(history.epochs)
        self.best_iter_, self.stopped_ = history.best, history.stopped
        self.converged_, self.objective_value_ = found.converged, found.objective
        posterior = np.exp(self._log_posterior(kept))
        self.prevalence_, self.posterior_variance_ = posterior.mean(0), posterior.var(0)
        self.status_ = status(self.prevalence_, self.posterior_variance_)
        self.covariate_information_ = self._information(kept, posterior)
        self.held_out_: dict[str, Evaluation] = {}
        if held_out is not None:
            self.held_out_["exact"] = self._evaluated(held_out)
            self._count_words(held_out, add=True)


def emptied(components: list[int]) -> str:
    """What is said of components that had to be begun anew."""
    named = ", ".join(map(str, components))
    return (
        f"components {named} became empty on the way and were begun anew from the documents "
        "explained worst; ask for fewer components, or less smoothing"
    )
