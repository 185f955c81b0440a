"""States drawn from the posterior of each document, and log p(x) bracketed on simulated ones."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from topicfactors.contracts import Batch
from topicfactors.estimators.base import seeded, threads
from topicfactors.estimators.bounding import CHAINS, TEMPERATURES, BoundingMixin
from topicfactors.estimators.drawing import lengths_of
from topicfactors.estimators.measuring import CHAINED
from topicfactors.estimators.observed import Observed
from topicfactors.inference.annealed import annealed, backwards
from topicfactors.inference.gibbs import gibbs
from topicfactors.inference.noise import document_keys, document_noise, streams
from topicfactors.training.batches import in_order
from topicfactors.values import whole

THOROUGH = 40  # rounds of a search from which chains begin, which seldom leave a mode


class Bracket(NamedTuple):
    """log p(x) of documents drawn from a model, from below and from above."""

    lower: float  # mean over documents, nats; errs low in expectation
    upper: float  # errs high
    gap: float  # upper − lower: the two estimates together are at most so far from the truth
    standard_error: float  # of the gap, over documents
    documents: int
    chains: int  # a document, in each direction
    temperatures: int


class SamplingMixin(BoundingMixin):
    """posterior_samples and bracket."""

    word_totals_: NDArray[np.float64]
    n_documents_: int

    @torch.no_grad()
    def posterior_samples(
        self,
        X: Any,
        n: int = 100,
        *,
        covariates: Any = None,
        sweeps: int = 20,
        random_state: Any = None,
    ) -> NDArray[np.int8]:
        """States drawn from the posterior of every document, ``(N, n, D)`` 0/1.

        Exact draws where the table of all states is cheap (``bound="auto"`` of
        :meth:`score_samples` says ``"exact"`` there). Elsewhere n chains that do not know of each
        other begin with draws from the inference's own posterior, the search's or the encoder's,
        and every bit of them is drawn anew from its distribution given the others, ``sweeps``
        times (Gibbs sampling). Where twice the sweeps change the averages by more than chance,
        take more.

        Parameters
        ----------
        X, covariates
            Counts ``(N, V)``, and the covariates of the documents where the model has any.
        n
            Draws a document.
        sweeps
            Rounds over all D bits, which are the burn-in; 0 for the inference's own posterior.
        random_state
            Seed. With the same one a document's draws are always the same, whatever documents are
            beside it; two documents that are alike have the same draws.

        Raises
        ------
        ConfigurationError
            When ``n`` or ``sweeps`` is not a whole number.

        Examples
        --------
        >>> from topicfactors import BinaryFactorModel
        >>> counts = np.array([[4, 3, 0, 0], [0, 0, 5, 2], [3, 4, 0, 1], [0, 0, 3, 4]] * 5)
        >>> model = BinaryFactorModel(2, random_state=0).fit(counts)
        >>> model.posterior_samples(counts, 3, random_state=0).shape
        (20, 3, 2)
        """
        check_is_fitted(self)
        whole("n", n, 1)
        whole("sweeps", sweeps, 0)
        counts = self._believed(self._observed(X, covariates))
        seed = int(check_random_state(random_state).randint(2**31 - 1))
        self._joint().prior.refresh()
        cheap = self._tightest() == "exact"
        at_once = max(1, CHAINED // self._joint().sizes.words)
        rows = self._tabled() if cheap else max(1, at_once // n)
        found = np.empty((counts.shape[0], n, self._factors()), np.int8)
        for batch in in_order(self._documents(counts), rows):
            keys = streams(document_keys(batch.counts), seed)
            with threads(self.n_jobs):
                for first in range(0, n, at_once):
                    count = min(at_once, n - first)
                    bits = self._draws(batch, keys, first, count, 0 if cheap else sweeps, cheap)
                    bits = bits.transpose(0, 1).to(torch.int8).cpu()
                    found[batch.rows.cpu().numpy(), first : first + count] = bits.numpy()
        return found

    def _draws(
        self, batch: Batch, keys: Tensor, first: int, count: int, sweeps: int, exact: bool
    ) -> Tensor:
        """So many chains of each document after the sweeps, ``(count, B, D)``."""
        searched = THOROUGH if self.objective_.posterior.searched else None
        target, q = self._enumerated(batch) if exact else self._posterior(batch, searched)
        noise = document_noise(streams(keys, -1), count, self._factors(), first)
        bits: Tensor = q.sample(count, noise=noise).bits
        return gibbs(target.landscape(), bits, sweeps, keys, first=first)

    @torch.no_grad()
    def bracket(
        self,
        n_documents: int = 100,
        *,
        lengths: ArrayLike | None = None,
        samples: int = CHAINS,
        temperatures: int = TEMPERATURES,
        random_state: Any = None,
    ) -> Bracket:
        """How tight ``bound="ais"`` is: log p(x) from both sides, on documents of the model's own.

        Documents are drawn from the model. Annealed importance sampling from the prior errs low in
        expectation; from the true factors of a document, which are a draw from its posterior, the
        same chain backwards errs high (bidirectional Monte Carlo: Grosse, Ghahramani and Adams,
        2015, https://arxiv.org/abs/1511.02543). Real documents may be harder than those of the
        model. Covariates are at their mean. The upper side is an approximation under ``"poisson"``,
        whose exposure is the tokens drawn and not those expected, and under a ``"boltzmann"`` prior
        of more factors than are summed, whose draws are of chains.

        Parameters
        ----------
        n_documents
            Documents drawn.
        lengths
            Tokens of each ``(N,)``; None for Poisson draws around the mean of the training
            documents, at least 1. Under ``"poisson"`` they are expectations, under ``"bernoulli"``
            they do not matter.
        samples, temperatures
            Chains a document in each direction, and temperatures, as for :meth:`score_samples`.
        random_state
            Seed of the documents.

        Raises
        ------
        InputError
            When there is not a length of 0 or more for every document.
        ConfigurationError
            When a number is not whole, or below 1.
        """
        check_is_fitted(self)
        given = {"n_documents": n_documents, "samples": samples, "temperatures": temperatures}
        for name, value in given.items():
            whole(name, value, 1)
        self._joint().prior.refresh()
        with threads(self.n_jobs), seeded(random_state, self._device()) as seed:
            generator = np.random.default_rng(seed)
            tokens = lengths_of(self, n_documents, lengths, generator)
            counts, bits = self._simulated(tokens, generator)
            rows, sides = max(1, CHAINED // (samples * counts.shape[1])), []
            for batch in in_order(self._documents(counts), rows):
                target, keys = self.objective_.over_states(batch), document_keys(batch.counts)
                forward = annealed(target, samples, temperatures, keys)
                keys = streams(keys, seed)
                reverse = backwards(target, bits[batch.rows], samples, temperatures, keys)
                sides.append(torch.stack([forward, reverse]).cpu().numpy())
        below, above = np.concatenate(sides, axis=1)
        error = float((above - below).std()) / math.sqrt(n_documents)
        lower, upper = float(below.mean()), float(above.mean())
        return Bracket(lower, upper, upper - lower, error, n_documents, samples, temperatures)

    def _simulated(
        self, tokens: NDArray[np.int64], generator: np.random.Generator
    ) -> tuple[Observed, Tensor]:
        """Documents of these lengths drawn from the model, and their factors ``(N, D)``."""
        joint, width = self._joint(), self.design_.width if self.design_ is not None else 0
        bits: Tensor = joint.prior.condition(None).sample(1, len(tokens))[0]
        parts = [
            joint.likelihood.draw(joint.logits(state[None, None]), tokens[row : row + 1], generator)
            for row, state in enumerate(bits)
        ]
        at_mean = np.zeros((len(tokens), width), np.float32) if width else None
        return Observed(scipy.sparse.vstack(parts).tocsr(), covariates=at_mean), bits
