"""``fit`` of a store: the documents stay on disk, and are streamed past the model.

What needs documents in memory reads a sample: the start of the loadings, the held-out share, the
order of the words, prevalences. Word totals are those of all documents.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from topicfactors.corpus.store.reader import CountsStore
from topicfactors.errors import ConfigurationError, InputError
from topicfactors.estimators.calibrating import CalibratingMixin
from topicfactors.estimators.checks import is_automatic
from topicfactors.estimators.combinations import Parts
from topicfactors.estimators.consensus import RunsMixin
from topicfactors.estimators.fitting import FEWEST_HELD_OUT
from topicfactors.estimators.observed import Observed
from topicfactors.estimators.parts import frequencies
from topicfactors.estimators.responding import as_responses
from topicfactors.estimators.shards import refuse_beside, sample_of, told
from topicfactors.estimators.specs import parsed
from topicfactors.training.batches import Documents
from topicfactors.training.distributed import World, current
from topicfactors.training.schedules import Schedule
from topicfactors.training.stored import StoredDocuments
from topicfactors.training.trainer import History, Trainer

SAMPLE = 50_000  # documents that start the loadings and put words in order
ENTRIES = 5_000_000  # non-zeros, at most, of those documents together
HELD_OUT = 5_000  # documents, at most, that training is stopped by
LOOKED_AT = 10_000  # documents whose posteriors say what is prevalent, and teach the encoder
VISITS = 5_000_000  # documents, at most, that are passed over where max_iter is left open
FEWEST = 2  # passes all the same


class Streamed:
    """A store as one fit reads it: which documents are held out, what is read of the others."""

    def __init__(self, model: Any, store: CountsStore, response: str | None) -> None:
        self.model, self.store, self.response = model, store, response
        self.columns = [spec.name for spec in parsed(model.covariates) or ()]
        self.held: NDArray[np.int64] = np.zeros(0, np.int64)
        self.family: Any = None  # of the responses

    def sample(self) -> tuple[NDArray[np.int64], Any, Any, Any]:
        """Rows of the sample, its counts, covariates and responses."""
        asked = [*self.columns, *([] if self.response is None else [self.response])]
        documents, each = self.store.shape[0], self.store.nnz / self.store.shape[0]
        most = min(SAMPLE, max(FEWEST_HELD_OUT, int(ENTRIES / max(each, 1.0))))
        rows, counts, known = sample_of(self.store, min(documents, most), asked)
        return rows, counts, self._covariates(known), self._responses(known)

    def hold_out(self, rows: NDArray[np.int64]) -> None:
        """Keep documents out of the training."""
        self.held = np.sort(rows)

    def sizes(self) -> list[int]:
        """Documents of each shard that are trained on."""
        ends = np.cumsum([0, *self.store.sizes])
        held = np.diff(np.searchsorted(self.held, ends))
        return [size - int(out) for size, out in zip(self.store.sizes, held, strict=True)]

    def read(self, number: int) -> Documents:
        """The documents of a shard that are trained on, on the CPU."""
        known = told(self.store, number, [*self.columns, *filter(None, [self.response])])
        counts = self.model._observed(self.store.shard(number), self._covariates(known))
        answers = self._responses(known)
        if answers is not None:
            numbers = as_responses(answers, counts.shape[0], self.family)
            counts = counts.with_responses(numbers)
        start = self.store.starts[number]
        kept = np.ones(counts.shape[0], bool)
        first, last = np.searchsorted(self.held, [start, start + len(kept)])
        kept[self.held[first:last] - start] = False
        trained = counts if kept.all() else counts[np.flatnonzero(kept)]
        found: Documents = self.model._documents(trained, "cpu")
        return found

    def _covariates(self, known: dict[str, list[Any]] | None) -> dict[str, list[Any]] | None:
        if known is None or not self.columns:
            return None
        return {name: known[name] for name in self.columns}

    def _responses(self, known: dict[str, list[Any]] | None) -> list[Any] | None:
        return None if known is None or self.response is None else known[self.response]


class StreamingMixin(CalibratingMixin, RunsMixin):
    """Fits of documents that stay where they are."""

    def _fit_store(
        self, store: CountsStore, covariates: Any, response: Any, names: ArrayLike | None
    ) -> History:
        self._refuse_many()
        refuse_beside(covariates, "covariates")
        if response is not None and not isinstance(response, str):
            raise InputError(
                "the response of a store is the name of a column of it, got a "
                f"{type(response).__name__}; prepare it with --response NAME"
            )
        streamed = Streamed(self, store, response)
        rows, sample, table, answers = streamed.sample()
        counts, chosen = self._prepared(sample, table, answers, names, None, False)
        streamed.family = chosen.response
        self._check_length(counts, chosen.likelihood)
        self._forget_runs()
        self._forget_before()
        history = self._learn_stored(streamed, rows, counts, chosen)
        self._order_words(counts)
        self._choose_length(counts, history.interruption is None)
        return history

    def _refuse_many(self) -> None:
        """What takes several fits is tried on a part of the documents."""
        if is_automatic(self.n_components) or self.n_runs != 1:
            what = "n_components='auto'" if is_automatic(self.n_components) else "n_runs"
            raise ConfigurationError(
                f"{what} takes several fits, which need documents in memory; fit "
                "store.rows(range(100_000)) with it, and the store with what comes out"
            )
        if getattr(self, "warm_start", False) and hasattr(self, "objective_"):
            raise ConfigurationError(
                "warm_start=True goes on with documents in memory; for a store, go on with "
                "partial_fit of its shards, or fit anew with warm_start=False"
            )

    def _learn_stored(
        self, streamed: Streamed, rows: NDArray[np.int64], counts: Observed, chosen: Parts
    ) -> History:
        """Train on documents that pass by; what became of it."""
        world = current()
        with self._training(False) as (seed, device):
            order = np.random.default_rng(seed).permutation(len(rows))
            held = self._hold_out(streamed.store.shape[0], len(rows))
            out, kept = np.sort(order[:held]), np.sort(order[held:])
            streamed.hold_out(rows[out])
            sample, held_out = counts[kept], counts[out] if held else None
            self._check_told(sample)
            self._build(chosen, sample, seed)
            self._know_all(streamed.store)
            self._optimizer_state = None
            self.objective_.to(device)
            self._hold_anchors(sample)
            whole = streamed.store
            source = StoredDocuments(
                streamed.read,
                streamed.sizes(),
                device,
                world,
                largest=whole.largest,
                fingerprint=whole.fingerprint,
            )
            self.schedule_ = self._passes(source.everywhere)
            torch.manual_seed(seed + world.rank)
            trainer = Trainer(self.objective_, self.schedule_, seed, self._listeners(), world)
            history = trainer.fit(source, self._part(held_out, world))
            looked_at = sample[order_of(len(kept), LOOKED_AT)]
            lessons = self.objective_.gradient.lessons
            self._teach(self._documents(looked_at), None, history, lessons, seed)
            self._finish(looked_at, held_out, history, [None, None])
            self.covariate_information_ *= source.everywhere / looked_at.shape[0]
            self._note_totals(streamed.store)
        return history

    def _hold_out(self, documents: int, sampled: int) -> int:
        held = min(round(self.validation_fraction * documents), HELD_OUT, sampled // 2)
        return held if held >= FEWEST_HELD_OUT else 0

    def _part(self, held_out: Observed | None, world: World) -> Documents | None:
        """The held-out documents of this process."""
        if held_out is None:
            return None
        return self._documents(held_out[np.arange(world.rank, held_out.shape[0], world.size)])

    def _passes(self, documents: int) -> Schedule:
        """As many passes as the inference makes, fewer over very many documents."""
        schedule = self._schedule(documents)
        if self.max_iter is not None:
            return schedule
        enough = max(FEWEST, VISITS // documents)
        return Schedule(**{**vars(schedule), "epochs": min(schedule.epochs, enough)})

    @torch.no_grad()
    def _know_all(self, store: CountsStore) -> None:
        """The background is that of all documents."""
        known = frequencies(store.word_totals, store.document_frequency, store.shape[0])
        decoder: Any = self.objective_.joint.decoder
        decoder.bias.copy_(self.objective_.joint.likelihood.background(known))

    def _note_totals(self, store: CountsStore) -> None:
        self.n_documents_ = store.shape[0]
        self.word_totals_ = store.word_totals
        self.document_frequency_ = store.document_frequency.astype(np.float64)


def order_of(documents: int, most: int) -> NDArray[np.int64]:
    """Rows of at most so many documents, evenly spread."""
    return np.unique(np.linspace(0, documents - 1, min(documents, most)).astype(np.int64))
