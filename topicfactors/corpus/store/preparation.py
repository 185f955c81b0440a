"""A corpus of any size into a store on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joblib import effective_n_jobs

from topicfactors.corpus.abreast import InOrder, in_order
from topicfactors.corpus.columns import Columns
from topicfactors.corpus.count_readers import read_counts
from topicfactors.corpus.store.finishing import Outcome, finish_addition, finish_new
from topicfactors.corpus.store.manifest import NAME
from topicfactors.corpus.store.passes import TwoPasses, Watch
from topicfactors.corpus.store.passing import Passing
from topicfactors.corpus.store.reader import CountsStore
from topicfactors.corpus.store.sources import documents_in, holds_counts, named
from topicfactors.corpus.store.tokenising import settings_of
from topicfactors.corpus.store.unfinished import Workplace
from topicfactors.corpus.store.writer import SHARD, StoreWriter
from topicfactors.errors import ConfigurationError, InputError
from topicfactors.files import refuse_existing, refuse_source, refuse_unwritable
from topicfactors.values import whole

if TYPE_CHECKING:
    from topicfactors.corpus.vectorizer import DocumentVectorizer

IDLE = ("n_jobs", "strict")  # of a vectorizer: no word of the result depends on them


def prepare(
    corpus: Any,
    folder: str | Path,
    *,
    vectorizer: DocumentVectorizer | None = None,
    text_column: str | None = None,
    id_column: str | None = None,
    label_column: str | None = None,
    columns: str | Iterable[str] = (),
    vocabulary: object = None,
    shard_documents: int = SHARD,
    workers: int | None = None,
    strict: bool = False,
    append: bool = False,
    overwrite: bool = False,
    watch: Watch = iter,
    in_order: InOrder = in_order,
) -> CountsStore:
    """Count a corpus into a store, reading it once, with memory that does not grow with it.

    What is interrupted goes on: the same call again counts only the shards that are not there yet.

    Parameters
    ----------
    corpus
        Whatever :func:`topicfactors.read_corpus` reads, or a file of counts or a sparse matrix
        ``(N, V)``, which is read whole.
    folder
        Where the store is to be.
    vectorizer
        What counts texts, by default ``DocumentVectorizer()``. It is fitted, to the same words as
        its own ``fit`` would find; where it is fitted already, its words are taken. It cannot learn
        phrases here.
    text_column, id_column, label_column, columns
        Columns of a table; the last are kept beside the counts, for covariates and responses.
    vocabulary
        The words of a file of counts, as in ``read_counts``.
    shard_documents
        Documents of a shard, at most: those that are in memory at once when the store is read.
    workers
        Processes; None for one a core. A short corpus is counted by one.
    strict
        Refuse a document that is empty or no text, and an id that comes twice.
    append
        Add the documents to the store that is there, counted by its own words.
    overwrite
        Replace a store that exists, and give up what was begun.
    watch
        Sees the documents pass, for a bar of progress.
    in_order
        Who does the work of the processes: this machine, or another engine.

    Returns
    -------
    CountsStore
        What was written, opened.

    Raises
    ------
    InputError
        When the corpus cannot be read, has no documents or no words, or is not the one that was
        begun.
    ConfigurationError
        When an argument makes no sense.
    StorageError
        When the store exists, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from topicfactors import DocumentVectorizer
    >>> with tempfile.TemporaryDirectory() as place:
    ...     counted = DocumentVectorizer(min_df=1, max_df=1.0)
    ...     store = prepare(["steam engines", "steam"], f"{place}/store", vectorizer=counted)
    ...     store.shape, store.feature_names.tolist(), store.shard(0).toarray().tolist()
    ((2, 2), ['engines', 'steam'], [[1.0, 1.0], [0.0, 1.0]])
    """
    whole("shard_documents", shard_documents, 1)
    if workers is not None:
        whole("workers", workers, 1)
    folder = Path(folder)
    before = CountsStore(folder) if append else None
    if before is None:
        refuse_existing(folder, overwrite, NAME)
    elif vectorizer is not None:
        raise ConfigurationError(
            "documents that are added are counted by the store's own words; leave vectorizer out"
        )
    refuse_unwritable(folder)
    if isinstance(corpus, str | Path):
        refuse_source(folder, Path(corpus))
        _refuse_inside(folder, Path(corpus))
    told = (columns,) if isinstance(columns, str) else tuple(columns)
    left_out = [] if before is None else [n for n in before.column_names if n not in told]
    if left_out:
        raise InputError(
            f"{folder}: has {', '.join(map(repr, left_out))} of each document; name "
            "the columns of those that are added too (--covariate, --response, or columns=[…])"
        )
    asked = Columns(text_column, id_column, label_column, told)
    if holds_counts(corpus):
        if asked != Columns() or vectorizer is not None or strict:
            raise InputError(
                f"{named(corpus)}: counts have no columns of texts, and nothing to tokenise; leave "
                "out columns, vectorizer and strict"
            )
        return _of_counts(corpus, folder, vocabulary, shard_documents, append, overwrite)
    if vocabulary is not None:
        raise InputError(
            f"{named(corpus)}: texts have the vocabulary that is found in them; leave vocabulary "
            "out, or give a vectorizer that is fitted"
        )
    place = Workplace(folder, None if before is None else len(before.sizes))
    counting = _counting(vectorizer, before)
    settings = {
        **{name: value for name, value in settings_of(counting).items() if name not in IDLE},
        "words": _digest(counting),
        **asked._asdict(),
        "shard_documents": shard_documents,
        "after": None if before is None else before.fingerprint,
    }
    documents = watch(documents_in(corpus, asked))
    passing = Passing(documents, shard_documents, strict)
    place.enter(settings, overwrite)
    try:
        passes = TwoPasses(place, counting, effective_n_jobs(workers or -1), in_order)
        _finish(place, passes.run(named(corpus), passing), counting)
    except BaseException:
        if not place.finished:  # nothing that could go on
            place.clear()
        raise
    finally:
        place.release()
    return CountsStore(folder)


def _refuse_inside(folder: Path, corpus: Path) -> None:
    """Refuse a store among the texts of a folder, with which it would be read."""
    if "://" not in str(corpus) and folder.resolve().is_relative_to(corpus.resolve()):
        raise InputError(
            f"{folder}: is inside of {corpus}, and would be read with it; choose another place"
        )


def _digest(vectorizer: DocumentVectorizer) -> str | None:
    """SHA-256 of the words of a vectorizer that is fitted."""
    if not hasattr(vectorizer, "vocabulary_"):
        return None
    words = "\n".join(vectorizer.get_feature_names_out())
    return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()


def _counting(
    vectorizer: DocumentVectorizer | None, before: CountsStore | None
) -> DocumentVectorizer:
    """What counts the texts."""
    from topicfactors.corpus.vectorizer import DocumentVectorizer

    if before is not None:
        own = before.vectorizer()
        if own is None:
            raise InputError(
                f"{before.folder}: was prepared from counts and cannot read texts; add counts of "
                "the same words"
            )
        return own
    counting = DocumentVectorizer() if vectorizer is None else vectorizer
    if not isinstance(counting, DocumentVectorizer):
        raise ConfigurationError(
            f"vectorizer must be a DocumentVectorizer, got {type(counting).__name__}"
        )
    if counting.phrases and not hasattr(counting, "vocabulary_"):
        raise ConfigurationError(
            "phrases are learnt from all texts at once, and a store reads them once, one after the "
            "other; fit the vectorizer to some of them first, or leave phrases out"
        )
    return counting


def _of_counts(
    corpus: Any,
    folder: Path,
    vocabulary: object,
    shard_documents: int,
    append: bool,
    overwrite: bool,
) -> CountsStore:
    """A store of counts, which are read whole."""
    notes: list[str] = []
    labels: Any = None
    if isinstance(corpus, str | Path):
        read = read_counts(corpus, vocabulary=vocabulary)
        counts, labels, notes = read.counts, read.labels, read.notes
    else:
        counts = corpus
    writer = StoreWriter(
        folder, shard_documents=shard_documents, append=append, overwrite=overwrite
    )
    with writer:
        writer.add(counts, labels=labels)
        return writer.finish(notes)


def _finish(place: Workplace, outcome: Outcome, vectorizer: DocumentVectorizer) -> None:
    if place.new:
        place.leave(lambda at: finish_new(at, outcome, None, vectorizer))
    else:
        place.leave(lambda at: finish_addition(at, outcome))
