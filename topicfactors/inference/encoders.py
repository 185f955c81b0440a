"""From counts to features of a document."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from topicfactors.contracts import CountBatch, Sizes
from topicfactors.values import number, whole


class BagOfWordsEncoder(nn.Module):
    """The mean embedding of a document's words and its length, a GELU, and layers above it.

    Words are weighted by log(1 + count) and the weights made to sum to one; one sparse product,
    so the cost follows the non-zeros and not the vocabulary.

    Parameters
    ----------
    sizes
        Number of words V.
    width
        Units of every layer; the features returned are ``(B, width)``.
    layers
        Hidden layers after the embedding; none finds the same factors sooner (measured).
    dropout
        Share of units dropped in training.
    """

    def __init__(
        self, sizes: Sizes, *, width: int = 128, layers: int = 0, dropout: float = 0.0
    ) -> None:
        super().__init__()
        whole("width", width, 1)
        whole("layers", layers, 0)
        number("dropout", dropout, 0.0, 1.0, open_ends="high")
        self.width = width
        self.embedding = nn.Parameter(torch.randn(sizes.words, width) * 0.3)
        self.length = nn.Parameter(torch.zeros(width))
        self.bias = nn.Parameter(torch.zeros(width))
        blocks: list[nn.Module] = [nn.GELU(), nn.Dropout(dropout)]
        for _ in range(layers):
            blocks += [nn.Linear(width, width), nn.GELU(), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*blocks)

    def forward(self, counts: CountBatch) -> Tensor:
        """Features ``(B, width)``; an empty document has those of the bias alone."""
        weighted = counts.with_values(counts.values.log1p())
        total = weighted.lengths.clamp_min(1e-6).sqrt()[:, None]
        length = counts.lengths.log1p()[:, None] - 4.0
        features: Tensor = self.layers(
            weighted @ self.embedding / total + length * self.length + self.bias
        )
        return features


ENCODERS = {"bag-of-words": BagOfWordsEncoder}
