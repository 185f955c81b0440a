"""The column of a corpus that is fitted as the response of its documents."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from topicfactors.corpus.cells import numbers_of
from topicfactors.corpus.count_readers import is_counts
from topicfactors.corpus.documents import Document, Ledger
from topicfactors.errors import InputError, nearest


def refuse_idle_response(options: Mapping[str, Any], typed: Collection[str]) -> None:
    """Refuse a response where there are no columns, and a family where there is no response.

    Raises
    ------
    InputError
        With what to do instead.
    """
    if options["response"] is not None and is_counts(options["corpus"]):
        raise InputError(
            f"{options['corpus']}: counts have no columns to take a response from; leave out "
            "--response, or fit in Python with fit(X, response=...)"
        )
    if options["response"] is None and "response_family" in typed:
        raise InputError(
            "--response-family says how a response is drawn, and there is none; name its column "
            "with --response, or leave it out"
        )


def with_column(source: str, documents: Iterator[Document], name: str | None) -> Iterator[Document]:
    """The documents, if they have the column (None: no column is asked for).

    Raises
    ------
    InputError
        When the first of them has not.
    """
    if name is None:
        return documents
    begun = list(itertools.islice(documents, 1))
    for document in begun:
        if name not in document.covariates:
            known = list(map(str, document.covariates))
            which = f"it has {', '.join(map(repr, known))}"
            raise InputError(
                f"{source}: no column {name!r} beside the texts; "
                f"{which if known else 'only a table has columns, such as a .csv'}"
                f"{nearest(name, known)}"
            )
    return itertools.chain(begun, documents)


def responses_of(source: str, ledger: Ledger, name: str, family: str) -> NDArray[np.float64]:
    """The cells of a column that a ledger has noted as numbers ``(N,)``, NaN where empty.

    Raises
    ------
    InputError
        When a cell is no number of the family, which it names, or all are empty.
    """
    from topicfactors.estimators.choices import resolve
    from topicfactors.estimators.responding import refuse_unlikely
    from topicfactors.model.responses import RESPONSES

    def place(row: int) -> str:
        return f"{source}, row {row} (id {' '.join(ledger.ids[row].split())}), column {name!r}"

    found = numbers_of(ledger.covariates.get(name, []), place)
    refuse_unlikely(found, place, resolve("response", family, RESPONSES))
    if np.isnan(found).all():
        raise InputError(
            f"{source}: column {name!r} is empty in all {len(found):,} documents; expected a "
            "number in one at least, or leave out --response"
        )
    return found
