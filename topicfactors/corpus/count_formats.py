"""Files of counts: Matrix Market, UCI bag of words, svmlight and SciPy's .npz."""

from __future__ import annotations

import codecs
import contextlib
import itertools
import re
import struct
import warnings
import zipfile
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from topicfactors.corpus.lines import BROKEN, open_bytes, open_seekable
from topicfactors.corpus.unpacking import check_archive
from topicfactors.errors import InputError

LONGEST = 18  # digits of a number of documents
SHOWN = 300  # characters of an error that are passed on
REFUSED = (
    *(ValueError, ArithmeticError, MemoryError, LookupError, RuntimeError, TypeError),
    *(AttributeError, SyntaxError, struct.error),
)  # by the parsers of others, of files that are damaged


class Entries(NamedTuple):
    """What a file of counts holds."""

    matrix: Any  # SciPy COO (N, V)
    labels: list[str | None] | None = None
    open_ended: bool = False  # the file says neither how many columns there are nor their base


def read_matrix_market(path: str) -> Entries:
    """A .mtx or .mm file, as SciPy and gensim write them; documents are rows."""
    with open_bytes(path) as stream:
        banner, sizes = _line(path, stream), _line(path, stream)
        numbered = 2
        while sizes.startswith("%") or (sizes and not sizes.strip()):
            sizes, numbered = _line(path, stream), numbered + 1
        fields, mirrored = _market_kind(path, banner)
        if len(sizes.split()) != 3 or not all(map(_is_size, sizes.split())):
            raise InputError(
                f"{path}, line {numbered}: must be the numbers of documents, words and entries, "
                f"got {sizes[:40].strip()!r}"
            )
        matrix = _triples(path, stream, [int(n) for n in sizes.split()], numbered, fields)
        return Entries(_mirrored(matrix) if mirrored else matrix)


def read_uci(path: str) -> Entries:
    """UCI's ``docword`` file: D, W and NNZ on lines of their own, then ``document word count``."""
    with open_bytes(path) as stream:
        sizes = []
        for number, what in enumerate(("documents", "words", "entries"), 1):
            line = _line(path, stream).strip()
            if not _is_size(line):
                raise InputError(
                    f"{path}, line {number}: not the head of a UCI bag of words: must be the "
                    f"number of {what}, got {line[:40]!r}"
                )
            sizes.append(int(line))
        return Entries(_triples(path, stream, sizes, len(sizes), 3))


def read_svmlight(path: str) -> Entries:
    """An svmlight (libsvm) file, its columns as they are numbered; the targets are labels."""
    from sklearn.datasets import load_svmlight_file

    def load(stream: Any) -> Any:
        stream.seek(len(codecs.BOM_UTF8) if stream.read(3) == codecs.BOM_UTF8 else 0)
        try:
            return load_svmlight_file(stream, zero_based=True)
        except REFUSED as error:
            raise ValueError(f"{_bad_line(path)}{error}") from error

    with contextlib.closing(open_seekable(path)) as stream:
        matrix, targets = _parsed(path, "svmlight", load, stream)
    return Entries(matrix.tocoo(), [_label(target) for target in targets.tolist()], True)


def counted_from(path: str, entries: Any, zero_based: bool | str) -> tuple[Any, str]:
    """Entries whose columns count from 0, and how they were counted in the file.

    Raises
    ------
    InputError
        When a column is 0 where none may be.
    """
    import scipy.sparse

    from_zero = not entries.nnz or entries.col.min() == 0
    if from_zero and zero_based is False and entries.nnz:
        raise InputError(
            f"{path}: a column is 0, where zero_based=False says that they count from 1; leave it "
            "out, or say zero_based=True"
        )
    if zero_based is True or (from_zero and zero_based is not False):
        return entries, "columns counted from 0"
    width = max(entries.shape[1] - 1, 0)
    places = (entries.row, entries.col - 1)
    guess = ", as none is 0 (zero_based=True of read_counts says otherwise)"
    return (
        scipy.sparse.coo_matrix((entries.data, places), shape=(entries.shape[0], width)),
        f"columns counted from 1{guess if zero_based == 'auto' else ''}",
    )


def read_npz(path: str) -> Entries:
    """A sparse matrix as ``scipy.sparse.save_npz`` writes it; nothing in it is unpickled."""
    import scipy.sparse

    def load(stream: Any) -> Any:
        if not zipfile.is_zipfile(stream):
            raise ValueError("it has no end, or another beginning")
        stream.seek(0)
        check_archive(path, stream)
        matrix = scipy.sparse.load_npz(stream)
        if matrix.ndim != 2 or matrix.dtype.kind not in "buif":
            raise ValueError(f"{matrix.ndim} dimensions of {matrix.dtype}; counts are numbers in 2")
        if matrix.format in ("csr", "csc", "bsr"):
            matrix.check_format(full_check=True)
        return matrix.tocoo()

    with contextlib.closing(open_seekable(path)) as stream:
        return Entries(_parsed(path, "SciPy .npz", load, stream))


def _parsed(path: str, kind: str, read: Callable[[Any], Any], stream: Any) -> Any:
    """What a parser makes of a stream; its complaint becomes one line, with the line's number."""
    try:
        return read(stream)
    except InputError:
        raise
    except (*REFUSED, zipfile.BadZipFile) as error:
        reason = " ".join(str(error).split())
        found = re.match(r"line (\d+): ?(.*)", reason)
        where = f"{path}, line {found[1]}" if found else path
        reason = found[2] if found else reason
        raise InputError(f"{where}: no {kind} file, or a damaged one: {reason[:SHOWN]}") from error
    except BROKEN as error:
        raise InputError(f"{path}: cannot be read to its end: {error}") from error


