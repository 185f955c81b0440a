"""The steps of ``topicfactors gradients``: counts, measurements, tables and files."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from topicfactors.cli.console import note
from topicfactors.cli.options import document_bound
from topicfactors.errors import CorpusWarning, InputError

MARK = "gradients.json"  # by which the folder of a study is known
SMALL = 300_000  # tokens below which one thread is used, as in fit


class Words(NamedTuple):
    """Which words of texts are counted, and from where the texts are."""

    vocabulary_size: int
    min_df: str
    max_df: str
    text_column: str | None
    id_column: str | None
    strict: bool


def names_in(text: str) -> list[str]:
    """The estimators of a list with commas, some with options that have commas too.

    >>> names_in("nvil:samples=2,decay=0.5,exact")
    ['nvil:samples=2,decay=0.5', 'exact']
    """
    found: list[str] = []
    for part in text.split(","):
        if found and "=" in part and ":" not in part:
            found[-1] += f",{part.strip()}"
        elif part.strip():
            found.append(part.strip())
    return found


def counted(corpus: str, words: Words, threads: int | None, quiet: bool) -> Any:
    """The counts of a corpus, and what is to be said of it."""
    from topicfactors.corpus.columns import Columns
    from topicfactors.corpus.count_readers import is_counts
    from topicfactors.corpus.vectorizer import DocumentVectorizer

    vectorizer = None
    if not is_counts(corpus):
        vectorizer = DocumentVectorizer(
            min_length=3,  # as in fit
            min_df=document_bound(words.min_df, "--min-df"),
            max_df=document_bound(words.max_df, "--max-df"),
            max_features=words.vocabulary_size,
            n_jobs=threads or -1,
        )
    columns = Columns(words.text_column, words.id_column)
    return counts_of(corpus, vectorizer, columns, strict=words.strict, quiet=quiet)


def counts_of(
    corpus: str,
    vectorizer: Any,
    columns: Any,
    *,
    vocabulary: object = None,
    texts: list[str] | None = None,
    strict: bool,
    quiet: bool,
) -> Any:
    """The counts of a file, or of texts where there is a vectorizer; notes go to stderr.

    Texts are kept in the list ``texts``, where one is given.
    """
    from topicfactors.cli.progress import Display
    from topicfactors.corpus.count_readers import read_counts
    from topicfactors.corpus.documents import Ledger
    from topicfactors.corpus.readers import stream_documents

    display = Display(quiet)
    if vectorizer is None:
        read = read_counts(corpus, vocabulary=vocabulary)
        counts, notes = read.counts, read.notes
    else:
        ledger = Ledger(strict)
        said = ledger.record(stream_documents(corpus, columns))
        with warnings.catch_warnings(), named(corpus):
            warnings.simplefilter("ignore", CorpusWarning)  # the ledger knows more
            counts = vectorizer.fit_transform(display.reading(_kept(said, texts)))
        notes = ledger.notes()
    for line in notes:
        note(f"note: {line}", quiet=quiet)
    display.say(
        f"{counts.shape[0]:,} documents, {counts.shape[1]:,} words, {int(counts.sum()):,} tokens"
    )
    return counts


def _kept(said: Iterable[str], texts: list[str] | None) -> Iterator[str]:
    """Texts passed on, and put into a list on the way where there is one."""
    for text in said:
        if texts is not None:
            texts.append(text)
        yield text


def usual_threads(counts: Any) -> int:
    """One where there are few tokens: threads that wait for each other bring nothing."""
    return 1 if counts.sum() < SMALL else -1


def measured(
    corpus: str,
    model: Any,
    counts: Any,
    asked: Sequence[str] | None,
    budget: Mapping[str, Any],
    quiet: bool,
) -> tuple[Any, BaseException | None]:
    """The study, and the interruption that ended it where one did."""
    from threadpoolctl import threadpool_limits

    from topicfactors.cli.progress import Display
    from topicfactors.studies.comparison import Comparison

    display, rows = Display(quiet), list[Any]()
    with threadpool_limits(model.n_jobs if model.n_jobs > 0 else None):
        display.say("fitting the model on which gradients are drawn")
        with named(corpus):
            comparison = Comparison(model, counts, asked, **budget)
        began = time.monotonic()
        try:
            for row in comparison:
                rows.append(row)
                place = f"{len(rows)}/{len(comparison.chosen)}"
                display.say(f"{place} {row.estimator}: {time.monotonic() - began:.0f} s")
        except KeyboardInterrupt as interruption:
            if not rows:
                raise
            return comparison.study(rows), interruption
    return comparison.study(rows), None


def write(study: Any, folder: Path, *, overwrite: bool) -> None:
    """gradients.csv, gradients.json and gradients.html, whole or not at all.

    Raises
    ------
    StorageError
        When the folder exists or cannot be written.
    """
    from topicfactors.export.tables import dump_json, export_table
    from topicfactors.files import whole_folder

    with whole_folder(folder, overwrite=overwrite, mark=MARK) as temporary:
        export_table(study.table(), temporary / "gradients.csv")
        text = dump_json(study.as_dict(), 1) + "\n"
        (temporary / MARK).write_text(text, encoding="utf-8")
        study.plot().write_html(temporary / "gradients.html", include_plotlyjs=True)


def show(study: Any, *, as_json: bool) -> None:
    """The study on stdout."""
    if as_json:
        from topicfactors.export.tables import dump_json

        print(dump_json(study.as_dict()))
        return
    from topicfactors.cli.tables import print_columns, print_lines

    names, *columns = zip(*study.cells(), strict=True)
    reached = [column for column in columns if "equal" in column[0]]
    print_columns([names, *(column for column in columns if column not in reached)])
    if reached:
        print_lines("")
        print_columns([names, *reached])
    print_lines(f"\n{study.caption()}")
    for name, reason in study.refused:
        print_lines(f"not measured: {name}: {reason}")


@contextlib.contextmanager
def named(corpus: str) -> Iterator[None]:
    """Put the name of the corpus in front of what is wrong with it."""
    try:
        yield
    except InputError as error:
        if str(error).startswith(corpus):
            raise
        raise InputError(f"{corpus}: {error}") from error
