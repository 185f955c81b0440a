"""What ``fit`` and ``partial_fit`` prepare: the parts, the schedule, the held-out documents."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import ArrayLike

from topicfactors.errors import ConfigurationError, FitWarning, InputError
from topicfactors.estimators import parts
from topicfactors.estimators.anchoring import AnchoringMixin
from topicfactors.estimators.checks import check_parameters, is_automatic
from topicfactors.training.batches import Documents
from topicfactors.training.callbacks import Callback, Epoch
from topicfactors.training.distil import distil
from topicfactors.training.trainer import History, Schedule, Trainer

SMALLEST_BATCH = 16  # documents
FEWEST_HELD_OUT = 5  # documents; with fewer nothing is held out and nothing stopped early


class FittingMixin(AnchoringMixin):
    """The steps of a training that come before its loop."""

    n_components: Any
    max_iter: int | None
    kl_warmup: float | str
    batch_size: int | str
    learning_rate: float | str
    overlap_penalty: float
    shrinkage: float | str
    validation_fraction: float
    n_iter_no_change: int
    tol: float
    verbose: int
    callbacks: Sequence[Callback] | None
    n_documents_: int
    _optimizer_state: dict[str, Any] | None = None  # of partial_fit, so that it goes on

    def _prepared(
        self, X: Any, names: ArrayLike | None, id2word: Any, going_on: bool
    ) -> tuple[scipy.sparse.csr_matrix, parts.Parts]:
        """Counts and parts, or the error that says what is wrong with them."""
        check_parameters(self)
        automatic = is_automatic(self.n_components)
        chosen = parts.choose(self.get_params(deep=False), 1 if automatic else self.n_components)
        self._check_anchors(chosen, going_on)
        if going_on and not automatic and self._factors() != self.n_components:
            raise ConfigurationError(
                f"training goes on with a model of {self._factors()} factors, got "
                f"n_components={self.n_components}; clone the model to start anew"
            )
        X = X if id2word is None else self._bags(X, id2word)
        counts = self._validate(X, names, reset=not going_on)
        if counts.sum() == 0:
            raise InputError(
                f"X has no tokens: all {counts.shape[0]} rows are empty; expected counts above 0"
            )
        return counts, chosen

    @contextlib.contextmanager
    def _whole_or_not_at_all(self, going_on: bool) -> Iterator[None]:
        """Where a first training fails, leave no half of a model behind."""
        try:
            yield
        except BaseException:
            if not going_on:
                for name in [name for name in vars(self) if name.endswith("_")]:
                    delattr(self, name)
            raise

    def _build(self, chosen: parts.Parts, counts: Any, seed: int) -> None:
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
                stacklevel=3,
            )
        self.objective_ = parts.build(
            chosen, counts.shape[1], self.n_components, self.overlap_penalty
        )
        parts.start(self.objective_, chosen, counts, seed, self._start_anchors(counts))

    def _schedule(
        self, documents: int, *, going_on: bool = False, constant: bool = False
    ) -> Schedule:
        gradient, rate, size = self.objective_.gradient, self.learning_rate, self.batch_size
        enough = max(SMALLEST_BATCH, documents // gradient.steps)
        warmup = gradient.kl_warmup if isinstance(self.kl_warmup, str) else self.kl_warmup
        shrinkage = gradient.shrinkage if isinstance(self.shrinkage, str) else self.shrinkage
        before = self.n_documents_ if constant and hasattr(self, "n_documents_") else 0
        self.objective_.shrinkage = shrinkage / (documents + before)
        return Schedule(
            gradient.epochs if self.max_iter is None else self.max_iter,
            min(gradient.batch_size, enough) if isinstance(size, str) else size,
            gradient.learning_rate if isinstance(rate, str) else rate,
            0.0 if going_on else warmup,
            patience=self.n_iter_no_change,
            tol=self.tol,
            constant=constant,
        )

    def _teach(self, documents: Documents, trainer: Trainer, history: History, passes: int) -> None:
        """Let the encoder learn what a search has found; not after an interruption."""
        self._bar_words()
        memory = trainer.memories[0]
        if memory is None or history.interruption is not None:
            return
        try:
            distil(self.objective_, documents, memory, passes, trainer.seed)
        except KeyboardInterrupt as interruption:
            history.stopped, history.interruption = "interrupted", interruption

    def _split(self, counts: Any, seed: int) -> tuple[Any, Any | None]:
        if not is_automatic(self.n_components) and self.n_components > counts.shape[0]:
            warnings.warn(
                f"n_components={self.n_components} is more factors than documents "
                f"({counts.shape[0]}): many will say the same or nothing; ask for fewer",
                FitWarning,
                stacklevel=3,
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
