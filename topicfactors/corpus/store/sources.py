"""What a store can be prepared from, as a stream of documents."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from topicfactors.corpus.columns import Columns
from topicfactors.corpus.count_readers import is_counts
from topicfactors.corpus.documents import Document
from topicfactors.corpus.frames import read_memory
from topicfactors.corpus.lines import shown
from topicfactors.corpus.readers import stream_documents
from topicfactors.errors import InputError, nearest


def holds_counts(corpus: Any) -> bool:
    """Is it a file of counts, or a sparse matrix?"""
    if isinstance(corpus, str | Path):
        return is_counts(corpus)
    return hasattr(corpus, "tocsr")


def named(corpus: Any) -> str:
    """What messages call it."""
    return shown(str(corpus)) if isinstance(corpus, str | Path) else type(corpus).__name__


def documents_in(corpus: Any, columns: Columns) -> Iterator[Document]:
    """The documents of a path, or of anything that can be iterated.

    Raises
    ------
    InputError
        When it cannot be read, or its documents have not the columns.
    """
    if isinstance(corpus, str | Path):
        documents = stream_documents(corpus, columns)
    else:
        documents = iter(read_memory(corpus, columns))
    begun = list(itertools.islice(documents, 1))
    for document in begun:
        for name in columns.covariates:
            if name not in document.covariates:
                there = ", ".join(map(repr, document.covariates)) or "none"
                raise InputError(
                    f"{named(corpus)}: its documents have no column {name!r} (they have {there}); "
                    f"give a table with that column{nearest(name, document.covariates)}"
                )
    return itertools.chain(begun, documents)
