"""Whatever can be iterated once, counted into a store of its own."""

from __future__ import annotations

import itertools
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from topicfactors.corpus.documents import check_texts, missing
from topicfactors.corpus.store.preparation import prepare
from topicfactors.corpus.store.reader import CountsStore
from topicfactors.corpus.store.writer import SHARD, StoreWriter
from topicfactors.errors import ConfigurationError, InputError

if TYPE_CHECKING:
    from topicfactors.corpus.vectorizer import DocumentVectorizer


class IterableCorpus(CountsStore):
    """A corpus that is larger than memory, from anything that can be iterated once.

    What comes is counted into a store on disk, and read from there as often as a fit wants it.

    Parameters
    ----------
    source
        An iterable, which may be a generator, of texts; of pairs of a text and its label; of dicts
        with a text (and an ``id``, a ``label``, further columns); of blocks of counts ``(n, V)``,
        sparse or arrays; or of pairs of such a block and the labels of its rows.
    vectorizer
        What counts texts, by default ``DocumentVectorizer()``; it is fitted, unless it is already.
    columns
        Columns of dicts that are kept for covariates and responses.
    folder
        Where the store is to be kept. None for a temporary folder, which goes when the object goes.
    shard_documents, workers
        As in :func:`topicfactors.corpus.store.prepare`.

    Raises
    ------
    InputError
        When something else comes, or nothing.

    Examples
    --------
    >>> from topicfactors import DocumentVectorizer
    >>> texts = (f"steam engine {'clock ' * (row % 3)}" for row in range(1000))
    >>> corpus = IterableCorpus(texts, vectorizer=DocumentVectorizer(max_df=1.0))
    >>> corpus.shape, corpus.feature_names.tolist()
    ((1000, 3), ['clock', 'engine', 'steam'])
    """

    def __init__(
        self,
        source: Iterable[Any],
        *,
        vectorizer: DocumentVectorizer | None = None,
        columns: str | Iterable[str] = (),
        folder: str | Path | None = None,
        shard_documents: int = SHARD,
        workers: int | None = None,
    ) -> None:
        check_texts(source)
        if isinstance(source, str | bytes):
            raise InputError("source must be an iterable of texts, got one text; put it in a list")
        place = Path(folder) if folder is not None else None
        if place is None:
            temporary = tempfile.mkdtemp(prefix="topicfactors-")
            weakref.finalize(self, shutil.rmtree, temporary, ignore_errors=True)
            place = Path(temporary) / "store"
        items = iter(source)
        begun = list(itertools.islice(items, 1))
        every = itertools.chain(begun, items)
        first = begun[0] if begun else None
        paired = isinstance(first, tuple) and len(first) == 2
        if _is_block(first[0] if paired and first else first):
            if vectorizer is not None or columns:
                raise ConfigurationError(
                    "blocks of counts need no vectorizer and have no columns; leave them out"
                )
            _write(every, place, shard_documents)
        else:
            _refuse_others(first, begun)
            prepare(
                _records(every) if paired else every,
                place,
                vectorizer=vectorizer,
                columns=columns,
                shard_documents=shard_documents,
                workers=workers,
            )
        super().__init__(place)


def _is_block(item: Any) -> bool:
    return hasattr(item, "tocsr") or getattr(item, "ndim", 0) == 2


def _refuse_others(first: Any, begun: list[Any]) -> None:
    """What is no text is none of a document either, though it may be missing."""
    paired = isinstance(first, tuple) and len(first) == 2
    known = isinstance(first, str | Mapping) or paired or missing(first) is not None
    if begun and not known:
        raise InputError(
            f"item 0: must be a text, a pair of it and a label, a dict, or a block of counts "
            f"(n, V), got a {type(first).__name__}"
        )


def _records(pairs: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """Pairs of a text and its label as dicts."""
    for row, pair in enumerate(pairs):
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise InputError(
                f"row {row}: must be a pair of a text and its label, as the first was, got "
                f"{type(pair).__name__}"
            )
        yield {"text": pair[0], "label": pair[1]}


def _write(blocks: Iterable[Any], folder: Path, shard_documents: int) -> None:
    """Blocks of counts, or pairs of one and labels, into a store."""
    with StoreWriter(folder, shard_documents=shard_documents) as writer:
        for number, item in enumerate(blocks):
            block, labels = item if isinstance(item, tuple) and len(item) == 2 else (item, None)
            if not _is_block(block):
                raise InputError(
                    f"block {number}: must be counts (n, V), sparse or an array, got "
                    f"{type(block).__name__}"
                )
            writer.add(block, labels=labels)
