"""What ``fit`` and ``partial_fit`` prepare: the parts, the schedule, the held-out documents."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from topicfactors.contracts import Memory
from topicfactors.errors import ConfigurationError, FitWarning
from topicfactors.estimators import parts
from topicfactors.estimators.anchoring import AnchoringMixin
from topicfactors.estimators.base import resolve_device, seeded, threads
from topicfactors.estimators.checks import check_parameters, is_automatic
from topicfactors.estimators.combinations import Parts, costs
from topicfactors.estimators.keeping import KeepingMixin
from topicfactors.estimators.observed import Observed, refuse_others
from topicfactors.estimators.responding import RespondingMixin
from topicfactors.training.batches import Documents
from topicfactors.training.callbacks import Callback, Epoch
from topicfactors.training.distil import distil
from topicfactors.training.trainer import History, Schedule

SMALLEST_BATCH = 16  # documents
FEWEST_HELD_OUT = 5  # documents; with fewer nothing is held out and nothing stopped early


class FittingMixin(AnchoringMixin, KeepingMixin, RespondingMixin):
    """The steps of a training that come before its loop."""

    n_components: Any
    device: str
    random_state: Any
    n_jobs: int | None
    max_iter: int | None
    kl_warmup: float | str
    batch_size: int | str
    learning_rate: float | str
    overlap_penalty: float
    shrinkage: float | str
    covariates: str | Sequence[str] | None
    covariate_shrinkage: float
    validation_fraction: float
    n_iter_no_change: int
    tol: float
    verbose: int
    callbacks: Sequence[Callback] | None
    n_documents_: int
    _optimizer_state: dict[str, Any] | None = None  # of partial_fit, so that it goes on

    def _prepared(
        self,
        X: Any,
        covariates: Any,
        response: ArrayLike | None,
        names: ArrayLike | None,
        id2word: Any,
        going_on: bool,
    ) -> tuple[Observed, Parts]:
        """All that is known of the documents, and parts, or the error that says what is wrong."""
        check_parameters(self)
        resolve_device(self.device)  # refused before anything of the model is touched
        automatic = is_automatic(self.n_components)
        chosen = parts.choose(self.get_params(deep=False), 1 if automatic else self.n_components)
        self._check_anchors(chosen, going_on)
        if going_on and not automatic and self._factors() != self.n_components:
            raise ConfigurationError(
                f"training goes on with a model of {self._factors()} factors, got "
                f"n_components={self.n_components}; clone the model to start anew"
            )
        if going_on:
            refuse_others(self.design_, self.covariates)
        with self._as_it_was():
            counts = self._counted(X, names, id2word, going_on, covariates)
            answers = self._answered(response, counts.shape[0], chosen.response, going_on)
        return counts.with_responses(answers), chosen

    @contextlib.contextmanager
    def _training(self, going_on: bool) -> Iterator[tuple[int, torch.device]]:
        """Threads and random numbers of a training; yields its seed and its device."""
        device = resolve_device(self.device)
        with (
            threads(self.n_jobs),
            seeded(self.random_state, device) as seed,
            self._whole_or_not_at_all(going_on),
        ):
            yield seed, device

    def _build(self, chosen: Parts, counts: Observed, seed: int) -> None:
        self.inference_, self.init_ = chosen.inference.label, chosen.init.label
        most = getattr(chosen.inference.constructor, "slow_above", None)
        if most is not None:
            own = getattr(chosen.likelihood.constructor, "enumerates_slowly_above", most)
            most = min(most, own)
        if most is not None and self.n_components > most:
            warnings.warn(
                f"inference={self.inference_!r} sums over 2^{self.n_components} states in "
                f"every step, which is slow under likelihood={chosen.likelihood.label!r}; above "
                f"{most} factors inference='truncated' is quicker",
                FitWarning,
                stacklevel=4,
            )
        if expensive := costs(chosen.inference, chosen.decoder, self.n_components):
            warnings.warn(expensive, FitWarning, stacklevel=4)
        self.objective_ = parts.build(
            chosen,
            counts.shape[1],
            self.n_components,
            self.overlap_penalty,
            self.design_,
            responds=counts.responses is not None,
        )
        parts.start(self.objective_, chosen, counts, seed, self._start_anchors(counts))
        if counts.responses is not None:
            self._response().start(counts.responses)

    def _schedule(
        self, documents: int, *, going_on: bool = False, constant: bool = False
    ) -> Schedule:
        gradient, rate, size = self.objective_.gradient, self.learning_rate, self.batch_size
        enough = max(SMALLEST_BATCH, documents // gradient.steps)
        warmup = gradient.kl_warmup if isinstance(self.kl_warmup, str) else self.kl_warmup
        shrinkage = gradient.shrinkage if isinstance(self.shrinkage, str) else self.shrinkage
        before = self.n_documents_ if constant and hasattr(self, "n_documents_") else 0
        self.objective_.shrinkage = shrinkage / (documents + before)
        self.objective_.covariate_shrinkage = self.covariate_shrinkage / (documents + before)
        return Schedule(
            gradient.epochs if self.max_iter is None else self.max_iter,
            min(gradient.batch_size, enough) if isinstance(size, str) else size,
            gradient.learning_rate if isinstance(rate, str) else rate,
            0.0 if going_on else warmup,
            patience=self.n_iter_no_change,
            tol=self.tol,
            constant=constant,
        )

    def _teach(
        self,
        documents: Documents,
        memory: Memory | None,
        history: History,
        passes: int,
        seed: int,
    ) -> None:
        """Let the encoder learn what a search has found; not after an interruption.

        Documents that the training has no memory of are searched for it.
        """
        self._bar_words()
        if not self.objective_.posterior.searched or history.interruption is not None:
            return
        try:
            distil(self.objective_, documents, memory, passes, seed)
        except KeyboardInterrupt as interruption:
            history.stopped, history.interruption = "interrupted", interruption

    def _split(self, counts: Observed, seed: int) -> tuple[Observed, Observed | None]:
        if not is_automatic(self.n_components) and self.n_components > counts.shape[0]:
            warnings.warn(
                f"n_components={self.n_components} is more factors than documents "
                f"({counts.shape[0]}): many will say the same or nothing; ask for fewer",
                FitWarning,
                stacklevel=4,
            )
        held = round(self.validation_fraction * counts.shape[0])
        if held < FEWEST_HELD_OUT:
            return counts, None
        order = np.random.default_rng(seed).permutation(counts.shape[0])
        return counts[np.sort(order[held:])], counts[np.sort(order[:held])]

    def _listeners(self) -> list[Callback]:
        own = [_print_epoch] if self.verbose else []
        return own + list(self.callbacks or [])


def _print_epoch(epoch: Epoch) -> None:
    sys.stderr.write(
        f"epoch {epoch.number}/{epoch.of}: bound {epoch.bound:.2f} nats a document, "
        f"perplexity {epoch.perplexity:.1f}, {epoch.active} factors active, "
        f"{epoch.seconds:.1f} s\n"
    )
