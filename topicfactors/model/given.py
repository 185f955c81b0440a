"""What is known of documents beside their words, as a decoder reads it."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Given(NamedTuple):
    """What is known of B documents beside their words."""

    classes: Tensor | None  # (B, K) one-hot
    covariates: Tensor | None  # (B, C) of those that move the words

    @property
    def differs(self) -> bool:
        """Have documents with the same factors different logits?"""
        return self.classes is not None or self.covariates is not None


def along(values: Tensor, documents: Tensor) -> tuple[Tensor, Tensor]:
    """Values ``(S, B or 1, ·)`` and columns of documents ``(B, ·)``, both for each of S and B."""
    shape = (values.shape[0], len(documents))
    return values.expand(*shape, -1), documents.to(values.dtype).expand(*shape, -1)
