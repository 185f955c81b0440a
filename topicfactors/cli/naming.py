"""The one document that a user names, as a fitted pipeline reads it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from topicfactors.corpus.columns import Columns
from topicfactors.errors import InputError


class Named(NamedTuple):
    """A text with its covariates, or a row of counts."""

    text: str | None
    covariates: dict[str, Any] | None
    row: Any = None  # (1, V)

    def counts(self, pipeline: Any) -> Any:
        """Its counts ``(1, V)``."""
        return self.row if self.text is None else pipeline[:-1].transform([self.text])


def named(
    run: Path,
    pipeline: Any,
    document: str,
    name: str | None,
    columns: Columns,
    at: Sequence[str] | None,
) -> Named:
    """A text file, a text in quotes, ``-``, or with a ``name`` one of a corpus or of counts.

    ``at`` are covariates as typed, ``columns`` those of the text and the id that were typed.

    Raises
    ------
    InputError
        When there is no such document, or the run cannot read it.
    """
    from topicfactors.cli.covariates import at_values
    from topicfactors.cli.inputs import Inputs, one_document, vectorizer_of
    from topicfactors.cli.opening import columns_of
    from topicfactors.corpus.count_readers import is_counts
    from topicfactors.corpus.store import is_store

    if name is None and columns != Columns():
        raise InputError(
            "--text-column and --id-column belong to a corpus; name a document by --id"
        )
    if at and vectorizer_of(pipeline) is None:
        raise InputError(f"{run}: was fitted to counts, without covariates; leave out --at")
    if name is not None and (is_counts(document) or is_store(document)):
        if at:
            raise InputError(
                f"{document}: its documents have covariates of their own, or none; leave out --at"
            )
        inputs = Inputs(run, pipeline, document, columns)
        row = inputs.row(name)
        inputs.report(quiet=False)
        return Named(None, None, row)
    if vectorizer_of(pipeline) is None:
        raise InputError(
            f"{run}: was fitted to counts and cannot read texts; name a document of a file of "
            "counts with --id"
        )
    design = pipeline[-1].design_
    names = () if design is None else tuple(design.names)
    wanted = columns if name is None else columns._replace(covariates=names)
    read = one_document(document, name, wanted, columns_of(run))
    return Named(read.text, at_values(at, read.covariates, names))
