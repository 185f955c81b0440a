"""The shapes and contracts that the folders share.

Shape letters, everywhere: S samples or states, B documents of a batch, V words,
D factors, H columns of a decoder's last layer, K classes, N documents of a corpus.
Log-probabilities are in nats.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

Relaxation = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""``(logits, noise) -> (bits, values)``, all ``(…, D)``: how bits are drawn and what is read."""


def all_states(factors: int, device: torch.device | str = "cpu") -> Tensor:
    """Every state of D bits, ``(2^D, D)``: row i holds the binary digits of i, lowest first.

    >>> all_states(2).tolist()
    [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    """
    numbers = torch.arange(2**factors, device=device)
    return ((numbers[:, None] >> torch.arange(factors, device=device)) & 1).float()


class Sizes(NamedTuple):
    """What every part is built from: numbers of words, factors and encoder features."""

    words: int
    factors: int
    features: int = 0


class CountBatch(Protocol):
    """Sparse word counts of B documents."""

    @property
    def indices(self) -> Tensor:
        """Word of each non-zero, ``(nnz,)``."""

    @property
    def offsets(self) -> Tensor:
        """Where each document's non-zeros begin and end, ``(B + 1,)``."""

    @property
    def values(self) -> Tensor:
        """Count of each non-zero, ``(nnz,)``."""

    @property
    def documents(self) -> Tensor:
        """Document of each non-zero, ``(nnz,)``."""

    @property
    def lengths(self) -> Tensor:
        """Tokens of each document, ``(B,)``."""

    def __len__(self) -> int:
        """Number of documents B."""

    def __matmul__(self, table: Tensor) -> Tensor:
        """``(V, H) -> (B, H)``, differentiable in the table, never through ``(B, V)``."""

    def with_values(self, values: Tensor) -> CountBatch:
        """The same non-zeros with other values ``(nnz,)``."""

    def sum_by_document(self, terms: Tensor) -> Tensor:
        """Sum one term per non-zero ``(…, nnz)`` over each document ``(…, B)``."""


class Batch(NamedTuple):
    """B documents as the model sees them."""

    counts: CountBatch
    labels: Tensor | None  # (B,) integers, -1 where unseen
    covariates: Tensor | None  # (B, C)
    rows: Tensor  # (B,) positions in the corpus


class Draw(NamedTuple):
    """S samples of the factors for each of B documents; every field is ``(S, B, D)``."""

    bits: Tensor  # hard 0/1
    values: Tensor  # what the decoder reads: the bits, or their relaxation
    logits: Tensor  # log-odds as each bit saw them
    noise: Tensor  # uniform numbers the bits were made from


class Surrogate(NamedTuple):
    """What a gradient estimator returns."""

    loss: Tensor  # (B,) whose derivative is the estimate
    bound: Tensor  # (B,) estimate of the bound at KL weight 1, detached
    control: Tensor | None = None  # scalar, trains only the estimator's own parameters


class Distribution(Protocol):
    """q(z | x) of a batch."""

    factorised: bool
    reparameterisable: bool

    def sample(
        self, samples: int, relaxation: Relaxation | None = None, noise: Tensor | None = None
    ) -> Draw:
        """Draw ``(S, B, D)``; ``noise`` fixes the uniform numbers."""

    def log_prob(self, draw: Draw) -> Tensor:
        """``(S, B)`` nats of the values drawn (the bits, or their linear extension)."""

    def mean(self) -> Tensor:
        """P(z_d = 1 | x), ``(B, D)``."""

    def detach(self) -> Distribution:
        """The same distribution, cut off from the graph."""

    @property
    def logits(self) -> Tensor:
        """``(B, D)`` log-odds; only where ``factorised``."""

    @property
    def features(self) -> Tensor:
        """``(B, F)`` what the encoder knew of each document."""


class Target(Protocol):
    """log p(x, z) of a batch with everything but z fixed; all in nats."""

    factors: int

    def log_likelihood(self, values: Tensor) -> Tensor:
        """``(S, B or 1, D) -> (S, B)``."""

    def log_prior(self, bits: Tensor) -> Tensor:
        """``(S, B or 1, D) -> (S, B or 1)``."""

    def kl(self, q: Distribution) -> Tensor | None:
        """``(B,)`` KL(q ‖ prior) where it has a closed form, else None: sample it."""

    def flips(self, bits: Tensor, prior_weight: float = 1.0) -> Tensor:
        """``(S, B, D)``: log p(x, z_d = 1, rest) − log p(x, z_d = 0, rest).

        ``prior_weight`` scales the part of the prior.
        """

    def table(self) -> Tensor:
        """``(2^D, B)`` log p(x, z) for every state, in the order of :func:`all_states`."""

    def sample(self, samples: int) -> Tensor:
        """``(S, B, D)`` bits drawn from the prior."""


class Predictor(Protocol):
    """Word probabilities given z: what document completion needs of a model."""

    def log_word_probability(self, values: Tensor, counts: CountBatch) -> Tensor:
        """``(S, B, D)`` and the B documents' non-zeros ``-> (S, nnz)`` nats."""
