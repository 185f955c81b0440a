"""``topicfactors gradients``: estimators of the gradient, side by side on a corpus."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from topicfactors.cli.comparing import MARK, Words, names_in
from topicfactors.cli.console import exit_status, note, notes_for_warnings
from topicfactors.cli.model_options import MODEL
from topicfactors.cli.options import (
    Device,
    Force,
    IdColumn,
    Json,
    Quiet,
    Strict,
    TextColumn,
    Threads,
    was_typed,
)
from topicfactors.cli.word_options import MaxDf, MinDf, VocabularySize
from topicfactors.errors import InputError

BUDGET = "How long it takes"


def gradients(
    context: typer.Context,
    corpus: Annotated[
        str,
        typer.Argument(
            metavar="CORPUS",
            help="A folder, a table or a file of texts or counts, '-' or a sample, as for fit.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Folder for gradients.csv, .json and .html (none: print alone)."
        ),
    ] = None,
    factors: Annotated[int, typer.Option("--factors", "-k", min=1, help="Number of factors.")] = 12,
    estimators: Annotated[
        str | None,
        typer.Option(
            help="Those to compare, with commas between: nvil,gumbel-softmax:end=0.3 (default: all "
            "that can serve the model)."
        ),
    ] = None,
    inference: Annotated[
        str,
        typer.Option(
            help="What fits the model at which gradients are drawn; auto: gumbel-softmax.",
            rich_help_panel=MODEL,
        ),
    ] = "auto",
    posterior: Annotated[
        str,
        typer.Option(help="Its posterior, as for fit; auto: mean-field.", rich_help_panel=MODEL),
    ] = "auto",
    likelihood: Annotated[
        str, typer.Option(help="Its likelihood, as for fit.", rich_help_panel=MODEL)
    ] = "polya",
    decoder: Annotated[
        str, typer.Option(help="Its decoder, as for fit.", rich_help_panel=MODEL)
    ] = "log-linear",
    prior: Annotated[
        str, typer.Option(help="Its prior, as for fit.", rich_help_panel=MODEL)
    ] = "bernoulli",
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="Most passes of its fit.", rich_help_panel=MODEL),
    ] = None,
    documents: Annotated[
        int,
        typer.Option(min=1, help="Documents on which gradients are drawn.", rich_help_panel=BUDGET),
    ] = 64,
    draws: Annotated[
        int, typer.Option(min=2, help="Gradients of each of them.", rich_help_panel=BUDGET)
    ] = 200,
    reference_draws: Annotated[
        int,
        typer.Option(
            min=2,
            help="Of the reference, where there are more than 12 factors.",
            rich_help_panel=BUDGET,
        ),
    ] = 5000,
    warm_up: Annotated[
        int,
        typer.Option(
            min=0,
            help="Steps in which an estimator that learns sees the model before it is measured.",
            rich_help_panel=BUDGET,
        ),
    ] = 300,
    seconds: Annotated[
        float,
        typer.Option(
            min=0, help="Of each training on equal time; 0: none.", rich_help_panel=BUDGET
        ),
    ] = 5.0,
    evaluations: Annotated[
        float,
        typer.Option(
            min=0,
            help="Walks over the vocabulary for each training document, of each training on equal "
            "evaluations; 0: none.",
            rich_help_panel=BUDGET,
        ),
    ] = 20.0,
    samples: Annotated[
        int,
        typer.Option(min=1, help="Draws a document of ELBO and IWAE.", rich_help_panel=BUDGET),
    ] = 32,
    seed: Annotated[
        int,
        typer.Option(min=0, max=2**32 - 1, help="Seed; all but what the clock measures follows."),
    ] = 0,
    vocabulary_size: VocabularySize = 10_000,
    min_df: MinDf = "5",
    max_df: MaxDf = "0.5",
    text_column: TextColumn = None,
    id_column: IdColumn = None,
    strict: Strict = False,
    device: Device = "auto",
    threads: Threads = None,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compare estimators of the gradient on a corpus: bias, variance, cost, and what they reach.

    A model is fitted, on which gradients are drawn; then every estimator trains from the same
    start, for equal time and for equal evaluations. docs/gradients.md says how the table is read.
    Ctrl-C keeps the estimators that were measured.

    Examples: topicfactors gradients pydocs -o study; topicfactors gradients notes.csv -k 20
    --estimators nvil,gumbel-softmax --seconds 10
    """
    from topicfactors.cli.comparing import counted, measured, show, usual_threads, write
    from topicfactors.cli.models import spelt
    from topicfactors.corpus.count_readers import is_counts
    from topicfactors.estimators.base import resolve_device
    from topicfactors.estimators.factor_model import BinaryFactorModel
    from topicfactors.files import refuse_existing, refuse_source, refuse_unwritable
    from topicfactors.studies.comparison import listed

    if output is not None:
        refuse_source(output, Path(corpus))
        refuse_existing(output, force, MARK)
        refuse_unwritable(output)
    words = Words(vocabulary_size, min_df, max_df, text_column, id_column, strict)
    if is_counts(corpus):
        typed = [name for name in Words._fields if was_typed(context, name)]
        if typed:
            raise InputError(
                f"{corpus}: counts are used as they are, and have no text to tokenise; leave out "
                f"{', '.join(map(spelt, typed))}"
            )
    model = BinaryFactorModel(
        factors,
        inference=inference,
        posterior=posterior,
        likelihood=likelihood,
        decoder=decoder,
        prior=prior,
        max_iter=epochs,
        device=device,
        random_state=seed,
        n_jobs=threads or -1,
    )
    budget = {
        "documents": documents,
        "draws": draws,
        "reference_draws": reference_draws,
        "warm_up": warm_up,
        "seconds": seconds,
        "evaluations": evaluations,
        "samples": samples,
        "random_state": seed,
    }
    resolve_device(device)
    asked = None if estimators is None else names_in(estimators)
    listed(model, asked)  # refused before the corpus is read
    with notes_for_warnings(quiet):
        counts = counted(corpus, words, threads, quiet)
        model.set_params(n_jobs=threads or usual_threads(counts))
        study, interruption = measured(
            corpus, model, counts, asked, budget | {"random_state": seed}, quiet
        )
    if output is not None:
        write(study, output, overwrite=force)
    show(study, as_json=json)
    if output is not None:
        note(f"written to {output}", quiet=quiet)
    if interruption is not None:
        note(f"interrupted; what was measured until then ({len(study.rows)}) is above")
        raise typer.Exit(exit_status(interruption))
