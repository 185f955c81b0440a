"""``topicfactors intervene``: switch factors of a run, and see the words move."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from topicfactors.cli.options import IdColumn, Json, Run, TextColumn

Factors = list[str] | None


def intervene(
    run: Run,
    on: Annotated[
        Factors, typer.Option(help="A factor to switch on, by number or name; several times.")
    ] = None,
    off: Annotated[Factors, typer.Option(help="A factor to switch off; several times.")] = None,
    given: Annotated[
        str | None,
        typer.Option(
            metavar="DOC",
            help="Leave the other factors as in this document: a text file, a text in quotes, "
            "'-', or a corpus (with --id). Else they are at their prevalence.",
        ),
    ] = None,
    name: Annotated[str | None, typer.Option("--id", help="Which document of a corpus.")] = None,
    words: Annotated[int, typer.Option("--words", "-n", min=1, help="Words that are shown.")] = 10,
    at: Annotated[
        list[str] | None, typer.Option(help="A covariate of the document, as year=1850.")
    ] = None,
    text_column: TextColumn = None,
    id_column: IdColumn = None,
    json: Json = False,
) -> None:
    """Switch factors on or off, and show the words that come more and less often then.

    Probabilities are of a word drawn by the model, the other factors left as they are; nats are the
    log of how often it comes now over how often it came. Of factors that are switched on together
    each pair is shown with what it does beyond the sum of the two.

    Examples: topicfactors intervene run --on 3 --off 7; topicfactors intervene run --on 0 --given
    letter.txt
    """
    from topicfactors.cli.naming import named
    from topicfactors.cli.readings import model_of, noun_of
    from topicfactors.corpus.columns import Columns
    from topicfactors.errors import InputError
    from topicfactors.estimators.factor_model import BinaryFactorModel
    from topicfactors.export.factors import PLURALS
    from topicfactors.storage import load

    pipeline = load(run)
    model = model_of(pipeline)
    if not isinstance(model, BinaryFactorModel):
        raise InputError(
            f"{run}: has {PLURALS[noun_of(model)]}, of which a document has one, and no factors to "
            "switch; see their words with 'topicfactors topics'"
        )
    asked: dict[str, Any] = {}
    if given is not None:
        columns = Columns(text_column, id_column)
        read = named(run, pipeline, given, name, columns, at)
        known = read.covariates
        asked["given"] = read.counts(pipeline)
        asked["covariates"] = {each: [value] for each, value in known.items()} if known else None
    elif name is not None or at or (text_column, id_column) != (None, None):
        raise InputError("--id, --at and columns belong to a document; name it with --given")
    found = model.intervene(on or (), off or (), **asked)
    above = [each.factor for each in found.switched if each.on]
    pairs = [(first, second) for row, first in enumerate(above) for second in above[row + 1 :]]
    together = model.interactions(pairs, **asked) if pairs else None
    if json:
        from topicfactors.export.tables import dump_json

        told = {
            "switched": [each._asdict() for each in found.switched],
            "given": found.given,
            "presence": found.presence,
            "kl": found.kl,
            "js": found.js,
            "gains": [moved._asdict() for moved in found.gains(words)],
            "losses": [moved._asdict() for moved in found.losses(words)],
            "interactions": [pair._asdict() for pair in together.pairs] if together else [],
        }
        print(dump_json(told))
        return
    from topicfactors.cli.tables import print_lines

    print_lines(found.text(words) + (f"\n\n{together}" if together else ""))
