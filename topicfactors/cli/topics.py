"""``topicfactors topics``: the factors of a run as a table."""

from __future__ import annotations

from typing import Annotated

import typer

from topicfactors.cli.options import Json, Run, Words


def topics(
    run: Run,
    words: Words = 10,
    ranking: Annotated[
        str, typer.Option(help="exclusive, evidence, weight, probability or lift.")
    ] = "exclusive",
    json: Json = False,
) -> None:
    """Show the factors of a run: how often they are on, and their words.

    Example: topicfactors topics run -n 20 --ranking probability
    """
    from topicfactors.cli.runs import model_of, open_run, rows_of, stored_coherence

    model = model_of(open_run(run))
    as_fitted = (words, ranking) == (10, "exclusive")
    stored = stored_coherence(run, len(model.status_)) if as_fitted else None
    rows = rows_of(model, ranking=ranking, words=words, coherence=stored)
    if json:
        from topicfactors.export.tables import dump_json

        print(dump_json([row._asdict() for row in rows]))
        return
    from topicfactors.cli.tables import print_factors

    print_factors(rows)
