"""Stores of counts as the estimators read them: shard by shard, with what is known of each."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from topicfactors.corpus.store.reader import CountsStore
from topicfactors.errors import InputError

Method = TypeVar("Method", bound=Callable[..., Any])


def is_store(X: Any) -> bool:
    """Is this counts on disk, larger than the memory perhaps?"""
    return isinstance(X, CountsStore)


def by_shard(method: Method) -> Method:
    """A method of counts ``X`` that gives a row for each document, of stores too."""

    @functools.wraps(method)
    def reading(self: Any, X: Any, *rest: Any, covariates: Any = None, **options: Any) -> Any:
        if not is_store(X):
            return method(self, X, *rest, covariates=covariates, **options)
        refuse_beside(covariates, "covariates")
        parts = [
            method(self, counts, *rest, covariates=table, **options)
            for counts, table in shards_of(X, columns_of(self))
        ]
        return np.concatenate([np.asarray(part) for part in parts])

    return reading  # type: ignore[return-value]


def shards_of(
    store: CountsStore, columns: Iterable[str] = ()
) -> Iterator[tuple[Any, dict[str, list[Any]] | None]]:
    """Counts of each shard, and the columns that are asked for (None where none are)."""
    names = list(columns)
    for number, size in enumerate(store.sizes):
        if size:
            yield store.shard(number), told(store, number, names)


def told(store: CountsStore, number: int, columns: list[str]) -> dict[str, list[Any]] | None:
    """Some columns of the documents of a shard.

    Raises
    ------
    InputError
        When the store has no such column.
    """
    if not columns:
        return None
    known = store.columns(number) or {}
    missing = [name for name in columns if name not in known]
    if missing:
        there = ", ".join(map(repr, known)) or "no columns"
        raise InputError(
            f"{store.folder} has {there} beside its counts, and no {missing[0]!r}; prepare it "
            f"again with --covariate {missing[0]}, or --response"
        )
    return {name: known[name] for name in columns}


def columns_of(estimator: Any) -> list[str]:
    """The columns that a fitted model reads beside the words."""
    design = getattr(estimator, "design_", None)
    return [] if design is None else [column.name for column in design.columns]


def refuse_beside(given: Any, what: str) -> None:
    """A store has words and columns of its own."""
    if given is None:
        return
    got = f"got a {type(given).__name__}"
    if what == "covariates":
        raise InputError(
            f"covariates of a store are columns of it, {got}; leave them out, and name the columns "
            "where the model is made"
        )
    raise InputError(f"a store has words of its own, {got} as {what}; leave it out")


def sample_of(
    store: CountsStore, most: int, columns: list[str]
) -> tuple[NDArray[np.int64], Any, dict[str, list[Any]] | None]:
    """Rows of a sample that is always the same, in their order; counts and columns of them."""
    documents = store.shape[0]
    if documents <= most:
        rows = np.arange(documents)
    else:
        rows = np.unique(np.random.default_rng(0).integers(0, documents, most))
    known: dict[str, list[Any]] | None = {name: [] for name in columns} if columns else None
    if known is not None:
        homes = np.searchsorted(store.starts, rows, side="right") - 1
        for number in np.unique(homes).tolist():
            part = told(store, number, columns) or {}
            local = rows[homes == number] - store.starts[number]
            for name in known:
                known[name] += [part[name][row] for row in local.tolist()]
    return rows, store.rows(rows), known
