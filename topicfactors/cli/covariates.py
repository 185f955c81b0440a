"""What is known beside the texts, for the commands: columns of a corpus, or values typed."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from topicfactors.corpus.documents import Document, Ledger
from topicfactors.corpus.lines import shown
from topicfactors.errors import InputError, nearest
from topicfactors.estimators.specs import parsed


def names_of(specs: Sequence[str] | None) -> tuple[str, ...]:
    """The columns that options such as ``year:spline`` name."""
    return tuple(spec.name for spec in parsed(specs or []) or [])


def with_columns(
    source: str, documents: Iterator[Document], names: Sequence[str]
) -> Iterator[Document]:
    """The documents, if they have these columns beside the texts.

    Raises
    ------
    InputError
        When the first of them has not.
    """
    begun = list(itertools.islice(documents, 1))
    for document in begun:
        _expect(names, document.covariates, source)
    return itertools.chain(begun, documents)


def _expect(names: Sequence[str], there: Collection[str], source: str) -> None:
    for name in names:
        if name not in there:
            listed = ", ".join(map(repr, there)) or "none"
            raise InputError(
                f"{shown(source)}: its documents have no column {name!r} (they have {listed}); "
                f"give a table with that column{nearest(name, there)}"
            )


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
    _expect(names, ledger.covariates, source)
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
