"""Readers of counts: documents that were counted elsewhere; local, compressed or remote.

A reader is a function ``(path) -> Entries``; to add one, write it and put it into COUNT_READERS
under its suffix.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from topicfactors.corpus.columns import id_of
from topicfactors.corpus.count_formats import (
    Entries,
    counted_from,
    read_matrix_market,
    read_npz,
    read_svmlight,
    read_uci,
)
from topicfactors.corpus.documents import how_many
from topicfactors.corpus.entries import counts_of
from topicfactors.corpus.lines import COMPRESSED, suffix_of
from topicfactors.corpus.matrix import CountsMatrix
from topicfactors.corpus.text import without_surrogates
from topicfactors.corpus.vocabularies import distinct, lines_in, words_of
from topicfactors.errors import InputError

CountReader = Callable[[str], Entries]

COUNT_READERS: dict[str, CountReader] = {
    ".mtx": read_matrix_market,
    ".mm": read_matrix_market,
    ".svmlight": read_svmlight,
    ".libsvm": read_svmlight,
    ".svm": read_svmlight,
    ".npz": read_npz,
}
DOCWORD = re.compile(r"docword\.(.+)\.txt$", re.IGNORECASE)  # UCI's names

MOST = 2**31 - 1  # documents or words: places are int32
EMPTY = {"documents": 10**6, "words": 10**7}  # that a file may declare without counts of them,
EACH = 100  # and for each count so many more


class CountedCorpus(NamedTuple):
    """Counts with the ids and labels of their rows."""

    counts: (
        CountsMatrix  # (N, V), int32 or float32; feature_names, or None where nothing named them
    )
    ids: list[str]
    labels: list[str | None] | None
    notes: list[str]
    covariates: dict[str, list[Any]] | None = None  # columns of N values


def is_counts(path: str | Path) -> bool:
    """Does the name of a file say that it holds counts rather than texts?

    >>> is_counts("reviews.mtx.gz"), is_counts("docword.kos.txt.gz"), is_counts("notes.txt")
    (True, True, False)
    """
    return _reader_of(str(path)) is not None


def read_counts(
    source: str | Path,
    *,
    vocabulary: object = None,
    ids: str | Path | Iterable[Any] | None = None,
    columns: int | None = None,
    zero_based: bool | str = "auto",
) -> CountedCorpus:
    """Read documents × words counts.

    Parameters
    ----------
    source
        A Matrix Market file (.mtx, .mm; documents are rows), UCI's ``docword.NAME.txt``, svmlight
        (.svmlight, .libsvm, .svm; the target is the label) or SciPy's .npz; each also compressed
        or remote.
    vocabulary
        The word of each column: path of a file of one word a line, a list, or a gensim
        Dictionary. None looks for ``vocab.NAME.txt`` beside a docword file, and for
        ``<stem>.vocab.txt``, ``<stem>.vocabulary.txt``, ``vocab.txt`` and ``vocabulary.txt``
        beside others, and takes the first that has a line for each column.
    ids
        Id of each document: path of a file of one id a line, or a list. None numbers the rows
        from 0.
    columns
        Words of the model that the counts are for. Formats that do not say how many columns there
        are (svmlight) get so many; of others nothing changes.
    zero_based
        Whether the columns of svmlight count from 0 (True) or 1 (False). "auto" takes 1 where no
        column is 0, which is wrong for counts from 0 whose first word never comes; a note says
        what was taken.

    Returns
    -------
    CountedCorpus
        Rows in the order of the file; documents without words stay.

    Raises
    ------
    InputError
        When the file is not of its format, a count is negative or not finite, or the words or ids
        are too many, too few or not distinct.
    """
    path = str(source)
    reader = _reader_of(path)
    if reader is None:
        raise InputError(
            f"{path}: cannot tell how to read counts from this; expected a file that ends in "
            f"{', '.join(COUNT_READERS)} or is named docword.NAME.txt (and perhaps "
            f"{', '.join(sorted(COMPRESSED))})"
        )
    read = reader(path)
    matrix, remarks = _based(path, read, zero_based)
    if read.open_ended and columns is not None and columns > matrix.shape[1]:
        matrix.resize((matrix.shape[0], columns))
    _check_shape(path, matrix)
    if vocabulary is None:
        words, notes = _beside(path, matrix.shape[1])
    else:
        words, notes = words_of(vocabulary), []
        if read.open_ended and len(words) > matrix.shape[1]:
            matrix.resize((matrix.shape[0], len(words)))
        if len(words) != matrix.shape[1]:
            raise InputError(
                f"{path}: {matrix.shape[1]:,} columns, but {len(words):,} words in the vocabulary; "
                "give the vocabulary that these documents were counted with"
            )
    names, repeated = _ids(ids, matrix.shape[0], path)
    counts = counts_of(matrix, path, words, names)
    if counts.nnz == 0:
        raise InputError(
            f"{path}: no counts in it ({counts.shape[0]:,} documents × {counts.shape[1]:,} words); "
            "expected at least one above 0"
        )
    return CountedCorpus(counts, names, read.labels, [*remarks, *notes, *repeated])


def _check_shape(path: str, matrix: Any) -> None:
    """Refuse more documents and words than there can be of so many counts."""
    for (what, some), size in zip(EMPTY.items(), matrix.shape, strict=True):
        most = min(MOST, some + EACH * matrix.nnz)
        if size > most:
            raise InputError(
                f"{path}: {size:,} {what} and {matrix.nnz:,} counts; of so many counts at most "
                f"{most:,} {what} are read"
            )


def _based(path: str, read: Entries, zero_based: bool | str) -> tuple[Any, list[str]]:
    """The matrix with columns from 0, and what to say of it."""
    if zero_based not in (True, False, "auto"):
        raise InputError(f"zero_based must be True, False or 'auto', got {zero_based!r}")
    if read.open_ended:
        matrix, note = counted_from(path, read.matrix, zero_based)
        return matrix, [note]
    if zero_based != "auto":
        raise InputError(f"{path}: zero_based is for svmlight alone; leave it out")
    return read.matrix, []


def _reader_of(path: str) -> CountReader | None:
    suffix = suffix_of(path)
    if suffix == ".txt" and DOCWORD.match(_bare(path)):
        return read_uci
    return COUNT_READERS.get(suffix)


def _bare(path: str) -> str:
    """Name of a file without the suffix of a compression."""
    name = Path(path.split("?")[0] if "://" in path else path)
    return name.stem if name.suffix.lower() in COMPRESSED else name.name


def _beside(path: str, columns: int) -> tuple[list[str] | None, list[str]]:
    """Words of a file beside the counts, if one fits, and what to say of it."""
    notes: list[str] = []
    for candidate in _candidates(path):
        lines = lines_in(str(candidate))
        if len(lines) == columns:
            words = distinct(lines, str(candidate), first=1, place="line")
            return words, [*notes, f"the words are the lines of {candidate.name}, beside it"]
        notes.append(
            f"{candidate.name}, beside it, has {len(lines):,} lines for {columns:,} columns and is "
            "not taken"
        )
    return None, [*notes, "columns are named by number, for want of a vocabulary"]


def _candidates(path: str) -> list[Path]:
    if "://" in path:
        return []
    name, folder = _bare(path), Path(path).parent
    uci, stem = DOCWORD.match(name), Path(name).stem
    names = [f"{stem}.vocab.txt", f"{stem}.vocabulary.txt", "vocab.txt", "vocabulary.txt"]
    if uci:
        names = [f"vocab.{uci[1]}.txt", f"vocab.{uci[1]}.txt.gz"]
    return [folder / name for name in names if (folder / name).is_file()]


def _ids(
    ids: str | Path | Iterable[Any] | None, documents: int, path: str
) -> tuple[list[str], list[str]]:
    """An id for each row, and a remark where one comes twice."""
    if ids is None:
        return [str(row) for row in range(documents)], []
    given = lines_in(str(ids)) if isinstance(ids, str | Path) else list(ids)
    if len(given) != documents:
        raise InputError(
            f"{path}: {how_many(documents, 'document')}, but {how_many(len(given), 'id')}; give "
            "one for each, in their order"
        )
    names = [without_surrogates(id_of(name, row)) for row, name in enumerate(given)]
    seen: dict[str, int] = {}
    for row, name in enumerate(names):
        if seen.setdefault(name, row) != row:
            return names, [f"id {name!r} comes more than once (rows {seen[name]} and {row})"]
    return names, []
