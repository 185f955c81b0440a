"""A page whose factors were given other names since; nothing else of it is of their names."""

from __future__ import annotations

import json
from collections.abc import Sequence

from topicfactors.export.report.page import escaped
from topicfactors.export.tables import dump_json

BEGIN = '<script type="application/json" id="data">'
END = "</script>"


def renamed(page: str, names: Sequence[int | str]) -> str | None:
    """The page with the names or numbers of its factors, in its order; None where it is no page.

    >>> page = BEGIN + '{"factors": [{"name": "0", "named": false}]}' + END
    >>> renamed(page, ["steam"]) == BEGIN + '{"factors": [{"name": "steam", "named": true}]}' + END
    True
    """
    before, begin, rest = page.partition(BEGIN)
    data, end, after = rest.partition(END)
    try:
        told = json.loads(data)
        factors = told["factors"]
        if not end or len(factors) != len(names):
            return None
        for factor, name in zip(factors, names, strict=True):
            factor |= {"name": str(name), "named": isinstance(name, str)}
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return before + begin + escaped(dump_json(told)) + end + after
