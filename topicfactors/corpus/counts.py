"""Sparse word counts as tensors: ``counts @ table`` without ever making ``(B, V)``."""

from __future__ import annotations

import functools
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
import torch
from torch import Tensor
from torch.nn import functional


@functools.cache
def _hear_sparse_warning_once() -> None:
    """Torch says once per process that its CSR tensors are in beta; hear it here, alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _ = torch.sparse_csr_tensor(
            torch.zeros(2, dtype=torch.int32),
            torch.zeros(0, dtype=torch.int32),
            torch.zeros(0),
            (1, 1),
        )


class _SparseProduct(torch.autograd.Function):
    """CSR times dense; backward is the transposed product (derivative in the table only)."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, counts: Counts) -> Tensor:
        ctx.counts = counts
        with torch.autocast(table.device.type, enabled=False):
            return counts._product(table.contiguous())

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (gradient,) = gradients
        with torch.autocast(gradient.device.type, enabled=False):
            return ctx.counts.transposed_product(gradient), None


class _Sums(torch.autograd.Function):
    """``(S, nnz) -> (S, B)``: every row is summed a stretch at a time, on the CPU."""

    @staticmethod
    def forward(ctx: Any, terms: Tensor, counts: Counts) -> Tensor:
        ctx.counts = counts
        samples, ends = terms.shape[0], counts._starts
        if samples > 1:
            shifts = torch.arange(samples)[:, None] * terms.shape[1]
            ends = torch.cat([(shifts + ends[:-1]).view(-1), shifts[-1] + ends[-1:]])
        sums: Tensor = torch.segment_reduce(terms.reshape(-1), "sum", offsets=ends, unsafe=True)
        return sums.view(samples, len(counts))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0].index_select(1, ctx.counts.documents), None


