"""What the estimators read of each document's posterior: marginals, states, pairs, entropy."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from topicfactors.bits import all_states
from topicfactors.contracts import Batch, Memory
from topicfactors.errors import ConfigurationError
from topicfactors.estimators.base import threads
from topicfactors.estimators.lengths import LengthMixin
from topicfactors.estimators.observed import Observed
from topicfactors.estimators.recalling import Recall
from topicfactors.estimators.shards import by_shard
from topicfactors.inference.posteriors import Enumerated
from topicfactors.inference.truncated import Search
from topicfactors.model.joint import FactorTarget
from topicfactors.training.batches import in_order
from topicfactors.values import is_whole

AT_ONCE = 4096  # documents whose encoder's posterior is computed together
SEARCHED = 2**24  # bits of the states of documents that are searched together
BLOCK = 2**24  # floats of a table of states that are held at once
APART = 8  # bits by which that is less where every word of a document has a table
EXACT = "exact"  # as `refine`: the posterior by enumeration of all states


class States(NamedTuple):
    """The most probable states of some documents, best first."""

    bits: NDArray[np.int8]  # (N, n, D)
    probabilities: NDArray[np.float32]  # (N, n) posterior probability of each


class PosteriorMixin(TransformerMixin, LengthMixin):  # type: ignore[misc]
    """transform and its relatives, from the objective that ``fit`` has left."""

    inference_: str
    _recall: Recall | None = None

    def fit_transform(
        self, X: Any, y: Any = None, *, covariates: Any = None, **options: Any
    ) -> Any:
        """``fit`` with counts ``X (N, V)``, ``y``, ``covariates`` and options, and ``transform``.

        P(factor on | document), ``(N, D)``.
        """
        fitted = self.fit(X, y, covariates=covariates, **options)
        return fitted.transform(X, covariates=covariates)

    @by_shard
    @torch.no_grad()
    def transform(self, X: Any, *, covariates: Any = None, refine: int | str = "auto") -> Any:
        """P(factor on | document), ``(N, D)`` in [0, 1]; rows do not sum to one.

        A document without words has the prior's probabilities, those of its covariates (but under
        ``bernoulli``, where absent words speak too).

        Parameters
        ----------
        X
            Counts ``(N, V)``.
        covariates
            Those of the documents, a row for each, where the model was fitted with covariates.
        refine
            Steps that improve each document's posterior after the encoder's guess: rounds of
            search over its states where the posterior is searched (``"truncated"``), else of
            coordinate ascent of its probabilities, whose worth :meth:`refinement` tells. 0 is the
            guess alone, the fastest; ``"auto"`` what the inference was made for (the search of
            ``"truncated"``, the guess of every encoder); ``"exact"`` the posterior itself, by
            summing over all states, of at most 20 factors (10 under ``polya``). A posterior that is
            exact takes ``"auto"`` and ``"exact"`` only.

        Raises
        ------
        InputError
            When the counts or the covariates are not those of the model.
        ConfigurationError
            When ``refine`` is none of these, there is nothing to refine, or there are too many
            factors.
        """
        check_is_fitted(self)
        rounds = self._rounds(refine)
        counts = self._believed(self._observed(X, covariates))
        parts = [q.mean().cpu().numpy() for _, q in self._posteriors(counts, rounds)]
        found = np.concatenate(parts)
        if getattr(self._joint().likelihood, "silent", True):
            empty = np.flatnonzero(np.diff(counts.indptr) == 0)
            prior = self._joint().prior.condition(self._documents(counts[empty]).covariates)
            found[empty] = prior.probabilities().cpu().numpy()
        return found.astype(counts.dtype, copy=False)

    @by_shard
    def predict(
        self, X: Any, *, covariates: Any = None, refine: int | str = "auto"
    ) -> NDArray[np.int8]:
        """Which factors are more likely on than off in counts ``X (N, V)``, 0/1 ``(N, D)``.

        ``covariates`` and ``refine`` are those of :meth:`transform`.
        """
        found = self.transform(X, covariates=covariates, refine=refine)
        return np.asarray(np.asarray(found) > 0.5).astype(np.int8)

    def states(
        self, X: Any, n: int = 5, *, covariates: Any = None, refine: int | str = "auto"
    ) -> States:
        """The ``n`` most probable states of every document, with their posterior probabilities.

        A state says which factors are on together. The posterior is the exact one where the
        inference is or ``refine="exact"``, else that of a search (``refine`` rounds of it),
        whichever inference fitted the model. The documents are counts ``X (N, V)`` with their
        ``covariates``, if any.

        Returns
        -------
        States
            ``bits (N, n, D)`` and ``probabilities (N, n)``; n is at most 2^D, and a state that the
            search did not find has probability 0.

        Raises
        ------
        ConfigurationError
            When ``n`` is not a whole number of 1 or more, or ``refine`` asks for no search.
        """
        if not is_whole(n) or n < 1:
            raise ConfigurationError(f"n must be a whole number of 1 or more, got {n!r}")
        count = min(n, 2 ** min(self._factors(), 62))

        def best(q: Any) -> tuple[NDArray[Any], NDArray[Any]]:
            bits, log_q = q.best(count)
            shares = log_q.exp().t().cpu().numpy()
            return bits.transpose(0, 1).to(torch.int8).cpu().numpy(), shares

        counts = self._believed(self._observed(X, covariates))
        found = self._searched(counts, refine, best, least=count)
        bits, shares = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return States(bits, shares)

    def pairwise(
        self, X: Any, *, covariates: Any = None, refine: int | str = "auto"
    ) -> NDArray[np.float32]:
        """P(factors d and e both on | document), ``(N, D, D)``; the diagonal is the marginal.

        The posterior is that of :meth:`states`, for counts ``X (N, V)`` with their ``covariates``,
        if any, after ``refine`` rounds. The result is dense: N·D² numbers.
        """
        counts = self._believed(self._observed(X, covariates))
        found = self._searched(counts, refine, lambda q: q.pairwise().cpu().numpy())
        return np.concatenate(found)

    def entropy(
        self, X: Any, *, covariates: Any = None, refine: int | str = "auto"
    ) -> NDArray[np.float32]:
        """Entropy of every document's posterior, ``(N,)`` nats: 0 where one state is certain.

        The posterior is that of :meth:`states`, for counts ``X (N, V)`` with their ``covariates``,
        if any, after ``refine`` rounds; what lies outside its set of states is not counted.
        """
        counts = self._believed(self._observed(X, covariates))
        found = self._searched(counts, refine, lambda q: q.entropy().cpu().numpy())
        return np.concatenate(found)

    def _searched(
        self, counts: Observed, refine: int | str, read: Callable[[Any], Any], least: int = 1
    ) -> list[Any]:
        """Read the searched (or exact) posterior of each block of documents."""
        check_is_fitted(self)
        rounds = self._rounds(refine)
        if rounds == 0:
            raise ConfigurationError(
                "refine must be 'auto', 'exact' or 1 or more here: the encoder's guess has no "
                "states"
            )
        size = max(least, self._search().final_states)
        with torch.no_grad():
            return [read(q) for _, q in self._posteriors(counts, rounds, size)]

    def _search(self) -> Search:
        return self.objective_.search

    def _check_enumerable(self, what: str, cure: str) -> None:
        """Refuse a sum over the states of too many factors."""
        most = getattr(self._joint().likelihood, "enumerable", self._factors())
        if self._factors() > most:
            raise ConfigurationError(
                f"{what} sums over 2^D states and serves at most {most} factors under this "
                f"likelihood, this model has {self._factors()}; use {cure}"
            )

    def _rounds(self, refine: int | str) -> int | str | None:
        """``refine`` as rounds; None for the inference's own way, ``"exact"`` for the sum."""
        if isinstance(refine, str) and refine == "auto":
            return None
        if isinstance(refine, str) and refine == EXACT:
            self._check_enumerable("refine='exact'", "a number of rounds, or posterior_samples")
            return EXACT
        if not is_whole(refine) or refine < 0:
            raise ConfigurationError(
                f"refine must be 'auto', 'exact' or a whole number of 0 or more, got {refine!r}"
            )
        if self._enumerates():
            raise ConfigurationError(
                f"the posterior of inference={self.inference_!r} is exact and "
                f"cannot be refined, got refine={refine!r}; use refine='auto'"
            )
        return int(refine)

    def _posteriors(
        self,
        counts: Observed,
        refine: int | str | None = None,
        states: int | None = None,
        memory: Memory | None = None,
    ) -> Iterator[tuple[FactorTarget, Any]]:
        """Target and posterior of blocks of documents, in their order."""
        rows = self._block(refine, states)
        for batch in in_order(self._documents(counts), rows, memory):
            yield self._posterior(batch, refine, states)

    def _posterior(
        self, batch: Batch, refine: int | str | None = None, states: int | None = None
    ) -> tuple[FactorTarget, Any]:
        with threads(self.n_jobs), torch.no_grad():
            self.objective_.eval()
            if isinstance(refine, str):
                return self._enumerated(batch)
            usual = refine is None and states in (None, self._search().final_states)
            if self._recall is None or not (usual and self.objective_.posterior.searched):
                return self.objective_.explain(batch, refine, states)
            known = self._recall.of(batch)
            if known is not None:
                return self.objective_.over_states(batch), known
            target, q = self.objective_.explain(batch, refine, states)
            self._recall.keep(batch, q)
            return target, q

    @contextlib.contextmanager
    def _searching_once(self) -> Iterator[None]:
        """Inside, what was searched for is remembered; the model must not change meanwhile."""
        self._recall = Recall()
        try:
            yield
        finally:
            del self._recall

    def _enumerated(self, batch: Batch) -> tuple[FactorTarget, Enumerated]:
        """The target and its exact posterior, whichever inference fitted the model."""
        target = self.objective_.over_states(batch)
        return target, Enumerated(target, all_states(self._factors(), self._device()))

    def _tabled(self) -> int:
        """Documents whose tables of states are held at once: fewer where nothing is shared."""
        shared = getattr(self._joint().likelihood, "shared", True)
        return max(1, BLOCK >> (self._factors() + (0 if shared else APART)))

    def _block(self, refine: int | str | None, states: int | None) -> int:
        """Documents a batch: few where each needs many states."""
        if self._enumerates() or refine == EXACT:
            return self._tabled()
        own = not self.objective_.posterior.searched
        if refine == 0 or (own and refine is None and states is None):
            return AT_ONCE
        each = max(self._search().final_states, states or 0) * self._factors()
        return max(16, min(AT_ONCE, SEARCHED // each))
