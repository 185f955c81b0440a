"""``topicfactors compare``: topic models side by side on a corpus, ours and others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from topicfactors.cli.console import exit_status, note, notes_for_warnings
from topicfactors.cli.options import (
    Device,
    Force,
    IdColumn,
    Json,
    Quiet,
    Strict,
    TextColumn,
    was_typed,
)
from topicfactors.cli.word_options import (
    Language,
    Lemmas,
    MaxDf,
    MinDf,
    MinLength,
    Numbers,
    Phrases,
    Pos,
    SpacyModel,
    StopWords,
    TokenPattern,
    Urls,
    Vocabulary,
    VocabularySize,
)


def compare(
    context: typer.Context,
    corpus: Annotated[
        str,
        typer.Argument(
            metavar="CORPUS",
            help="A folder, a table or a file of texts or counts, '-' or a sample, as for fit.",
        ),
    ],
    factors: Annotated[
        int, typer.Option("--factors", "-k", min=1, help="Factors, or topics, of every model.")
    ] = 50,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help=".csv, .md, .json, .jsonl or .parquet beside stdout."),
    ] = None,
    models: Annotated[
        str | None,
        typer.Option(
            help="Those to fit, with commas between: factors, gumbel-softmax, mixture, "
            "sklearn-lda, sklearn-nmf, gensim-lda, tomotopy-lda, corex, bertopic, "
            "bertopic-sentences (default: all that are installed but the last, which fetches "
            "weights from a network)."
        ),
    ] = None,
    seeds: Annotated[
        str, typer.Option(help="Seeds with commas between; each model is fitted with each.")
    ] = "0",
    held_out: Annotated[
        float, typer.Option(help="Share of the documents that is not fitted but completed.")
    ] = 0.1,
    c_v: Annotated[
        bool,
        typer.Option("--c-v/--no-c-v", help="C_V coherence too; takes minutes in large corpora."),
    ] = True,
    threads: Annotated[int, typer.Option(min=1, help="Threads of each fit.")] = 1,
    jobs: Annotated[
        int, typer.Option(min=1, help="Fits at once; above 1 the times are no longer their own.")
    ] = 1,
    vocabulary_size: VocabularySize = 10_000,
    min_df: MinDf = "5",
    max_df: MaxDf = "0.5",
    min_length: MinLength = 3,
    language: Language = "en",
    stop_words: StopWords = "language",
    token_pattern: TokenPattern = None,
    numbers: Numbers = "drop",
    urls: Urls = "drop",
    lemmas: Lemmas = False,
    spacy_model: SpacyModel = None,
    pos: Pos = None,
    phrases: Phrases = False,
    text_column: TextColumn = None,
    id_column: IdColumn = None,
    vocabulary: Vocabulary = None,
    strict: Strict = False,
    device: Device = "auto",
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compare topic models on a corpus: words, completion, time and memory, ours beside others.

    All are fitted to the same tokens, each in a process of its own, and scored alike;
    docs/comparing.md says how the table is read. Peers that are not installed are left out, and one
    that breaks off costs its row alone. Ctrl-C keeps what was measured.

    Examples: topicfactors compare pydocs -k 20; topicfactors compare notes.csv -k 20 --models
    factors,sklearn-nmf,gensim-lda --seeds 0,1,2 -o table.md
    """
    from topicfactors.cli.contests import Corpus, played, seeds_in, show, write
    from topicfactors.cli.vectorizing import refuse_idle_words, vectorizer_for
    from topicfactors.corpus.count_readers import is_counts
    from topicfactors.estimators.base import resolve_device
    from topicfactors.export.tables import check_suffix
    from topicfactors.files import refuse_existing, refuse_source, refuse_unwritable
    from topicfactors.studies.lineup import entries
    from topicfactors.studies.tournament import check_numbers

    if output is not None:
        check_suffix(output)
        refuse_source(output, Path(corpus))
        refuse_existing(output, force)
        refuse_unwritable(output)
    asked = None if models is None else [name for name in models.split(",") if name.strip()]
    entries(asked)  # refused before the corpus is read, as are numbers
    budget = {"held_out": held_out, "seeds": seeds_in(seeds), "threads": threads, "jobs": jobs}
    check_numbers(factors, held_out, seeds_in(seeds), threads, jobs)
    resolve_device(device)
    refuse_idle_words(corpus, {name for name in context.params if was_typed(context, name)})
    vectorizer = None if is_counts(corpus) else vectorizer_for(context.params | {"threads": None})
    read = Corpus(corpus, vectorizer, text_column, id_column, vocabulary, strict)
    with notes_for_warnings(quiet):
        study, interruption = played(
            read, factors, asked, budget | {"c_v": c_v, "device": device}, quiet
        )
    if output is not None:
        write(study, output)
    show(study, as_json=json, quiet=quiet)
    if output is not None:
        note(f"written to {output}", quiet=quiet)
    if interruption is not None:
        note(f"interrupted; what was measured until then ({len(study.trials)} fits) is above")
        raise typer.Exit(exit_status(interruption))
