"""``topicfactors prepare``: a corpus of any size, counted into a store on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from topicfactors.cli.engines import EngineName, refuse_engine
from topicfactors.cli.fit import fit
from topicfactors.cli.options import Force, Json, Quiet, Strict, was_typed
from topicfactors.cli.sharing import defaults_of, signature_of, taking

TAKEN = (
    *("vocabulary_size", "min_df", "max_df", "min_length", "language", "stop_words"),
    *("token_pattern", "numbers", "urls", "lemmas", "spacy_model", "pos", "phrases"),
    *("text_column", "id_column", "label_column", "vocabulary"),
)
"""Options that are those of ``fit``."""


@taking(fit, left_out=set(signature_of(fit).parameters) - set(TAKEN))
def prepare(
    context: typer.Context,
    corpus: Annotated[
        str,
        typer.Argument(
            metavar="CORPUS",
            help="A folder, a table or a file of texts or counts, '-' or a sample, as for fit.",
        ),
    ],
    store: Annotated[
        Path, typer.Argument(metavar="STORE", help="Folder that is written, or added to.")
    ],
    append: Annotated[
        bool,
        typer.Option(
            "--append", help="Add the documents to STORE, counted by the words that it has."
        ),
    ] = False,
    shard_documents: Annotated[
        int,
        typer.Option(
            min=1, help="Most documents of a shard, which are in memory at once when it is read."
        ),
    ] = 65_536,
    covariate: Annotated[
        list[str] | None,
        typer.Option(
            help="Column that is kept, for --covariate of fit; may be given several times."
        ),
    ] = None,
    response: Annotated[
        str | None, typer.Option(help="Column that is kept, for --response of fit.")
    ] = None,
    strict: Strict = False,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Processes that tokenise (default: all cores).")
    ] = None,
    engine: EngineName = "local",
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
    **options: Any,
) -> None:
    """Count a corpus into a folder, once, so that it need not fit into the memory.

    The corpus is read once, on all cores, with memory that does not grow with it. After an
    interruption, kill -9 too, the same command goes on. fit, transform and evaluate read STORE
    where they read a corpus; what it holds is counts, ids, labels and columns, no texts.

    Examples: topicfactors prepare articles.jsonl store; topicfactors prepare more.jsonl store
    --append; zcat big.txt.gz | topicfactors prepare - store
    """
    from topicfactors.cli.preparing import preparation

    refuse_engine(engine)
    chosen = {**defaults_of(fit), **context.params}
    typed = {name for name in context.params if was_typed(context, name)}
    preparation(chosen, typed)
