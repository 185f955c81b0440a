"""Uniform numbers that depend on a document and nothing else.

A score that samples should not change with the order of the documents or the size of a batch, so
its noise is made from a hash of each document's counts by a counter-based generator (the output
function of SplitMix64; Steele, Lea and Flood, OOPSLA 2014), in 64-bit integers that wrap.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from topicfactors.contracts import CountBatch


def _wrapped(number: int) -> int:
    return number - 2**64 if number >= 2**63 else number


GOLDEN = _wrapped(0x9E3779B97F4A7C15)
FIRST = _wrapped(0xBF58476D1CE4E5B9)
SECOND = _wrapped(0x94D049BB133111EB)


def _shifted(bits: Tensor, by: int) -> Tensor:
    return (bits >> by) & ((1 << (64 - by)) - 1)  # logical shift of signed integers


def _mixed(bits: Tensor) -> Tensor:
    bits = (bits ^ _shifted(bits, 30)) * FIRST
    bits = (bits ^ _shifted(bits, 27)) * SECOND
    return bits ^ _shifted(bits, 31)


def document_keys(counts: CountBatch) -> Tensor:
    """A 64-bit hash of every document's words and counts, ``(B,)``; word order is irrelevant."""
    values = counts.values.float().view(torch.int32).long()
    terms = _mixed(_mixed(counts.indices.long() * GOLDEN + 1) ^ values)
    return _mixed(counts.sum_by_document(terms))


def streams(keys: Tensor, number: int) -> Tensor:
    """Other keys of the same documents, ``(B,)``: one stream of numbers for each ``number``."""
    return _mixed(keys ^ _mixed(torch.full_like(keys, _wrapped(number * 2 + 1))))


def document_noise(keys: Tensor, samples: int, factors: int, first: int = 0) -> Tensor:
    """Uniform numbers strictly between 0 and 1, ``(S, B, D)`` float32.

    Those of sample s are the same whatever S is; ``first`` is the number of the first one.
    """
    start = first * factors
    places = torch.arange(start, start + samples * factors, device=keys.device)
    bits = _mixed(keys[:, None] + (places.view(samples, 1, factors) + 1) * GOLDEN)
    return (_shifted(bits, 41).float() + 0.5) * 2.0**-23


def token_keys(keys: Tensor, counts: CountBatch, each: NDArray[np.int64]) -> Tensor:
    """A hash of every token, ``(tokens,)`` int64: of its document's key, its word and its number.

    ``keys (B,)`` are the documents', ``each (nnz,)`` how many tokens a non-zero has.
    """
    numbers = np.arange(each.sum()) - np.repeat(np.cumsum(each) - each, each)
    many = torch.from_numpy(each)
    words = torch.repeat_interleave(counts.indices.long(), many)
    owners = torch.repeat_interleave(keys[counts.documents], many)
    return _mixed(owners ^ _mixed(words * GOLDEN + 1) ^ _mixed(torch.from_numpy(numbers) + 1))