@dataclass(frozen=True, eq=False)
class Counts:
    """Rows of a documents × words count matrix in CSR form (a ``contracts.CountBatch``).

    Parameters
    ----------
    indices, offsets, values
        int32 ``(nnz,)``, int32 ``(B + 1,)`` and float ``(nnz,)`` tensors on one device.
    words
        Number of columns V.
    alike
        Counts with the same non-zeros, if any; what follows from their places is shared.
    """

    indices: Tensor
    offsets: Tensor
    values: Tensor
    words: int
    alike: Counts | None = None

    @classmethod
    def from_scipy(cls, matrix: Any, device: str | torch.device = "cpu") -> Counts:
        """Counts of a SciPy sparse matrix ``(N, V)``; explicit zeros are dropped."""
        csr = scipy.sparse.csr_matrix(matrix, copy=True)
        csr.sum_duplicates()
        csr.eliminate_zeros()
        return cls(
            torch.from_numpy(csr.indices.astype(np.int32)).to(device),
            torch.from_numpy(csr.indptr.astype(np.int32)).to(device),
            torch.from_numpy(csr.data.astype(np.float32)).to(device),
            int(csr.shape[1]),
        )

    def __len__(self) -> int:
        return int(self.offsets.shape[0]) - 1

    @functools.cached_property
    def documents(self) -> Tensor:
        """Document of each non-zero, ``(nnz,)`` int64."""
        if self.alike is not None:
            return self.alike.documents
        each = self.offsets.diff().long()
        return torch.repeat_interleave(
            torch.arange(len(self), device=each.device), each, output_size=self.indices.shape[0]
        )

    @functools.cached_property
    def lengths(self) -> Tensor:
        """Tokens of each document, ``(B,)``."""
        return self.sum_by_document(self.values)

    def sum_by_document(self, terms: Tensor) -> Tensor:
        """Sum one term per non-zero ``(…, nnz)`` over each document ``(…, B)``."""
        shape = (*terms.shape[:-1], len(self))
        if terms.device.type == "cpu" and terms.is_floating_point() and terms.numel():
            flat = terms.reshape(-1, terms.shape[-1])
            sums: Tensor = _Sums.apply(flat, self)  # type: ignore[no-untyped-call]
            return sums.view(shape)
        return terms.new_zeros(shape).index_add(-1, self.documents, terms)

    def with_values(self, values: Tensor) -> Counts:
        """The same non-zeros with other values ``(nnz,)``."""
        alike = self if self.alike is None else self.alike
        return Counts(self.indices, self.offsets, values, self.words, alike)

    def where(self, mask: Tensor) -> Counts:
        """Some of the non-zeros, ``mask (nnz,)``, of the same documents."""
        offsets = torch.zeros_like(self.offsets)
        each = torch.zeros(len(self), dtype=offsets.dtype, device=offsets.device)
        each.index_add_(0, self.documents, mask.to(offsets.dtype))
        torch.cumsum(each, 0, out=offsets[1:])
        places = mask.nonzero()[:, 0]  # once: a GPU has to wait for it
        return Counts(self.indices[places], offsets, self.values[places], self.words)

    @functools.cached_property
    def repeated(self) -> Counts:
        """The non-zeros that are not 1: those that an urn treats differently."""
        return self.where(self.values != 1)

    def at(self, places: Counts) -> Tensor:
        """These counts at the non-zeros of others of the same documents, ``(nnz of places,)``.

        Words must be in order within each document, as SciPy's canonical format has them.
        """
        if self.indices.shape[0] == 0:
            return torch.zeros_like(places.values)
        keys = self.documents * self.words + self.indices
        wanted = places.documents * self.words + places.indices
        found = torch.searchsorted(keys, wanted).clamp_max(len(keys) - 1)
        return torch.where(keys[found] == wanted, self.values[found], 0)

    def __matmul__(self, table: Tensor) -> Tensor:
        if table.device.type not in ("cpu", "cuda"):  # no sparse products there
            return self._gathered(table)
        return _SparseProduct.apply(table, self)  # type: ignore[no-any-return, no-untyped-call]

    def _gathered(self, table: Tensor) -> Tensor:
        """The product by gathering a row of the table for every non-zero."""
        rows = table[self.indices.long()] * self.values[:, None].to(table.dtype)
        return table.new_zeros(len(self), table.shape[1]).index_add(0, self.documents, rows)

    def select(self, rows: Tensor) -> Counts:
        """The documents ``rows (B,)``, gathered on the device."""
        chosen = self._picked(rows) if rows.device.type == "cpu" else self._gathered_rows(rows)
        chosen.__dict__["lengths"] = self.lengths[rows]
        return chosen

    def _picked(self, rows: Tensor) -> Counts:
        """The documents ``rows (B,)`` by SciPy, which copies a document at a time."""
        csr = self._scipy[rows.numpy()]
        indices, offsets, values = map(torch.from_numpy, (csr.indices, csr.indptr, csr.data))
        return Counts(indices, offsets, values, self.words)

    def _gathered_rows(self, rows: Tensor) -> Counts:
        """The documents ``rows (B,)`` by a gather of every non-zero."""
        starts = self.offsets[:-1][rows].long()
        each = self.offsets.diff()[rows].long()
        offsets = torch.zeros(rows.shape[0] + 1, dtype=torch.int64, device=rows.device)
        torch.cumsum(each, 0, out=offsets[1:])
        nnz = int(offsets[-1])
        shift = torch.repeat_interleave(starts - offsets[:-1], each, output_size=nnz)
        places = torch.arange(nnz, device=rows.device) + shift
        return Counts(self.indices[places], offsets.int(), self.values[places], self.words)

    def to(self, device: str | torch.device) -> Counts:
        """The same counts on another device."""
        indices, offsets, values = self.indices, self.offsets, self.values
        return Counts(indices.to(device), offsets.to(device), values.to(device), self.words)

    def _product(self, table: Tensor) -> Tensor:
        """``(V, H) -> (B, H)``; on the CPU as bags of rows, a quarter of the time of its CSR."""
        if table.device.type == "cpu":
            return _bags(self.indices, self.offsets, self.values, table)
        return _csr(self.offsets, self.indices, self.values, (len(self), self.words), table) @ table

    def transposed_product(self, table: Tensor) -> Tensor:
        """``(B, H) -> (V, H)``, the product of the transposed counts; without derivatives."""
        offsets, documents, order = self._transposed
        table = table.contiguous()
        values = self.values[order]
        if table.device.type == "cpu":
            return _bags(documents, offsets, values, table)
        return _csr(offsets, documents, values, (self.words, len(self)), table) @ table

    @functools.cached_property
    def _transposed(self) -> tuple[Tensor, Tensor, Tensor]:
        """Of the transposed matrix, by word: offsets, documents, and where each value is."""
        if self.alike is not None:
            return self.alike._transposed
        if self.indices.device.type == "cpu":  # SciPy's counting sort; torch's costs 20 times more
            places = np.arange(self.indices.shape[0], dtype=np.int32)
            csc = self._as_scipy(places).tocsc()
            offsets, documents, order = map(torch.from_numpy, (csc.indptr, csc.indices, csc.data))
            return offsets, documents, order
        order = torch.argsort(self.indices, stable=True)
        each = torch.zeros(self.words, dtype=torch.int32, device=order.device)
        each.index_add_(0, self.indices, torch.ones_like(self.indices))
        offsets = torch.zeros(self.words + 1, dtype=torch.int32, device=order.device)
        offsets[1:] = each.cumsum(0)
        return offsets, self.documents[order].int(), order

    @functools.cached_property
    def _starts(self) -> Tensor:
        """The offsets, int64."""
        return self.offsets.long() if self.alike is None else self.alike._starts

    @functools.cached_property
    def _scipy(self) -> Any:
        return self._as_scipy(self.values.numpy())

    def _as_scipy(self, values: Any) -> Any:
        """These non-zeros with other values, as a matrix of SciPy's that shares their memory."""
        parts = (values, self.indices.numpy(), self.offsets.numpy())
        return scipy.sparse.csr_matrix(parts, shape=(len(self), self.words))


def _bags(columns: Tensor, offsets: Tensor, values: Tensor, table: Tensor) -> Tensor:
    """A CSR matrix times a table, as weighted sums of the table's rows."""
    return functional.embedding_bag(
        columns,
        table,
        offsets,
        mode="sum",
        per_sample_weights=values.to(table.dtype),
        include_last_offset=True,
    )


def _csr(
    offsets: Tensor, columns: Tensor, values: Tensor, shape: tuple[int, int], like: Tensor
) -> Tensor:
    _hear_sparse_warning_once()
    weights = values.to(like.dtype)
    return torch.sparse_csr_tensor(offsets, columns, weights, shape, check_invariants=False)
