r"""What a flip changes of the bursts of an urn, for the documents of a search.

Only the words that a document has more than once burst, and of a word with a whole count x and the
mass a, with :math:`t = 1/(1+a)`,

.. math:: R(a, x) = \log\prod_{i<x}(1 + i/a) = (x-1)\log(1 + 1/a) + \log\prod_{j<x-1}(1 + j\,t).

The second product is at most (x − 1)!, which float32 holds beyond x = 16. The words are kept in the
order of their counts, so that a step of the product is one operation on those that reach it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from topicfactors.contracts import CountBatch
from topicfactors.model.logits import Logits
from topicfactors.model.urn import LEAST_LOG_MASS, burst, burst_slope

TILE = 2**17  # floats of the loadings of some words, which stay in cache
MOST = 16  # largest count whose bursts are a product


class UrnFlips:
    """Words that occur again in B documents, and what the flips of a state change of them.

    Parameters
    ----------
    counts
        The documents.
    evidence
        xᵀW, ``(B, D)``.
    log_concentration
        Log of the tokens s that the urn begins with.
    """

    def __init__(self, counts: CountBatch, evidence: Tensor, log_concentration: Tensor) -> None:
        self.counts, self.evidence = counts, evidence
        self.log_concentration = log_concentration.detach()
        again = counts.repeated
        values = again.values.to(evidence.dtype)
        whole = (values == values.floor()) & (values <= MOST)
        order = torch.where(whole, values, MOST + 1).argsort(descending=True, stable=True)
        self.values = values[order]
        self.words, self.documents = again.indices.long()[order], again.documents[order]
        place = torch.empty_like(order)
        place[order] = torch.arange(len(order), device=order.device)
        self.again, self.place = again, place
        self.odd = int((~whole).sum())  # the first ones: no whole counts, or large ones
        reached = torch.bincount(self.values[self.odd :].long(), minlength=MOST + 1)
        self.reach = (self.odd + reached.flip(0).cumsum(0).flip(0)).tolist()  # counts ≥ i end there
        concentration = self.log_concentration.exp().to(evidence.dtype)
        drawn = concentration * burst_slope(concentration.expand_as(counts.lengths), counts.lengths)
        self.length = (counts.lengths + drawn)[:, None]  # as the first guess sees it

    def log_masses(self, logits: Logits, norm: Tensor) -> Tensor:
        """Log s·π of each word that occurs again, in one state of each document, ``(M,)``."""
        h, step = logits.h[0].expand(len(self.counts), -1), max(1, TILE // logits.h.shape[-1])
        dots = torch.zeros_like(self.values)
        for first in range(0, len(dots), step):
            part = slice(first, first + step)
            rows = logits.weights.index_select(0, self.words[part])
            dots[part] = rows.mul_(h.index_select(0, self.documents[part])).sum(-1)
        moved = logits.bias.index_select(0, self.words) - norm.index_select(0, self.documents)
        return (self.log_concentration + dots + moved).clamp_min(LEAST_LOG_MASS)

    def guess(self, logits: Logits, log_mass: Tensor, after: Tensor, norm: Tensor) -> Tensor:
        """The change with each flip ``(B, D)``: the multinomial's with counts a[ψ(a+x) − ψ(a)]."""
        columns = logits.weights[:, : self.evidence.shape[1]]
        less = self._less(log_mass.exp())[self.place]
        moved = self.again.with_values(less) @ columns
        towards = 1 - 2 * logits.h[0, :, : columns.shape[1]]
        return towards * (self.evidence + moved) - self.length * (after - norm[:, None])

    def exact(
        self, logits: Logits, log_mass: Tensor, factor: Tensor, after: Tensor, norm: Tensor
    ) -> Tensor:
        """The change with some flips of each document: ``factor``, ``after`` ``(B, K)``."""
        width = logits.weights.shape[1]
        towards = 1 - 2 * logits.h[0].expand(len(factor), -1).gather(1, factor)
        moved = after - norm[:, None]
        places = factor.index_select(0, self.documents) + (self.words * width)[:, None]
        weight = logits.weights.reshape(-1).index_select(0, places.reshape(-1)).view(places.shape)
        step = weight.mul_(towards.index_select(0, self.documents))
        log_masses = log_mass[:, None] + step - moved.index_select(0, self.documents)
        told = self._bursts(log_masses.clamp_min(LEAST_LOG_MASS).exp())
        change = self._by_document(told - self._bursts(log_mass[:, None].exp()))
        plain = towards * self.evidence.gather(1, factor)
        return plain - self.counts.lengths[:, None] * moved + change

    def _by_document(self, terms: Tensor) -> Tensor:
        """Sums of terms ``(M, K)`` over the words of each document, ``(B, K)``."""
        total = terms.new_zeros(len(self.counts), terms.shape[1])
        return total.index_add(0, self.documents, terms)

    def _bursts(self, mass: Tensor) -> Tensor:
        """R of masses ``(M, K)``."""
        share = (1 + mass).reciprocal()
        product = torch.ones_like(mass)
        for step in range(1, MOST - 1):
            end = self.reach[step + 2]
            if end == self.odd:
                break
            part = product[:end]
            part.addcmul_(part, share[:end], value=step)
        found = product.log_().add_(mass.reciprocal().log1p_().mul_(self.values[:, None] - 1))
        if self.odd:
            found[: self.odd] = burst(mass[: self.odd], self.values[: self.odd, None])
        return found

    def _less(self, mass: Tensor) -> Tensor:
        """a[ψ(a + x) − ψ(a)] − x of masses ``(M,)``: by how many tokens each word counts less."""
        total = torch.zeros_like(mass)
        for step in range(1, MOST):
            end = self.reach[step + 1]
            if end == self.odd:
                break
            total[:end] -= step / (mass[:end] + step)
        if self.odd:
            first = mass[: self.odd]
            total[: self.odd] = first * burst_slope(first, self.values[: self.odd])
        return total
