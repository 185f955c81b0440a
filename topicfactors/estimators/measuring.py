"""log p(x) of every document under each measure, and of its unseen tokens; batch by batch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from topicfactors.corpus.counts import Counts
from topicfactors.estimators.base import threads
from topicfactors.estimators.bounding import BoundingMixin, Measure
from topicfactors.estimators.smoothed import AT_ONCE, SMOOTHED, smoothed
from topicfactors.inference import bounds
from topicfactors.inference.annealed import annealed
from topicfactors.inference.noise import document_keys, document_noise
from topicfactors.training.batches import in_order

Floats = NDArray[np.float64]
ROWS = 512  # documents whose draws are made together
DRAWN = 2**23  # numbers of such draws that are held at once
MOST = 128  # draws that are made together, however few the factors
PREDICTED = 2**14  # draws or states of documents whose unseen words are predicted together
CHAINED = 2**21  # logits of chains that are held at once


class MeasuringMixin(BoundingMixin):
    """Scores of checked counts."""

    def _log_prob(self, counts: Any, measure: Measure) -> Floats:
        batches = in_order(self._documents(counts), self._rows(measure))
        return np.concatenate([self._bound(batch, measure) for batch in batches])

    def _bound(self, batch: Any, measure: Measure) -> Floats:
        bound, samples = measure.bound, measure.samples
        if bound == "truncated":
            result: Tensor = self._posterior(batch, states=samples)[1].bound()
        elif bound in ("elbo", "iwae"):
            result = self._drawn(batch, measure)
        elif bound == SMOOTHED:
            target, q = self._posterior(batch, refine=0)
            with threads(self.n_jobs), torch.no_grad():
                result = smoothed(target, q, self.objective_.gradient, batch, samples)
        else:
            with threads(self.n_jobs), torch.no_grad():
                target = self.objective_.over_states(batch)
                if bound == "exact":
                    result = bounds.exact(target)
                else:
                    keys = document_keys(batch.counts)
                    result = annealed(target, samples, measure.temperatures, keys)
        return np.asarray(result.cpu().double().numpy())

    def _guess(self, batch: Any, steps: int = 0) -> tuple[Any, Any]:
        """Target, and the posterior that is drawn from, after so many steps of ascent."""
        target, q = self._posterior(batch, 0 if steps else self._guessed())
        if steps:
            with threads(self.n_jobs), torch.no_grad():
                q = self.objective_.ascent(batch, target, q, steps)
        return target, q

    def _drawn(self, batch: Any, measure: Measure) -> Tensor:
        """ELBO or IWAE of a batch, ``(B,)`` nats, its draws a block at a time."""
        target, q = self._guess(batch, measure.steps)
        samples = measure.samples
        with threads(self.n_jobs), torch.no_grad():
            if measure.bound == "iwae":
                ratios = self._ratios(target, q, batch, samples)
                return ratios.logsumexp(0) - math.log(samples)
            parts = [
                bounds.elbo(target, q, len(noise), noise) * (len(noise) / samples)
                for noise in self._noises(batch, samples)
            ]
            return torch.stack(parts).sum(0)

    def _ratios(self, target: Any, q: Any, batch: Any, samples: int) -> Tensor:
        """Log importance weights of the draws, ``(S, B)`` nats."""
        noises = self._noises(batch, samples)
        parts = [bounds.log_ratios(target, q, len(noise), noise) for noise in noises]
        return torch.cat(parts)

    def _noises(self, batch: Any, samples: int) -> Iterator[Tensor]:
        """The noise of so many draws, in blocks whose size does not depend on the documents."""
        keys, factors = document_keys(batch.counts), self._factors()
        step = max(1, min(MOST, DRAWN // (ROWS * factors)))
        for first in range(0, samples, step):
            yield document_noise(keys, min(step, samples - first), factors, first)

    def _importance_curve(self, counts: Any, samples: Sequence[int]) -> list[Floats]:
        """The IWAE of every document ``(N,)`` for each number of draws, from the same ones."""
        self._joint().prior.refresh()
        parts: list[list[Floats]] = [[] for _ in samples]
        for batch in in_order(self._documents(counts), self._rows(Measure("iwae", max(samples)))):
            target, q = self._guess(batch)
            with threads(self.n_jobs), torch.no_grad():
                ratios = self._ratios(target, q, batch, max(samples)).double()
            for part, each in zip(parts, samples, strict=True):
                groups = ratios[: len(ratios) // each * each].view(-1, each, ratios.shape[1])
                bound = groups.logsumexp(1).mean(0) - math.log(each)
                part.append(bound.cpu().numpy())
        return [np.concatenate(part) for part in parts]

    def _completed(self, seen: Any, unseen: Any, samples: int) -> Floats:
        """Log probability of the unseen tokens of every document, ``(N,)`` nats."""
        self._joint().prior.refresh()
        other, parts = Counts.from_scipy(unseen, self._device()), []
        own = self._own()
        rows = min(self._rows(Measure(own, samples)), max(1, PREDICTED // samples))
        for batch in in_order(self._documents(seen), rows):
            target, q = self._posterior(batch, states=samples if own == "truncated" else None)
            with threads(self.n_jobs), torch.no_grad():
                keys = document_keys(batch.counts)
                noise = None if q.support() else document_noise(keys, samples, self._factors())
                found = bounds.completion(target, q, other.select(batch.rows), samples, noise)
            parts.append(found.cpu().double().numpy())
        return np.concatenate(parts)

    def _rows(self, measure: Measure) -> int:
        """Documents a batch: few where each needs a table of states, or chains."""
        if measure.bound == "exact":
            return self._tabled()
        if measure.bound == SMOOTHED:
            return max(1, AT_ONCE // measure.samples)
        if measure.bound == "ais":
            return max(1, CHAINED // (measure.samples * int(self._joint().sizes.words)))
        return self._block(None, measure.samples) if measure.bound == "truncated" else ROWS
