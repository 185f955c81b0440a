"""``topicfactors topics``: the factors of a run as a table."""

from __future__ import annotations

from typing import Annotated

import typer

from topicfactors.cli.options import Json, Ranking, Run, Words


def topics(
    run: Run,
    words: Words = 10,
    ranking: Ranking = "coherent",
    documents: Annotated[
        bool, typer.Option("--documents", help="Show ids of representative documents instead.")
    ] = False,
    json: Json = False,
) -> None:
    """Show the factors of a run: how often they are on, the words for them and against them.

    Of a mixture these are its components, of a classifier its classes.

    Example: topicfactors topics run -n 20 --ranking probability
    """
    from topicfactors.cli.readings import listed_of, model_of
    from topicfactors.cli.runs import rows_in
    from topicfactors.storage import load

    model = model_of(load(run))
    rows = rows_in(run, model, ranking, words)
    if json:
        from topicfactors.export.tables import dump_json

        print(dump_json([row._asdict() for row in rows]))
        return
    from topicfactors.cli.tables import print_factors

    print_factors(rows, beside="documents" if documents else "suppressed", noun=listed_of(model))
