"""The steps of ``topicfactors prepare``."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import typer

from topicfactors.cli.console import exit_status, note, notes_for_warnings
from topicfactors.cli.covariates import names_of
from topicfactors.cli.engines import abreast
from topicfactors.cli.models import spelt
from topicfactors.cli.vectorizing import OF_TEXTS, refuse_idle_words, vectorizer_for
from topicfactors.corpus.count_readers import is_counts
from topicfactors.errors import InputError

OF_COLUMNS = ("text_column", "id_column", "label_column", "strict", "covariate")


def preparation(options: Mapping[str, Any], typed: Collection[str]) -> None:
    """Count a corpus into a store, and say what there is then."""
    from topicfactors.cli.progress import Display
    from topicfactors.corpus.store import prepare
    from topicfactors.corpus.store.unfinished import Workplace

    corpus, folder, quiet = options["corpus"], Path(options["store"]), options["quiet"]
    _refuse_idle(options, typed)
    counts, display = is_counts(corpus), Display(quiet)
    vectorizer = None if counts or options["append"] else _vectorizer(options)
    columns = names_of(options["covariate"])
    if options["response"] is not None:
        columns = (*columns, options["response"])
    try:
        engine = abreast(options["engine"], options["threads"])
        with notes_for_warnings(quiet), engine as (in_order, processes):
            store = prepare(
                corpus,
                folder,
                vectorizer=vectorizer,
                text_column=options["text_column"],
                id_column=options["id_column"],
                label_column=options["label_column"],
                columns=dict.fromkeys(columns),
                vocabulary=options["vocabulary"],
                shard_documents=options["shard_documents"],
                workers=processes,
                in_order=in_order,
                strict=options["strict"],
                append=options["append"],
                overwrite=options["force"],
                watch=display.reading,
            )
    except KeyboardInterrupt as interruption:
        if not (kept := Workplace(folder).finished):
            raise
        note(f"interrupted; {_afterwards(folder, options, kept)}")
        raise typer.Exit(exit_status(interruption)) from interruption
    for line in store.notes:
        note(f"note: {line}", quiet=quiet)
    _tell(store, folder, options)


def _afterwards(folder: Path, options: Mapping[str, Any], kept: int) -> str:
    """What the next command does with what was interrupted."""
    if options["force"] and not options["append"] and folder.exists():
        return f"{folder} is what it was, and the same command begins anew"
    same = "the same command without --force" if options["force"] else "the same command"
    return f"shards that are kept: {kept:,}; {same} goes on from there"


def _refuse_idle(options: Mapping[str, Any], typed: Collection[str]) -> None:
    """Nothing that is typed is ignored."""
    refuse_idle_words(options["corpus"], typed)
    if is_counts(options["corpus"]):
        _refuse_idle_for_counts(options, typed)
    words = [name for name in OF_TEXTS if name in typed and name not in OF_COLUMNS]
    if options["append"] and words:
        raise InputError(
            f"{options['store']}: documents that are added are counted by the words and rules that "
            f"it has; leave out {', '.join(map(spelt, words))}"
        )


def _refuse_idle_for_counts(options: Mapping[str, Any], typed: Collection[str]) -> None:
    if options["response"] is not None:
        raise InputError(
            f"{options['corpus']}: counts have no columns beside the words; leave out --response"
        )
    idle = [name for name in ("threads", "engine") if name in typed]
    if idle:
        raise InputError(
            f"{options['corpus']}: counts are not tokenised, and one process copies them; leave "
            f"out {', '.join(map(spelt, idle))}"
        )


def _vectorizer(options: Mapping[str, Any]) -> Any:
    """What counts the texts; how many processes do is no part of a store."""
    return vectorizer_for(options).set_params(n_jobs=-1)


def _tell(store: Any, folder: Path, options: Mapping[str, Any]) -> None:
    documents, words = store.shape
    if options["json"]:
        from topicfactors.export.tables import dump_json

        told = {"store": str(folder), "documents": documents, "words": words}
        told |= {"tokens": store.tokens, "nnz": store.nnz, "shards": len(store.sizes)}
        told |= {"bytes": store.size, "fingerprint": store.fingerprint, "notes": store.notes}
        print(dump_json(told))
        return
    shards = "1 shard" if len(store.sizes) == 1 else f"{len(store.sizes):,} shards"
    size = f"{store.size / 1e6:,.1f} MB"
    note(
        f"{documents:,} documents, {words:,} words, {store.tokens:,.0f} tokens: {shards}, {size}",
        quiet=options["quiet"],
    )
    note(f"written to {folder}; next: topicfactors fit {folder}", quiet=options["quiet"])
