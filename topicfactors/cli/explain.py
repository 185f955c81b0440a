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
    from topicfactors.cli.covariates import at_values
    from topicfactors.cli.inputs import Inputs, one_document, vectorizer_of
    from topicfactors.cli.opening import columns_of
    from topicfactors.cli.options import number_or_auto
    from topicfactors.cli.readings import model_of, refuse_search
    from topicfactors.corpus.columns import Columns
    from topicfactors.corpus.count_readers import is_counts
    from topicfactors.errors import InputError
    from topicfactors.estimators.explaining import explain as explained
    from topicfactors.storage import load

    columns = Columns(text_column, id_column)
    if name is None and columns != Columns():
        raise InputError(
            "--text-column and --id-column belong to a corpus; name a document by --id"
        )
    pipeline, rounds = load(run), number_or_auto(refine, int)
    refuse_search(model_of(pipeline), rounds)
    if at and vectorizer_of(pipeline) is None:
        raise InputError(f"{run}: was fitted to counts, without covariates; leave out --at")
    if name is not None and is_counts(document):
        inputs = Inputs(run, pipeline, document, columns)
        search = {} if rounds == "auto" else {"refine": rounds}
        found = inputs.model.explain(inputs.row(name), **search)[0]
        inputs.report(quiet=False)
    elif vectorizer_of(pipeline) is None:
        raise InputError(
            f"{run}: was fitted to counts and cannot read texts; name a document of a file of "
            "counts with --id"
        )
    else:
        design = pipeline[-1].design_
        names = () if design is None else tuple(design.names)
        read = one_document(
            document,
            name,
            columns if name is None else columns._replace(covariates=names),
            columns_of(run),
        )
        known = at_values(at, read.covariates, names)
        found = explained(pipeline, read.text, covariates=known, refine=rounds)
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
