"""``topicfactors corpora``: the sample corpora, their pages, and files of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from topicfactors.cli.console import note, notes_for_warnings
from topicfactors.cli.options import Force, Quiet

BLOCK = 1000  # documents
FEW = 1000  # documents in which a word of two is worth keeping


def corpora(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="A sample corpus (none: list them).")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE", help="Write it: .jsonl, .json, .csv or .parquet (none: its page)."
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(help="For 20newsgroups: a folder or archive of it that you have."),
    ] = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """List the sample corpora, show the page of one, or write it to a file.

    Examples: topicfactors corpora; topicfactors corpora revolution notes.csv
    """
    from topicfactors.cli.tables import print_lines, print_samples
    from topicfactors.corpus.samples import SAMPLES, corpora_folder
    from topicfactors.errors import InputError, unknown_name

    if source is not None and name != "20newsgroups":
        raise InputError("--source is for 20newsgroups only; other samples need none")
    if name is None:
        print_samples({name: sample.about for name, sample in SAMPLES.items()})
        return
    if name not in SAMPLES:
        raise unknown_name("NAME", name, SAMPLES)
    if file is None:
        print_lines((corpora_folder() / name / "README.md").read_text(encoding="utf-8").rstrip())
        return
    _write(name, file, source, force, quiet)


def _write(name: str, file: Path, source: str | None, force: bool, quiet: bool) -> None:
    from topicfactors.corpus.documents import Document
    from topicfactors.corpus.readers import stream_documents
    from topicfactors.corpus.samples import newsgroup_post, read_sample
    from topicfactors.errors import InputError
    from topicfactors.export.tables import Table, check_suffix, export_table
    from topicfactors.files import refuse_existing, refuse_source

    check_suffix(file)
    refuse_existing(file, force)
    if source is None:
        documents: Iterator[Document] = read_sample(name)
    else:
        refuse_source(file, Path(source))
        documents = map(newsgroup_post, stream_documents(source))
    with notes_for_warnings(quiet):
        first = next(documents, None)
    if first is None:
        raise InputError(f"{source}: no documents in it; expected the 20 Newsgroups")
    columns = ["id", "label", *first.covariates, "text"]
    written = 0

    def blocks() -> Iterator[list[tuple[Any, ...]]]:
        nonlocal written
        waiting = iter([first])
        while block := list(islice(waiting, 1)) + list(islice(documents, BLOCK)):
            written += len(block)
            yield [(d.id, d.label, *d.covariates.values(), d.text) for d in block]

    export_table(Table(columns, blocks()), file)
    factors = max(2, min(50, written // 15))
    following = f"topicfactors fit {file} -k {factors}" + (" --min-df 2" if written < FEW else "")
    note(f"{written:,} documents written to {file}; next: {following}", quiet=quiet)
