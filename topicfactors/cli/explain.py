"""``topicfactors explain``: which factors are on in a document, and which words say so."""

from __future__ import annotations

from typing import Annotated

import typer

from topicfactors.cli.options import IdColumn, Json, Run, TextColumn


def explain(
    run: Run,
    document: Annotated[
        str,
        typer.Argument(
            metavar="DOC", help="A text file, a text in quotes, '-', or a corpus (with --id)."
        ),
    ],
    name: Annotated[str | None, typer.Option("--id", help="Which document of a corpus.")] = None,
    refine: Annotated[
        str,
        typer.Option(
            help="Rounds of search for the most probable state; exact: all states, to 20 factors; "
            "or auto."
        ),
    ] = "auto",
    at: Annotated[
        list[str] | None,
        typer.Option(help="A covariate of the document, as year=1850; may be given several times."),
    ] = None,
    text_column: TextColumn = None,
    id_column: IdColumn = None,
    json: Json = False,
) -> None:
    """Say which factors are on in a document, and what each of its words adds.

    The log-odds of a factor, given the other factors, are the sum of what is listed: the prior, the
    words, and for some likelihoods the length or the absent words. In nats: +0.69 doubles the odds.
    Probabilities are those of a search for states, whichever inference fitted the run, or with
    --refine exact of all states. Of a mixture or a classifier each component or class is compared
    with the best of the others.

    Examples: topicfactors explain run letter.txt; topicfactors explain run notes.csv --id 17
    """
    from topicfactors.cli.naming import named
    from topicfactors.cli.options import number_or_auto
    from topicfactors.cli.readings import model_of, refuse_search
    from topicfactors.corpus.columns import Columns
    from topicfactors.estimators.explaining import explain as explained
    from topicfactors.storage import load

    columns = Columns(text_column, id_column)
    pipeline, rounds = load(run), number_or_auto(refine, int)
    refuse_search(model_of(pipeline), rounds)
    read = named(run, pipeline, document, name, columns, at)
    if read.text is None:
        search = {} if rounds == "auto" else {"refine": rounds}
        found = model_of(pipeline).explain(read.row, **search)[0]
    else:
        found = explained(pipeline, read.text, covariates=read.covariates, refine=rounds)
    if json:
        from topicfactors.export.tables import dump_json

        factors = [
            {**factor._asdict(), "words": [word._asdict() for word in factor.words]}
            for factor in found.factors
        ]
        print(dump_json({**found._asdict(), "factors": factors}))
        return
    from topicfactors.cli.tables import print_lines

    print_lines(str(found))