def _line(path: str, stream: Any) -> str:
    try:
        line: bytes = stream.readline()
    except BROKEN as error:
        raise InputError(f"{path}: cannot be read to its end: {error}") from error
    return line.removeprefix(codecs.BOM_UTF8).decode("latin-1")


def _market_kind(path: str, banner: str) -> tuple[int, bool]:
    """Numbers of an entry, and whether half of them stand for both halves, by the first line.

    SciPy writes any matrix that happens to be symmetric as such.
    """
    parts = banner.lower().split()
    if len(parts) != 5 or parts[:2] != ["%%matrixmarket", "matrix"]:
        raise InputError(
            f"{path}, line 1: not the banner of a Matrix Market file; must be "
            f"'%%MatrixMarket matrix coordinate … general', got {banner[:60].strip()!r}"
        )
    _, _, layout, field, symmetry = parts
    if layout != "coordinate" or symmetry not in ("general", "symmetric"):
        raise InputError(
            f"{path}: a Matrix Market file of kind '{layout[:40]} {symmetry[:40]}'; counts must be "
            "'coordinate general' (scipy.io.mmwrite of a sparse matrix)"
        )
    if field not in ("real", "integer", "unsigned-integer", "double", "pattern"):
        raise InputError(f"{path}: {field[:40]} numbers are no counts; must be real or integer")
    return 2 if field == "pattern" else 3, symmetry == "symmetric"


def _mirrored(matrix: Any) -> Any:
    """A matrix of which only one triangle was written, whole."""
    import numpy as np
    import scipy.sparse

    off = matrix.row != matrix.col
    rows = np.concatenate([matrix.row, matrix.col[off]])
    columns = np.concatenate([matrix.col, matrix.row[off]])
    values = np.concatenate([matrix.data, matrix.data[off]])
    side = max(matrix.shape)
    return scipy.sparse.coo_matrix((values, (rows, columns)), shape=(side, side))


def _triples(path: str, stream: Any, sizes: list[int], head: int, fields: int) -> Any:
    """COO matrix of lines ``document word count`` that follow ``head`` lines, counted from 1.

    Without a third field every count is 1.
    """
    import numpy as np
    import scipy.sparse

    rows, columns, entries = sizes
    table = _numbers(path, stream, head, fields)
    if len(table) != entries:
        raise InputError(
            f"{path}: {len(table):,} entries, where its head says {entries:,}; the file is cut "
            "off, or its head wrong"
        )
    told = table[:, :2]
    inside = (told >= 1) & (told <= (rows, columns)) & (told == np.floor(told))
    if not inside.all():
        at = int(inside.all(axis=1).argmin())
        document, word = table[at, :2]
        raise InputError(
            f"{path}, line {_line_of(path, head, at)}: document {document:g}, word {word:g} is "
            f"outside its head's {rows:,} documents and {columns:,} words, counted from 1"
        )
    values = table[:, 2] if fields == 3 else np.ones(len(table))
    return scipy.sparse.coo_matrix(
        (values, tuple(told.T.astype(np.int64) - 1)), shape=(rows, columns)
    )


def _numbers(path: str, stream: Any, head: int, fields: int) -> Any:
    """The rest of a stream as a table of float64."""
    import numpy as np

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that there is no data
        try:
            table = np.loadtxt(stream, np.float64, comments=None, ndmin=2, encoding="latin-1")
        except ValueError as error:
            raise _no_numbers(path, head, fields) from error
        except BROKEN as error:
            raise InputError(f"{path}: cannot be read to its end: {error}") from error
    if table.size and table.shape[1] != fields:
        raise _no_numbers(path, head, fields)
    return table.reshape(-1, fields)


def _entry_lines(path: str, head: int) -> Iterator[tuple[int, str]]:
    """Lines after the head that are not blank, and their numbers, counted from 1."""
    with open_bytes(path) as stream:
        for number, line in enumerate(stream, 1):
            if number > head and line.strip():
                yield number, line.decode("latin-1").strip()


def _line_of(path: str, head: int, entry: int) -> int:
    """Number of the line that holds an entry, counted from 0."""
    return next(itertools.islice(_entry_lines(path, head), entry, None))[0]


def _no_numbers(path: str, head: int, fields: int) -> InputError:
    """Which line is not so many numbers."""
    for number, line in _entry_lines(path, head):
        cells = line.split()
        if len(cells) != fields or not all(map(_is_number, cells)):
            return InputError(f"{path}, line {number}: must be {fields} numbers, got {line[:40]!r}")
    return InputError(f"{path}: must be {fields} numbers a line")


def _is_size(text: str) -> bool:
    """Is it a whole number that fits into 64 bits? Other signs are digits too, to Python."""
    return text.isascii() and text.isdecimal() and len(text) <= LONGEST


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def _label(target: float) -> str | None:
    if target != target:  # NaN
        return None
    return str(int(target)) if target.is_integer() else str(target)


def _bad_line(path: str) -> str:
    """Which line of an svmlight file cannot be read, as ``line 3: ``; "" where all can."""
    with open_bytes(path) as stream:
        for number, line in enumerate(stream, 1):
            target, *pairs = line.split(b"#")[0].split() or [b"0"]
            try:
                float(target)
                cells = [pair.split(b":") for pair in pairs if not pair.startswith(b"qid:")]
                columns = [int(column) for column, value in cells if float(value) is not None]
            except ValueError:
                return f"line {number}: "
            rising = all(one < other for one, other in itertools.pairwise(columns))
            if not rising or (columns and not 0 <= columns[0] <= columns[-1] < 2**31):
                return f"line {number}: "
    return ""
