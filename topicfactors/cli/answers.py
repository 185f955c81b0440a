"""The column of a corpus that is fitted as the response of its documents."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from topicfactors.corpus.cells import numbers_of
from topicfactors.corpus.count_readers import is_counts
from topicfactors.corpus.documents import Ledger
from topicfactors.errors import InputError


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
