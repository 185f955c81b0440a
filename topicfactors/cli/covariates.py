"""Covariates for the commands: columns of the corpus, or values that are typed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from topicfactors.corpus.documents import Ledger
from topicfactors.corpus.lines import shown
from topicfactors.errors import InputError, nearest
from topicfactors.estimators.specs import parsed


def names_of(specs: Sequence[str] | None) -> tuple[str, ...]:
    """The columns that options such as ``year:spline`` name."""
    return tuple(spec.name for spec in parsed(specs or []) or [])


def told(
    ledger: Ledger, source: str, names: Sequence[str], last: int | None = None
) -> dict[str, list[Any]] | None:
    """Those columns of the documents that were read, or of the ``last`` of them; None for none.

    Raises
    ------
    InputError
        When the corpus has no such column.
    """
    if not names or not ledger.ids:
        return None
    for name in names:
        if name not in ledger.covariates:
            there = ", ".join(map(repr, ledger.covariates)) or "none"
            raise InputError(
                f"{shown(source)}: its documents have no column {name!r} (they have {there}); "
                f"give a table with that column{nearest(name, ledger.covariates)}"
            )
    start = 0 if last is None else len(ledger.ids) - last
    return {name: ledger.covariates[name][start:] for name in names}


def at_values(
    typed: Iterable[str] | None, own: Mapping[str, Any], names: Sequence[str]
) -> dict[str, Any] | None:
    """The covariates of one document: its own, and those typed as ``year=1850``.

    Raises
    ------
    InputError
        When one is missing, or is none that the run reads.
    """
    values = {name: own[name] for name in names if name in own}
    for text in typed or ():
        name, equals, value = text.rpartition("=")
        if not equals:
            raise InputError(f"--at: expected a column and a value such as year=1850, got {text!r}")
        if name not in names:
            known = ", ".join(map(repr, names)) or "none"
            raise InputError(
                f"--at: {name!r} is no covariate of this run; it has {known}{nearest(name, names)}"
            )
        values[name] = value
    for name in names:
        if name not in values:
            raise InputError(
                f"the run was fitted with covariates {', '.join(map(repr, names))}; give "
                f"--at {name}=…, or name a document of a corpus that has them with --id"
            )
    return values or None
