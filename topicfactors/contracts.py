"""The shapes and contracts that the folders share.

Shape letters, everywhere: S samples or states, B documents of a batch, V words,
D factors, H columns of a decoder's last layer, K classes, N documents of a corpus.
Log-probabilities are in nats.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

Relaxation = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""``(logits, noise) -> (bits, values)``, all ``(…, D)``: how bits are drawn and what is read."""


class Sizes(NamedTuple):
    """What every part is built from: numbers of words, factors, encoder features, covariates."""

    words: int
    factors: int
    features: int = 0
    covariates: int = 0  # those that the part reads


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

    def transposed_product(self, table: Tensor) -> Tensor:
        """``(B, H) -> (V, H)``, without derivatives."""

    @property
    def repeated(self) -> CountBatch:
        """The non-zeros that are not 1."""

    def with_values(self, values: Tensor) -> CountBatch:
        """The same non-zeros with other values ``(nnz,)``."""

    def at(self, places: Any) -> Tensor:
        """These counts at the non-zeros of others of the same documents, ``(nnz of places,)``."""

    def select(self, rows: Tensor) -> CountBatch:
        """The documents ``rows (B,)``."""

    def sum_by_document(self, terms: Tensor) -> Tensor:
        """Sum one term per non-zero ``(…, nnz)`` over each document ``(…, B)``."""


class Memory(Protocol):
    """What a posterior keeps of every document between visits: packed states, or log-odds."""

    @property
    def fresh(self) -> bool:
        """Are there documents that nobody has asked for yet?"""

    def read(self, rows: Tensor) -> Tensor:
        """What is kept of documents ``rows (B,)``: ``(B, S, P)`` int64, or ``(B, D)`` floats."""

    def write(self, rows: Tensor, words: Tensor) -> None:
        """Keep them."""

    def state_dict(self) -> dict[str, Any]:
        """All that is kept."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Keep what another one of the same kind and size kept."""


class Batch(NamedTuple):
    """B documents as the model sees them."""

    counts: CountBatch
    labels: Tensor | None  # (B,) integers, -1 where unseen
    covariates: Tensor | None  # (B, C), first those of the prior, last those that move words
    rows: Tensor  # (B,) positions in the corpus
    memory: Memory | None = None  # by those positions; None where nothing is kept
    responses: Tensor | None = None  # (B,) numbers, NaN where unseen

    def select(self, rows: Tensor) -> Batch:
        """The documents ``rows (R,)`` of the batch, without a memory."""
        known = (self.labels, self.covariates, self.responses)
        labels, covariates, responses = (None if part is None else part[rows] for part in known)
        counts, places = self.counts.select(rows), self.rows[rows]
        return Batch(counts, labels, covariates, places, responses=responses)


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

    def bound(self) -> Tensor | None:
        """``(B,)`` the bound on log p(x) that q attains, where it is known without draws."""

    def support(self) -> tuple[Tensor, Tensor] | None:
        """States ``(S, B, D)`` and log q of each ``(S, B)``, where there are few of them."""

    @property
    def logits(self) -> Tensor:
        """``(B, D)`` log-odds; only where ``factorised``."""

    @property
    def features(self) -> Tensor:
        """``(B, F)`` what the encoder knew of each document."""


class Walk(Protocol):
    """Chains over the states of B documents that move a bit at a time, parameters fixed."""

    bits: Tensor  # (S, B, D), where they are
    log_likelihood: Tensor  # (S, B) log p(x, r | z) there, nats

    def look(self, factor: int) -> tuple[Tensor, Tensor]:
        """By how much log p(x, r | z) and log p(z) move when that bit flips, both ``(S, B)``."""

    def move(self, flipped: Tensor) -> None:
        """Flip the bit that was looked at where ``flipped (S, B)``."""


class Landscape(Protocol):
    """log p(x, z) of B documents around their states, parameters fixed; no derivatives."""

    factors: int
    dtype: torch.dtype

    def log_joint(self, bits: Tensor) -> Tensor:
        """``(S, B, D) -> (S, B)`` nats."""

    def best_flips(
        self, bits: Tensor, count: int, barred: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """The single flips of ``bits (B, D)`` that promise most: exact change, and which factor.

        Both ``(B, count)``; those ``barred (B, D)`` come last, with a change of −∞.
        """

    def select(self, rows: Tensor) -> Landscape:
        """That of the documents ``rows (R,)``."""

    def walk(self, bits: Tensor) -> Walk:
        """Chains that are at ``bits (S, B, D)`` and move a bit at a time."""


class Target(Protocol):
    """log p(x, z) of a batch with everything but z fixed; all in nats."""

    factors: int

    def log_likelihood(self, values: Tensor) -> Tensor:
        """``(S, B or 1, D) -> (S, B)``."""

    def log_prior(self, bits: Tensor) -> Tensor:
        """``(S, B or 1, D) -> (S, B or 1)``."""

    def kl(self, q: Distribution) -> Tensor | None:
        """``(B,)`` KL(q ‖ prior) where it has a closed form, else None: sample it."""

    def kl_along(self, q: Distribution, draw: Draw) -> Tensor:
        """``(S, B)`` KL(q ‖ prior) along a draw, whose derivative goes through its values."""

    def flips(self, bits: Tensor, prior_weight: float = 1.0, known: Tensor | None = None) -> Tensor:
        """``(S, B, D)``: log p(x, z_d = 1, rest) − log p(x, z_d = 0, rest).

        ``prior_weight`` scales the part of the prior; ``known (S, B)`` is the log-likelihood of the
        bits, where it has been computed.
        """

    def log_joint(self, bits: Tensor) -> Tensor:
        """``(S, B, D)`` hard bits ``-> (S, B)``; states that come often are computed once."""

    def landscape(self) -> Landscape:
        """What a search over states asks."""

    def table(self) -> Tensor:
        """``(2^D, B)`` log p(x, z) for every state, in the order of :func:`all_states`."""

    def sample(self, samples: int) -> Tensor:
        """``(S, B, D)`` bits drawn from the prior."""


class Predictor(Protocol):
    """Word probabilities given z: what document completion needs of a model."""

    def log_word_probability(self, values: Tensor, counts: CountBatch) -> Tensor:
        """``(S, B, D)`` and the B documents' non-zeros ``-> (S, nnz)`` nats."""
