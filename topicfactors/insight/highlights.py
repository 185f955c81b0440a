"""The evidence of words for chosen factors of many documents: what highlights a text.

As :mod:`topicfactors.insight.evidence`, of single pairs of a document and a factor instead of all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Reasons(NamedTuple):
    """Why a factor is on in a document: its log-odds are the sum of these, in nats."""

    prior: float
    rest: float  # of no word: the length, or the absent words
    words: NDArray[np.float32]  # (n,) of each distinct word, in the order of the counts


def pair_reasons(target: Any, bits: Tensor, factors: Tensor) -> Iterator[Reasons]:
    """Take apart log p(x, z_d = 1, rest) − log p(x, z_d = 0, rest) of one factor a document.

    Parameters
    ----------
    target
        The model of B documents; one that stands for several factors comes several times.
    bits
        The state of each, around which its factor is switched, ``(B, D)``.
    factors
        Which one, ``(B,)``.
    """
    rows = torch.arange(len(bits))
    on, off = bits.clone(), bits.clone()
    on[rows, factors], off[rows, factors] = 1.0, 0.0
    likelihood, counts = target.joint.likelihood, target.counts
    words, rest = likelihood.terms(counts, target.logits(on[None]))
    without, rest_without = likelihood.terms(counts, target.logits(off[None]))
    prior = target.prior.log_odds(bits[None])[0].expand_as(bits)[rows, factors]
    each = torch.split((words - without)[0], torch.diff(counts.offsets).tolist())
    whole = (rest - rest_without).expand(1, len(bits))[0]
    for row, nats in enumerate(each):
        yield Reasons(float(prior[row]), float(whole[row]), nats.float().numpy())
